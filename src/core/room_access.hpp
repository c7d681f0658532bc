// room_access: who may read a room, and who may say something there.
//
// Path:     Session, FilesFrontend → [room_access]
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   none needed.
#pragma once

#include <optional>
#include <string_view>

#include "core/user.hpp"
#include "protocol/message.hpp"

namespace parley::core {

// Why that user may do nothing at all before they sign in; nothing where they may.
[[nodiscard]] std::optional<protocol::Error> refuse_stranger(const User& user);

// Why that user may not read what is said in the room, and so not see its files; nothing where they
// may. What does not come with a token may read every room: they are public.
[[nodiscard]] std::optional<protocol::Error> refuse_read(const User& user, std::string_view room);

// The same for saying something there, or leaving a file.
[[nodiscard]] std::optional<protocol::Error> refuse_write(const User& user, std::string_view room);

}  // namespace parley::core
