// Reply: what the core says to one session alone; what it says to a room is a Publication.
//
// Path:     Session, Room → [Reply] → Transport
// Runs on:  the shard.
// Owned by: passed by value.
// Bounds:   a history of limits::history_answer_max messages.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/retained.hpp"
#include "protocol/message.hpp"

namespace parley::core {

// `joined` and `history` with the messages as they are kept, whose JSON exists already.
struct JoinedReply {
    std::string room;
    protocol::Cursor cursor;
    bool recovered = false;
    std::vector<RetainedPtr> history;
    std::optional<std::vector<protocol::User>> members;
    std::uint64_t count = 0;
    std::string topic{};
    std::optional<protocol::User> direct{};
    std::optional<std::uint64_t> read{};
};
struct HistoryReply {
    std::string room;
    protocol::Cursor cursor;
    std::vector<RetainedPtr> messages;
    bool more = false;
    bool recovered = false;  // the messages are exactly what followed the cursor that was named
};

using ReplyMessage =
    std::variant<protocol::Welcome, JoinedReply, protocol::Left, protocol::Ack, HistoryReply,
                 protocol::MemberList, protocol::Pong, protocol::Error, protocol::Gap,
                 protocol::Drain, protocol::RolePush, protocol::Removed, protocol::RoomInfo,
                 protocol::MyRooms>;

struct Reply {
    protocol::CommandId id;
    ReplyMessage message;
};

// Appends the reply as one JSON object of parley.v1.
void append_reply(std::string& out, const Reply& reply);

}  // namespace parley::core
