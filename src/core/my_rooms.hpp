// MyRooms: the rooms of one user: those that their sessions are in, that they have read in, and those
// of direct messages with them, each with what is unread in it.
//
// Path:     Subscriber, frontend → [MyRooms] → ReadMarks, every shard, rooms' homes, and back
// Runs on:  called on the shard that asks, which is answered there in a later turn.
// Owned by: nobody; plain functions.
// Bounds:   limits::my_rooms_max rooms, asked my_rooms_at_once at a time. One question a session or
//           request.
#pragma once

#include <boost/system/result.hpp>
#include <functional>
#include <string>
#include <vector>

#include "core/at_home.hpp"
#include "core/read_marks.hpp"
#include "core/user.hpp"

namespace parley::core {

// Lists them by name. What `done` holds must be weak.
void list_my_rooms(Shard& here, const UserPtr& user,
                   std::function<void(Answered<protocol::MyRooms>&&)> done);

// Who has read how far in a room, which that user may read.
void list_readers(Shard& here, const UserPtr& user, std::string room,
                  std::function<void(Answered<protocol::ReadList>&&)> done);

// How that room looks to that user, who has read so far; `not_found` where it is not there.
[[nodiscard]] Answered<protocol::MyRoom> my_room_at_home(Shard& home, const std::string& room,
                                                         const UserPtr& user, const ReadMark& mark);

// That user has read so far in that room, where it is there: those in it are told, and it is noted.
[[nodiscard]] Answered<protocol::Ack> read_at_home(Shard& home, const UserPtr& user,
                                                   const protocol::Read& read);

}  // namespace parley::core
