#include "core/room_home.hpp"

#include <algorithm>

#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"
#include "protocol/direct_room.hpp"
#include "protocol/json_codec.hpp"

namespace parley::core {
namespace {

using PresenceAction = protocol::PresencePush::Action;

constexpr milliseconds count_interval{1000};
constexpr milliseconds retry_when_full{100};

protocol::Error ring_is_full(Audience& audience) {
    audience.shard().metrics().add(Metric::publish_refused);
    return make_error(errc::unavailable, "the room takes in more than can be sent on",
                      retry_when_full);
}

// One token of what the room takes; the error where there is none. In a dry run that is counted.
std::optional<protocol::Error> admit_to_room(Audience& audience) {
    Shard& shard = audience.shard();
    const LimitsConfig& limits = shard.config().limits;
    if (!limits.enabled) return std::nullopt;
    SharedTokenBucket& bucket = audience.room()->bucket();
    const auto now = shard.now().mono;
    const auto wait = bucket.wait(limits.room, now);
    if (wait == Duration::zero()) {
        bucket.take(limits.room, now);
        return std::nullopt;
    }
    shard.metrics().add(Metric::room_rate_limited);
    if (limits.dry_run) return std::nullopt;
    return make_error(errc::rate_limited, "more is said in this room than it takes",
                      std::chrono::ceil<milliseconds>(wait));
}

}  // namespace

std::optional<protocol::Error> admit_message(Audience& audience) {
    Shard& shard = audience.shard();
    const HistoryStore* store = shard.hub().store();
    if (store != nullptr && !store->accepting()) {
        shard.metrics().add(Metric::history_refused);
        return store_unavailable("messages can't be stored at the moment");
    }
    return admit_to_room(audience);
}

RoomHome::RoomHome(Shard& shard, Audience& audience, const StoredRoom& stored, RoomRecord&& record)
    : shard_(&shard), audience_(&audience), idle_since_(shard.now().mono), timer_(*this) {
    shard.metrics().add(Metric::rooms_created);
    history_.start_at(stored.last_offset - stored.newest.size());
    for (const RetainedPtr& message : stored.newest) {
        history_.append(message, shard.config().history);
    }
    for (const StoredKey& key : stored.keys) remember(key.user, key.key, {key.offset, key.at});
    const Hub& hub = shard.hub();
    if (hub.stores_first()) {
        pending_ = std::make_unique<PendingSends>(audience, *hub.store(), stored.last_offset);
    }
    const bool open = kind_of(hub.config().rooms, audience.name()) == RoomKind::open;
    if (!protocol::is_direct_room(audience.name()) && (!open || !record.empty())) {
        acts_ = std::make_unique<RoomActs>(shard, audience, std::move(record));
    }
    arm_timer();
}

RoomHome::~RoomHome() {
    shard_->metrics().add(Metric::rooms_dropped);
}

void RoomHome::HomeTimer::fire(Timer& timer) noexcept {
    static_cast<HomeTimer&>(timer).owner->on_timer();
}

JoinAnswer RoomHome::join(const JoinRequest& request) {
    used_ = true;
    if (acts_ && request.how.member) acts_->note_coming(*request.user);
    const bool watches = request.how.kinds.has(PublicationKind::presence);
    if (!request.how.member) {
        ++hearers_;
    } else if (presence_.join(request.user) == Presence::Change::joined) {
        announce(PresenceAction::join, request.user);
    }
    if (watches) ++watchers_;
    // Everything published before this answer is in it or in the history, nothing twice.
    audience_->drain();
    JoinAnswer answer;
    answer.room = audience_->room();
    answer.sequence = audience_->window().end();
    JoinedReply& reply = answer.reply;
    reply.room = audience_->name();
    reply.cursor = {answer.room->epoch(), history_.last_offset()};
    reply.recovered = can_follow(request.since);
    reply.history = reply.recovered
                        ? history_.after(request.since->offset, history_.size()).messages
                        : history_.last(request.history).messages;
    reply.count = presence_.count();
    const auto roster_max = shard_->config().presence.roster_max;
    if (watches && reply.count <= roster_max) reply.members = presence_.list(roster_max);
    if (acts_) {
        reply.topic = acts_->roles().topic();
        answer.asks = !acts_->roles().may(*request.user, Act::send);
    }
    return answer;
}

void RoomHome::leave(const UserPtr& user, const Listening& how, bool goodbye) {
    if (how.kinds.has(PublicationKind::presence)) --watchers_;
    if (!how.member) {
        --hearers_;
        if (deserted()) idle_since_ = shard_->now().mono;
    } else if (goodbye) {
        if (presence_.leave(user) == Presence::Change::left) left(user);
    } else {
        presence_.linger(user, shard_->now().mono + shard_->config().presence.grace);
    }
    if (deserted()) shard_->consider_dropping(*audience_);
    arm_timer();
}

void RoomHome::rename(const UserPtr& before, const UserPtr& after) {
    // First the one who comes: the room is not deserted in between. Announced when both are done: in
    // between there may be one too many for a roster.
    const bool came = presence_.join(after) == Presence::Change::joined;
    const bool went = presence_.leave(before) == Presence::Change::left;
    if (came) announce(PresenceAction::join, after);
    if (went) left(before);
}

protocol::Visit RoomHome::visit(const UserPtr& user) {
    used_ = true;
    if (acts_) acts_->note_coming(*user);
    const auto ttl = shard_->config().presence.poll_ttl;
    if (presence_.visit(user, shard_->now().mono + ttl) == Presence::Change::joined) {
        announce(PresenceAction::join, user);
    }
    arm_timer();
    audience_->drain();
    return {audience_->name(),
            user->who,
            {audience_->room()->epoch(), history_.last_offset()},
            presence_.count(),
            static_cast<std::uint64_t>(ttl.count())};
}

void RoomHome::end_visit(const UserPtr& user) {
    if (presence_.end_visit(user) == Presence::Change::left) left(user);
    if (presence_.count() == 0) shard_->consider_dropping(*audience_);
    arm_timer();
}

bool RoomHome::can_follow(const std::optional<protocol::Cursor>& since) const noexcept {
    return since && since->epoch == audience_->room()->epoch() &&
           history_.reaches_back_to(since->offset);
}

void RoomHome::left(const UserPtr& user) {
    announce(PresenceAction::leave, user);
    if (deserted()) idle_since_ = shard_->now().mono;
}

void RoomHome::on_timer() {
    const auto now = shard_->now().mono;
    bool gone = false;
    while (const auto user = presence_.expire(now, gone)) {
        if (gone) left(*user);
    }
    if (count_due_ && last_count_at_ + count_interval <= now) {
        publish_presence(PresenceAction::count, nullptr);
    }
    if (deserted()) shard_->consider_dropping(*audience_);
    arm_timer();
}

void RoomHome::arm_timer() {
    std::optional<TimePoint> due = presence_.next_expiry();
    const auto at_latest = [&due](TimePoint at) { due = due ? std::min(*due, at) : at; };
    // Where that is past and it stays for who is what, the last act lets it go, and no timer.
    const bool stays = acts_ && !acts_->droppable();
    const auto at_the_end = [&](TimePoint at) {
        if (!stays || at > shard_->now().mono) at_latest(at);
    };
    if (count_due_) at_latest(last_count_at_ + count_interval);
    if (deserted() && !history_.empty()) {
        at_the_end(idle_since_ + idle_ttl());
    }
    if (deserted() && holds_roles()) at_the_end(idle_since_ + shard_->config().history.idle_ttl);
    if (due) {
        shard_->timers().arm(timer_, *due);
    } else {
        timer_.cancel();
    }
}

void RoomHome::announce(PresenceAction action, const UserPtr& user) {
    if (watchers_ == 0) return;
    if (presence_.count() <= shard_->config().presence.roster_max) {
        publish_presence(action, user.get());
    } else if (!count_due_ && last_count_at_ + count_interval <= shard_->now().mono) {
        publish_presence(PresenceAction::count, nullptr);
    } else {
        count_due_ = true;
    }
    if (count_due_) arm_timer();
}

void RoomHome::publish_presence(PresenceAction action, const User* user) {
    protocol::PresencePush push{audience_->name(), action, std::nullopt, presence_.count()};
    if (user) push.user = user->who;
    // A full ring costs this push, not the count: it is said again within a second.
    count_due_ =
        publish_transient(*audience_, PublicationKind::presence, std::move(push)).has_value();
    last_count_at_ = shard_->now().mono;
}

protocol::ListedRoom RoomHome::summary() const {
    audience_->drain();
    return {audience_->name(), presence_.count(), history_.last_offset()};
}

protocol::MemberList RoomHome::members() const {
    return {audience_->name(), presence_.list(shard_->config().presence.roster_max),
            presence_.count()};
}

void RoomHome::keep(const PublicationPtr& message) {
    used_ = true;
    const RetainedPtr kept = Retained::copy_of(*message);
    history_.append(kept, shard_->config().history);
    std::vector<RetainedPtr> amended;
    if (amendments_) amended = carry_out_amendments(message->offset());
    // Where it is stored first, it was.
    if (HistoryStore* store = shard_->hub().store(); store != nullptr && !pending_) {
        store->append(*shard_, audience_->name(),
                      {kept, {}, {}, shard_->now().wall, std::move(amended)}, 0);
    }
    if (!deserted()) return;
    // Said by somebody who left before it was taken in, or who never joined.
    idle_since_ = shard_->now().mono;
    if (history_.empty()) shard_->consider_dropping(*audience_);
    arm_timer();
}

Duration RoomHome::idle_ttl() const noexcept {
    // What was only looked at can be read again: who looks at many rooms is not to fill the memory.
    constexpr milliseconds unused{10'000};
    const Duration ttl = shard_->config().history.idle_ttl;
    return used_ || shard_->hub().store() == nullptr ? ttl : std::min<Duration>(ttl, unused);
}

bool RoomHome::others_attached() const noexcept {
    const auto& ring = audience_->room()->ring();
    for (std::uint32_t i = 0; i < ring.shards(); ++i) {
        if (i != ring.home() && ring.attached(i)) return true;
    }
    return false;
}

bool RoomHome::droppable() const noexcept {
    if (!deserted() || pending() || others_attached()) return false;
    if (acts_ && !acts_->droppable()) return false;
    if (holds_roles()) {
        return idle_since_ + shard_->config().history.idle_ttl <= shard_->now().mono;
    }
    return history_.empty() || idle_since_ + idle_ttl() <= shard_->now().mono;
}

AckAnswer publish_message(Audience& audience, const User& user, protocol::Send&& send) {
    if (auto refused = admit_message(audience)) return std::move(*refused);
    Room& room = *audience.room();
    protocol::Message message{
        room.name(),          {room.epoch(), 0},     user.who,
        std::move(send.body), std::move(send.event), audience.shard().now_text()};
    const auto offset =
        room.publish(audience, PublicationKind::message, [&message](std::uint64_t at) {
            message.cursor.offset = at;
            std::string json;
            protocol::append_message(json, message);
            return json;
        });
    if (!offset) return ring_is_full(audience);
    return protocol::Ack{room.name(), message.cursor, std::move(message.at)};
}

std::optional<protocol::Error> publish_transient(Audience& audience, PublicationKind kind,
                                                 protocol::ServerMessage&& push) {
    // Presence and roles are the home's own words, and bounded by it.
    if (kind != PublicationKind::presence && kind != PublicationKind::role) {
        if (auto refused = admit_to_room(audience)) return refused;
    }
    const protocol::ServerFrame frame{{}, std::move(push)};
    const auto offset = audience.room()->publish(audience, kind, [&frame](std::uint64_t) {
        std::string json;
        protocol::append_server_frame(json, frame);
        return json;
    });
    if (!offset) return ring_is_full(audience);
    return std::nullopt;
}

}  // namespace parley::core
