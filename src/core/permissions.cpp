#include "core/permissions.hpp"

namespace parley::core {
namespace {

std::string until_text(std::string text, const std::optional<WallTime>& until) {
    return until ? text + " until " + format_rfc3339(*until) : text;
}

}  // namespace

std::string refusal_text(Role role, const std::optional<WallTime>& until, Act act, RoomKind kind) {
    if (role == Role::banned) return until_text("you are banned from this room", until);
    const Role least = least_for(act, kind);
    if (role == Role::muted && least <= Role::member) {
        return until_text("you are muted here", until);
    }
    const bool closed = kind == RoomKind::members || kind == RoomKind::hidden;
    if (closed && role == Role::none && least <= Role::member) {
        return std::string("only members may ") + (act == Act::read ? "read" : "send in") +
               " this room; ask an owner or moderator to invite you";
    }
    switch (act) {
        case Act::read:
            return "you may not read this room";
        case Act::send:
            return "only moderators may send in this room";
        case Act::edit:
        case Act::remove:
            return "only moderators may change messages in this room";
        case Act::moderate:
            return "only moderators of this room may do that";
        case Act::set_topic:
            return "only moderators may set the topic of this room";
        case Act::invite:
            return "only moderators may invite somebody to this room";
        case Act::appoint:
        case Act::end_:
            break;
    }
    return "only owners of this room may do that";
}

}  // namespace parley::core
