// Permissions: who may do what in a room: one table of acts, roles and kinds of rooms, and what is
// said where somebody may not.
//
// Path:     RoomRoles → [permissions]
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   none needed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "protocol/room_roles.hpp"

namespace parley::core {

using protocol::Role;
using protocol::RoomKind;

// What may be done in a room.
enum class Act : std::uint8_t {
    read,      // join, listen, ask for history and members, search, fetch files
    send,      // say something, type, put files there
    edit,      // one's own messages
    remove,    // one's own messages
    moderate,  // anybody's messages; kick, mute, ban, and lift that; see who is what
    set_topic,
    invite,   // make somebody a member, or none
    appoint,  // make somebody a moderator or an owner, or none any more
    end_,
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Act::end_)> act_names{
    "read", "send", "edit", "delete", "moderate", "topic", "invite", "appoint"};
[[nodiscard]] constexpr std::string_view name_of(Act act) noexcept {
    return act_names[static_cast<std::size_t>(act)];
}

// The least that one must be in a room of that kind to do so.
[[nodiscard]] constexpr Role least_for(Act act, RoomKind kind) noexcept {
    const bool closed = kind == RoomKind::members || kind == RoomKind::hidden;
    switch (act) {
        case Act::read:
            return Role::muted;
        case Act::send:
        case Act::edit:
        case Act::remove:
            return closed                        ? Role::member
                   : kind == RoomKind::read_only ? Role::moderator
                                                 : Role::none;
        case Act::moderate:
        case Act::set_topic:
        case Act::invite:
            return Role::moderator;
        case Act::appoint:
        case Act::end_:
            break;
    }
    return Role::owner;
}

// Whether somebody of that role may do so in a room of that kind.
[[nodiscard]] constexpr bool may(Role role, Act act, RoomKind kind) noexcept {
    // Who is muted is somebody, who is not a member is not.
    const bool closed = kind == RoomKind::members || kind == RoomKind::hidden;
    if (closed && role == Role::none) return false;
    return role >= least_for(act, kind);
}

// Whether somebody of role `actor` may make somebody else, who is `target`, that. Nobody acts upon
// who is as high as themselves.
[[nodiscard]] constexpr bool may_make(Role actor, Role target, Role what) noexcept {
    if (actor < Role::moderator || target >= actor) return false;
    return actor == Role::owner || what < Role::moderator;
}

// Why somebody of that role, until then, may not do so there: for the one who is refused.
[[nodiscard]] std::string refusal_text(Role role, const std::optional<WallTime>& until, Act act,
                                       RoomKind kind);

}  // namespace parley::core
