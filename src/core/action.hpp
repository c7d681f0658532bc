// Action: what a session's rules decide; Subscriber carries it out.
//
// Path:     Session → [Action] → Subscriber
// Runs on:  the shard; plain values.
// Owned by: passed by value.
// Bounds:   one per command.
#pragma once

#include <variant>

#include "core/amendment.hpp"
#include "core/close_reason.hpp"
#include "core/reply.hpp"
#include "core/room_act.hpp"

namespace parley::core {

struct SendReply {
    ReplyMessage message;
};
struct Refuse {
    protocol::Error error;
};
struct Rename {
    std::string name;
};
struct SignIn {
    std::string token;
};
struct JoinRoom {
    protocol::Join join;
};
struct LeaveRoom {
    std::string room;
};
struct PublishMessage {
    protocol::Send send;
};
struct PublishTyping {
    protocol::Typing typing;
};
struct PublishRead {
    protocol::Read read;
};
struct AmendMessage {
    Amendment asked;
};
struct SendDirect {
    protocol::Direct direct;
};
struct AskHistory {
    protocol::History history;
};
struct AskMembers {
    std::string room;
};

struct ActInRoom {
    RoomAct act;
};
struct AskMyRooms {};
struct AskRoomInfo {
    std::string room;
};

using Action = std::variant<SendReply, Refuse, Rename, SignIn, JoinRoom, LeaveRoom, PublishMessage,
                            PublishTyping, PublishRead, AskHistory, AskMembers, ActInRoom,
                            AskRoomInfo, AmendMessage, SendDirect, AskMyRooms>;

}  // namespace parley::core
