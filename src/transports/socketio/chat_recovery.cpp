// Connection state recovery: a socket that comes back with its pid and the last offset that it got
// goes on as if it had never been away, or is told honestly that it begins afresh.
#include <algorithm>
#include <utility>

#include "core/hub.hpp"
#include "core/question.hpp"
#include "core/shard.hpp"
#include "protocol/json_codec.hpp"
#include "transports/secret_id.hpp"
#include "transports/socketio/chat_restoring.hpp"
#include "transports/socketio/chat_socket.hpp"

namespace parley::transports {
namespace {

// Of messages that a session missed, as they are kept. Said, they are two to three times as long, and
// EngineConfig::waiting_bytes is what may wait for a poll.
constexpr std::size_t missed_bytes_max = 512 * 1024;

// When a message was said: the end of its push (`"at":"2026-01-31T23:59:59.999Z"}`).
std::string_view said_at(const core::Retained& message) noexcept {
    constexpr std::size_t chars = sizeof R"(2026-01-31T23:59:59.999Z"})" - 1;
    const auto json = message.json();
    return json.size() < chars ? std::string_view() : json.substr(json.size() - chars);
}

// A room that retains a message lives at least so long, deserted or not.
bool rooms_outlive(const ChatContext& context) {
    const core::HistoryConfig& history = context.shard.config().history;
    constexpr std::size_t escaped = 6;  // "\\u0000" for a byte
    const bool retains = history.messages > 0 &&
                         history.bytes > escaped * context.shard.config().limits.message_bytes;
    return retains && history.idle_ttl >= context.config.recovery_window;
}

// Whether the answer holds all that followed the stand.
bool can_follow(core::RoomStand& stand, const core::JoinedReply& joined,
                const ChatContext& context) {
    if (!stand.offset || joined.recovered) return true;
    // Where nothing had been said the room goes when nobody is there. What is in the one that was
    // made since, if there is all of it, is what followed: in the first one nothing can have been
    // said, or it would be there still.
    const bool whole = joined.history.size() == joined.cursor.offset;
    if (*stand.offset != 0 || joined.cursor.epoch == stand.epoch || !whole) return false;
    if (!rooms_outlive(context)) return false;
    stand.epoch = joined.cursor.epoch;
    return true;
}

}  // namespace

std::string new_id(std::uint32_t shard) {
    const SecretId id = make_secret_id(shard);
    return {id.begin(), id.end()};
}

std::vector<std::string_view> texts_of(const std::vector<core::RetainedPtr>& messages) {
    std::vector<std::string_view> texts;
    texts.reserve(messages.size());
    for (const auto& message : messages) texts.push_back(message->json());
    return texts;
}

// ---- keeping ---------------------------------------------------------------------------------

void ChatSocket::note_single_room() {
    const auto known = room_known(rooms_.front());
    if (const auto at = subscriber_->cursor_in(known)) trail_.handed(known, at->offset);
}

// The flush tells of each publication where there are several rooms; where there is one its cursor
// says all.
void ChatSocket::follow_trail() {
    if (recoverable()) subscriber_->follow(rooms_.size() > 1 ? &trail_ : nullptr);
}

core::LostSession ChatSocket::state() {
    if (restoring_) return std::move(restoring_->state);
    if (rooms_.size() == 1) note_single_room();
    return {space_->name(), sid_, subscriber_->session().user(), std::move(trail_), rooms_};
}

// Here, where it lived: whoever comes back asks all shards.
void ChatSocket::keep(core::LostSession&& state) {
    const auto& pid = restoring_ ? restoring_->pid : pid_;
    core::Shard& here = context_->shard;
    here.lost_sessions().let_go(pid, *this);
    const auto& config = context_->config;
    here.lost_sessions().keep(pid, std::move(state),
                              {here.now().mono + config.recovery_window, config.recovery_max});
}

core::LostSession ChatSocket::surrender() {
    surrendered_ = true;
    core::LostSession given = state();
    subscriber_->follow(nullptr);
    subscriber_->close(core::close_reasons::vanished);
    return given;
}

// ---- coming back -----------------------------------------------------------------------------

void ChatSocket::recover() {
    restoring_ = std::make_unique<Restoring>();
    restoring_->pid = *opening_->pid;
    core::Shard& here = context_->shard;
    if (!shard_of_secret_id(restoring_->pid)) return begin_afresh();
    if (auto state = here.lost_sessions().take(restoring_->pid)) {
        return recover_from(std::move(state));
    }
    restoring_->asking = true;
    restoring_->alive = std::make_shared<ChatSocket*>(this);
    const auto take = [pid = restoring_->pid](core::Shard& shard,
                                              std::optional<core::LostSession>& state) {
        if (!state) state = shard.lost_sessions().take(pid);
    };
    core::ask_every_shard(
        here, here, std::optional<core::LostSession>(), take,
        [weak = std::weak_ptr(restoring_->alive), pid = restoring_->pid,
         window = context_->config.recovery_window, most = context_->config.recovery_max,
         &here](std::optional<core::LostSession>&& state) {
            if (const auto self = weak.lock()) return (*self)->recover_from(std::move(state));
            // Whoever asked is gone again: it is good for the next time.
            if (!state) return;
            here.lost_sessions().keep(pid, std::move(*state), {here.now().mono + window, most});
        });
}

