// room_access: who may do what in a room.
//
// Path:     FilesFrontend → [room_access]
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   none needed.
#pragma once

#include <string_view>

#include "core/user.hpp"

namespace parley::core {

// Whether that user may read what was said in the room, and so see its files. Rooms are public: all
// may.
[[nodiscard]] inline bool may_read(const User& /*user*/, std::string_view /*room*/) noexcept {
    return true;
}

}  // namespace parley::core
