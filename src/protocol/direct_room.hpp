// direct_room: what the room of two users is called, so that both sides, and every part of the server,
// know it by their ids alone.
//
// Path:     Session, at_home → [direct_room]
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   92 bytes a name, whatever the ids.
#pragma once

#include <string>
#include <string_view>

namespace parley::protocol {

inline constexpr std::string_view direct_room_prefix = "dm:";

// `dm:` and a word for each of them, in their order, with a colon between. The word is the id where
// that is at most 43 of [A-Za-z0-9_-], else a dot and its SHA-256 in base64url. The same whichever is
// named first. Throws std::runtime_error where libcrypto has no SHA-256.
[[nodiscard]] std::string direct_room(std::string_view one_id, std::string_view other_id);

// True for what is called like one: nobody may use that name for anything else.
[[nodiscard]] constexpr bool is_direct_room(std::string_view room) noexcept {
    return room.starts_with(direct_room_prefix);
}
// Whether that user is one of the two.
[[nodiscard]] bool is_party_of(std::string_view direct_room, std::string_view id);

}  // namespace parley::protocol
