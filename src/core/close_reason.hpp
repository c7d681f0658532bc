// CloseReason: why a session ended. Its range says whether to come back: 4000-4099 no, 4100-4199
// yes, with back-off and resuming.
//
// Path:     Session, Flush, Drain → [CloseReason] → Transport
// Runs on:  any thread; constants.
// Owned by: nobody.
// Bounds:   the rows are all the reasons there are.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace parley::core {

struct CloseReason {
    std::uint16_t code;
    std::string_view name;  // a label of metrics and logs
    std::string_view text;  // what the peer is told
};

namespace close_reasons {
inline constexpr CloseReason normal{1000, "normal", "goodbye"};
inline constexpr CloseReason going_away{1001, "going_away", "going away"};
inline constexpr CloseReason protocol_error{1002, "protocol_error", "protocol error"};
inline constexpr CloseReason unsupported_data{1003, "unsupported_data", "text frames only"};
inline constexpr CloseReason bad_utf8{1007, "bad_utf8", "invalid data"};
inline constexpr CloseReason policy{1008, "policy", "policy violation"};
inline constexpr CloseReason too_big{1009, "too_big", "message too big"};
inline constexpr CloseReason internal{1011, "internal", "internal error"};
inline constexpr CloseReason draining{1012, "draining", "the server restarts"};
inline constexpr CloseReason overloaded{1013, "overloaded", "try again later"};
inline constexpr CloseReason unauthorized{4001, "unauthorized", "unauthorized"};
inline constexpr CloseReason forbidden{4003, "forbidden", "forbidden"};
inline constexpr CloseReason too_many_errors{4009, "too_many_errors", "too many errors in a row"};
inline constexpr CloseReason slow_consumer{4108, "slow_consumer", "reading too slowly"};
inline constexpr CloseReason heartbeat_missed{4110, "heartbeat_missed", "heartbeat missed"};
inline constexpr CloseReason rate_limited{4129, "rate_limited", "rate limited"};
// The peer went without a close frame: nothing is sent, only counted (RFC 6455, 7.4.1).
inline constexpr CloseReason vanished{1006, "vanished", "connection lost"};
}  // namespace close_reasons

inline constexpr std::array all_close_reasons{
    close_reasons::normal,           close_reasons::going_away,    close_reasons::protocol_error,
    close_reasons::unsupported_data, close_reasons::bad_utf8,      close_reasons::policy,
    close_reasons::too_big,          close_reasons::internal,      close_reasons::draining,
    close_reasons::overloaded,       close_reasons::unauthorized,  close_reasons::forbidden,
    close_reasons::too_many_errors,  close_reasons::slow_consumer, close_reasons::heartbeat_missed,
    close_reasons::rate_limited,     close_reasons::vanished,
};

[[nodiscard]] constexpr bool may_reconnect(const CloseReason& reason) {
    return reason.code >= 4100 || reason.code == 1012 || reason.code == 1013 || reason.code == 1006;
}

}  // namespace parley::core
