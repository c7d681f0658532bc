// RoomAct: what somebody asks for about who may do what in a room, and what became of it.
//
// Path:     Session → [RoomAct] → RoomActs, and back
// Runs on:  any thread; plain values.
// Owned by: passed by value.
// Bounds:   those of the commands that it is.
#pragma once

#include <boost/system/result.hpp>
#include <optional>
#include <variant>

#include "protocol/message.hpp"

namespace parley::core {

using RoomAct = std::variant<protocol::SetRole, protocol::Kick, protocol::SetTopic>;

// What was done: the ack, and what somebody is now where it was about that.
struct ActDone {
    protocol::Ack ack;
    std::optional<protocol::RolePush> role{};
};
using ActAnswer = boost::system::result<ActDone, protocol::Error>;

}  // namespace parley::core
