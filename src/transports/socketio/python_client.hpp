// python_client: which clients are python-engineio, that takes less than others do.
//
// Path:     EngineOpening → [is_python_client] → EngineSessions, ChatOpening
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   a query comes bounded by http.header_bytes.
#pragma once

#include <cstddef>
#include <string_view>

namespace parley::transports {

// True where the query that a session was opened with numbers its request by the time, in seconds:
// `t=1732261762.25`. No other client is known to.
[[nodiscard]] bool is_python_client(std::string_view query);

// Packets of one poll's answer that such a client takes (engineio's Payload.max_decode_packets): at
// one more it gives the connection up.
inline constexpr std::size_t python_poll_packets_max = 16;

}  // namespace parley::transports
