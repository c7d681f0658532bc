// The words of who may do what in a room: kinds of rooms and roles in them, by their names.
//
// Path:     json_codec, configuration → [room_roles] → core
// Runs on:  any thread; constants and pure functions.
// Owned by: nobody.
// Bounds:   none needed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::protocol {

enum class RoomKind : std::uint8_t {
    open,       // "public": everybody reads and sends
    members,    // listed; members read and send
    read_only,  // everybody reads, moderators send
    hidden,     // "private": as members, and not listed
    end_,
};

// What somebody is in a room. Each stands above those before it.
enum class Role : std::uint8_t {
    banned,  // nothing
    muted,   // reads
    none,    // whatever the room's kind gives everybody
    member,
    moderator,
    owner,
    end_,
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(RoomKind::end_)> kind_names{
    "public", "members", "read-only", "private"};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Role::end_)> role_names{
    "banned", "muted", "none", "member", "moderator", "owner"};

[[nodiscard]] constexpr std::string_view name_of(RoomKind kind) noexcept {
    return kind_names[static_cast<std::size_t>(kind)];
}
[[nodiscard]] constexpr std::string_view name_of(Role role) noexcept {
    return role_names[static_cast<std::size_t>(role)];
}

namespace detail {
template <typename Value, std::size_t count>
[[nodiscard]] constexpr std::optional<Value> value_named(
    const std::array<std::string_view, count>& names, std::string_view name) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        if (names[i] == name) return static_cast<Value>(i);
    }
    return std::nullopt;
}
}  // namespace detail

[[nodiscard]] constexpr std::optional<RoomKind> room_kind_from(std::string_view name) noexcept {
    return detail::value_named<RoomKind>(kind_names, name);
}
[[nodiscard]] constexpr std::optional<Role> role_from(std::string_view name) noexcept {
    return detail::value_named<Role>(role_names, name);
}

}  // namespace parley::protocol
