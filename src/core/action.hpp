// Action: what a session's rules decide; Subscriber carries it out.
//
// Path:     Session → [Action] → Subscriber
// Runs on:  the shard; plain values.
// Owned by: passed by value.
// Bounds:   one per command.
#pragma once

#include <variant>

#include "core/close_reason.hpp"
#include "core/reply.hpp"

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
struct AskHistory {
    protocol::History history;
};
struct AskMembers {
    std::string room;
};

using Action = std::variant<SendReply, Refuse, Rename, JoinRoom, LeaveRoom, PublishMessage,
                            PublishTyping, PublishRead, AskHistory, AskMembers>;

}  // namespace parley::core
