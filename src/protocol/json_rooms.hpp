// The JSON of rooms' roles: `role`, `removed` and `room`, as frames and as answers of REST.
//
// Path:     json_server_frames, rest_codec → [json_rooms] → text
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   none of its own; each appends what it is given.
#pragma once

#include <string>

#include "protocol/json_fields.hpp"
#include "protocol/message.hpp"

namespace parley::protocol {

// Each appends the members of one object, between the braces and behind a `type` if there is one.
void append_members(std::string& out, const RolePush& role);
void append_members(std::string& out, const Removed& removed);
void append_members(std::string& out, const RoomInfo& room);
void append_members(std::string& out, const MyRooms& rooms);
void append_members(std::string& out, const ReadList& list);

// The other way.
[[nodiscard]] User read_user(JsonFields user);
[[nodiscard]] RolePush read_role_push(JsonFields& fields);
[[nodiscard]] Removed read_removed(JsonFields& fields);
[[nodiscard]] RoomInfo read_room_info(JsonFields& fields);

}  // namespace parley::protocol