// Who was signed in shows a token of the same user's again; what one was refused is not to be had by
// coming back.
bool ChatSocket::is_theirs(const core::LostSession& state) const noexcept {
    if (!core::is_signed_in(*state.user)) {
        const auto taken = context_->shard.hub().refuse_anonymous(state.user->who.name);
        return !opening_->user && !taken;
    }
    return opening_->user && opening_->user->who.id == state.user->who.id;
}

void ChatSocket::recover_from(std::optional<core::LostSession>&& state) {
    restoring_->asking = false;
    if (!state) return begin_afresh();
    if (state->scope != space_->name() || !is_theirs(*state)) {
        // Asked for in another namespace, or by somebody else: it stays what it is good for.
        const auto& config = context_->config;
        context_->shard.lost_sessions().keep(
            restoring_->pid, std::move(*state),
            {context_->shard.now().mono + config.recovery_window, config.recovery_max});
        return begin_afresh();
    }
    restoring_->state = std::move(*state);
    if (opening_->offset) {
        const auto offset = protocol::parse_recovery_offset(*opening_->offset);
        if (!offset) return begin_afresh();
        restoring_->last = core::StreamPlace{offset->cursor, offset->join, offset->events};
    }
    const auto& last = restoring_->last;
    auto stands = restoring_->state.trail.stands_at(last);
    if (!stands) return begin_afresh();
    for (core::RoomStand& stand : *stands) {
        // Some of its last message's events: the others are said again from that message on.
        const bool partly = last && last->events != 0 && stand.epoch == last->cursor.epoch &&
                            stand.offset == last->cursor.offset;
        if (partly) --*stand.offset;
    }
    restoring_->stands = std::move(*stands);
    core::PeerIdentity who;
    who.address = opening_->address;
    // By the token of today, which may be good for longer, where there is one.
    who.user = opening_->user ? opening_->user : restoring_->state.user;
    subscriber_ = core::Subscriber::open(context_->shard, *this, who);
    restore_rooms();
}

// Joins one room after the other; what another shard has to answer goes on by resume().
void ChatSocket::restore_rooms() {
    while (subscriber_->ready()) {
        Restoring& now = *restoring_;
        const std::size_t done = now.joined.size();
        const bool follows =
            done == 0 || can_follow(now.stands[done - 1], now.joined.back(), *context_);
        if (now.failed || !follows) return begin_afresh();
        if (done == now.stands.size()) {
            return now.missed_bytes() > missed_bytes_max ? begin_afresh() : restored();
        }
        const core::RoomStand& stand = now.stands[done];
        protocol::Join join;
        join.room = stand.room;
        join.presence = true;
        join.history = protocol::history_messages_max;
        if (stand.offset) join.since = protocol::Cursor{stand.epoch, *stand.offset};
        if (!stand.offset) join.history = protocol::Join{}.history;
        subscriber_->handle({{}, std::move(join)});
    }
}

void ChatSocket::begin_afresh() {
    context_->shard.metrics().add(core::Metric::recoveries_refused);
    if (subscriber_) subscriber_->closed(core::close_reasons::vanished);
    subscriber_.reset();
    restoring_.reset();
    begin();
}

void ChatSocket::restored() {
    const std::unique_ptr<Restoring> now = std::move(restoring_);
    context_->shard.metrics().add(core::Metric::lost_sessions_recovered);
    sid_ = std::move(now->state.session);
    pid_ = std::move(now->pid);
    trail_ = core::Trail(now->state.trail, now->last, now->stands);
    rooms_ = std::move(now->state.rooms);
    opening_.reset();
    accept();
    say_missed(*now);
    follow_trail();
    subscriber_->writable();
}

// In the order of saying, as far as the rooms' clocks tell; in each room in its own order.
void ChatSocket::say_missed(const Restoring& back) {
    std::vector<std::size_t> next(back.joined.size(), 0);
    for (std::size_t i = 0; i < back.joined.size(); ++i) {
        if (back.stands[i].offset) continue;
        tell_joined({}, back.joined[i]);
        next[i] = back.joined[i].history.size();
    }
    for (;;) {
        std::optional<std::size_t> first;
        const auto head = [&](std::size_t room) -> const core::Retained& {
            return *back.joined[room].history[next[room]];
        };
        for (std::size_t i = 0; i < next.size(); ++i) {
            if (next[i] == back.joined[i].history.size()) continue;
            if (!first || said_at(head(i)) < said_at(head(*first))) first = i;
        }
        if (!first) return;
        say_missed_message(back, back.joined[*first], head(*first));
        ++next[*first];
    }
}

void ChatSocket::say_missed_message(const Restoring& back, const core::JoinedReply& room,
                                    const core::Retained& message) {
    const bool partly = back.last && back.last->cursor.offset == message.offset() &&
                        back.last->cursor.epoch == room.cursor.epoch;
    std::vector<protocol::ChatEvent> events;
    protocol::append_push_events(events, voice(), message.json(), partly ? back.last->events : 0);
    for (const auto& event : events) emit(event);
    trail_.handed(room.room, message.offset());
}

}  // namespace parley::transports
