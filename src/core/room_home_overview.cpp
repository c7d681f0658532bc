// The half of RoomHome that says how the room looks to one of its users.
#include <algorithm>

#include "core/audience.hpp"
#include "core/room_home.hpp"
#include "core/shard.hpp"
#include "protocol/direct_room.hpp"
#include "protocol/json_codec.hpp"

namespace parley::core {
namespace {

std::optional<protocol::Message> message_of(const Retained& kept) {
    auto frame = protocol::decode_server_frame(kept.json());
    auto* const message = frame ? std::get_if<protocol::Message>(&frame->message) : nullptr;
    return message == nullptr ? std::nullopt : std::optional(std::move(*message));
}

}  // namespace

protocol::Cursor RoomHome::cursor() const {
    audience_->drain();
    return {audience_->room()->epoch(), history_.last_offset()};
}

protocol::MyRoom RoomHome::overview(const protocol::User& user, const ReadMark& mark) const {
    protocol::MyRoom mine;
    mine.room = audience_->name();
    mine.cursor = cursor();
    mine.last_offset = mine.cursor.offset;
    const bool direct = protocol::is_direct_room(mine.room);
    mine.kind =
        direct ? protocol::direct_kind : name_of(kind_of(shard_->config().rooms, mine.room));
    if (acts_) mine.topic = acts_->roles().topic();
    const bool counts = mark.epoch == mine.cursor.epoch;
    mine.read = counts ? std::min(mark.offset, mine.last_offset) : 0;
    mine.unread = mine.last_offset - mine.read;
    const auto kept = history_.last(history_.size()).messages;
    for (auto at = kept.rbegin(); at != kept.rend(); ++at) {
        const Retained& message = **at;
        if (protocol::is_amendment(message.json()) || protocol::is_topic(message.json())) {
            // It shows in what it is about, or in what is said of the room.
            if (message.offset() > mine.read) --mine.unread;
            continue;
        }
        const bool wanted = !mine.last || (direct && !mine.direct);
        auto said = wanted ? message_of(message) : std::nullopt;
        if (!said) continue;
        if (direct && !mine.direct && said->from.id != user.id) mine.direct = said->from;
        if (!mine.last) mine.last = std::move(said);
    }
    return mine;
}

}  // namespace parley::core
