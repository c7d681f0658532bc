// errc: why a command was refused. The session lives on; what ends one is close_reason.hpp.
//
// Path:     Session, Room → [errc] → reply
// Runs on:  any thread; constants.
// Owned by: nobody.
// Bounds:   the table covers every value, checked at compile time.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace parley::core {

enum class errc : std::uint8_t {
    bad_request,
    unauthorized,
    forbidden,
    not_joined,
    not_found,
    conflict,
    too_large,
    rate_limited,
    unavailable,
    internal,
    end_,
};

struct ErrcRow {
    errc value;
    std::string_view name;
    std::string_view text;  // said where nothing more exact is known
    bool temporary;         // the same command may succeed later
};

inline constexpr std::array errc_rows{
    ErrcRow{errc::bad_request, "bad_request", "the command is malformed", false},
    ErrcRow{errc::unauthorized, "unauthorized", "sign in first", false},
    ErrcRow{errc::forbidden, "forbidden", "this is not allowed here", false},
    ErrcRow{errc::not_joined, "not_joined", "join the room before speaking in it", false},
    ErrcRow{errc::not_found, "not_found", "there is no such thing", false},
    ErrcRow{errc::conflict, "conflict", "this does not fit what was done before", false},
    ErrcRow{errc::too_large, "too_large", "this is larger than the server accepts", false},
    ErrcRow{errc::rate_limited, "rate_limited", "slow down and try again", true},
    ErrcRow{errc::unavailable, "unavailable", "not possible at the moment, try again", true},
    ErrcRow{errc::internal, "internal", "the server failed", true},
};

namespace detail {
constexpr bool covers_every_errc() {
    if (errc_rows.size() != static_cast<std::size_t>(errc::end_)) return false;
    for (std::size_t i = 0; i < errc_rows.size(); ++i) {
        if (errc_rows[i].value != static_cast<errc>(i)) return false;
    }
    return true;
}
}  // namespace detail
static_assert(detail::covers_every_errc());

[[nodiscard]] constexpr const ErrcRow& row_of(errc value) {
    return errc_rows[static_cast<std::size_t>(value)];
}

}  // namespace parley::core
