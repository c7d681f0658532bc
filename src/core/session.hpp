// Session: what one participant may do next, as plain rules. Commands in, actions out; no socket,
// clock or room.
//
// Path:     Transport → Subscriber → [Session] → Action
// Runs on:  the shard.
// Owned by: Subscriber.
// Bounds:   limits.errors_in_a_row; limits.rooms_per_session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/action.hpp"
#include "core/config.hpp"
#include "core/errc.hpp"
#include "core/user.hpp"

namespace parley::core {

// What the rules need to know of the rooms: whether the room named by the command is joined, and
// how many are.
struct JoinedRooms {
    bool this_one = false;
    std::size_t count = 0;
};

class Session {
public:
    Session(const LimitsConfig& limits, UserPtr user) noexcept
        : limits_(&limits), user_(std::move(user)) {}

    // Judges one command. Refusals count towards too many errors, anything else clears the count.
    [[nodiscard]] Action on(protocol::Command&& command, JoinedRooms rooms);

    // Counts one refusal. The reason to close for, once errors_in_a_row were reached: rate_limited
    // (come back later) where all of them were, else too_many_errors.
    [[nodiscard]] std::optional<CloseReason> count_refusal(errc code) noexcept;
    void clear_refusals() noexcept {
        refusals_ = 0;
        only_rate_limited_ = 1;
    }

    [[nodiscard]] const UserPtr& user() const noexcept { return user_; }
    void rename(UserPtr user) noexcept { user_ = std::move(user); }

private:
    const LimitsConfig* limits_;
    UserPtr user_;
    // In one word, for what lies behind it: limits.errors_in_a_row is a million at most.
    std::uint32_t refusals_ : 23 = 0;
    std::uint32_t only_rate_limited_ : 1 = 1;  // all of them
};

// An `error` of that code; without a text the code's own.
[[nodiscard]] protocol::Error make_error(errc code, std::string text = {},
                                         std::optional<milliseconds> retry_after = {});

// protocol.md, section 1: [A-Za-z0-9][A-Za-z0-9._:@-]{0,127}
[[nodiscard]] bool is_room_name(std::string_view name) noexcept;

// Why that can't be a user's name; nothing when it can: 1 to name_bytes bytes of UTF-8 without
// control characters and without blanks at either end.
[[nodiscard]] std::optional<std::string> refuse_name(std::string_view name, std::size_t bytes_max);

// Why that user may not do so; nothing where they may. A command that names no room is anybody's.
[[nodiscard]] std::optional<protocol::Error> refuse_by_grant(const User& user,
                                                             const protocol::Command& command);

// Why that user may not see which rooms there are; nothing where they may.
[[nodiscard]] std::optional<protocol::Error> refuse_overview(const User& user);

// The room that a command is about; empty where it is about none.
[[nodiscard]] std::string_view room_of(const protocol::Command& command) noexcept;

}  // namespace parley::core
