// The half of Subscriber that joins rooms and hands over what is said in them.
#include <algorithm>

#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/room_access.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"
#include "core/trail.hpp"

namespace parley::core {

void Subscriber::join(protocol::Join&& join, const Listening& how) {
    const JoinedRooms rooms{find(join.room) != nullptr, subscriptions_.size()};
    Action judged = session_.on(protocol::Command(std::move(join)), rooms);
    if (auto* refusal = std::get_if<Refuse>(&judged)) return error({}, std::move(refusal->error));
    protocol::Join& asked = std::get<JoinRoom>(judged).join;
    this->join({{}, asked.room, {session_.user(), asked.since, asked.history, how}, {}, {}});
}

const std::string& Subscriber::room_name(const Subscription& subscription) noexcept {
    return subscription.audience->name();
}

// How far its user has read is told with the answer.
void Subscriber::join_with_mark(Joining&& joining) {
    ReadMarks& marks = shard_->hub().read_marks();
    const UserPtr user = session_.user();
    if (!marks.keeps_elsewhere(*user)) {
        joining.mark = marks.recall(*user, joining.room);
        return join(std::move(joining));
    }
    waiting_ = true;
    const std::string room = joining.room;
    auto found = [joining = std::move(joining),
                  weak = weak_from_this()](Recorded<std::optional<ReadMark>>&& mark) mutable {
        const auto self = weak.lock();
        if (!self || self->closing_) return;
        self->waiting_ = false;
        // Where it can't be read it joins without.
        if (mark) {
            joining.mark = std::move(*mark);
        } else {
            self->shard_->metrics().add(Metric::marks_unread);
        }
        self->join(std::move(joining));
        if (self->ready()) self->transport_->resume();
    };
    marks.look_up(*shard_, *user, room, std::move(found));
}

UserSessions& Subscriber::session_list() const noexcept {
    return takes_directs_ ? shard_->user_sessions() : shard_->listening_sessions();
}

void Subscriber::enter_list() {
    if (listed_) return;
    session_list().add(*this);
    listed_ = true;
}

void Subscriber::take_directs() {
    if (listed_) session_list().remove(*this);
    listed_ = false;
    takes_directs_ = true;
    enter_list();
}

void Subscriber::enter_direct(const std::string& room, const protocol::User& with, bool by_other) {
    // A token that is good for some rooms only is not good for what its bearer is told in private.
    if (closing_ || refuse_read(*session_.user(), room)) return;
    if (Subscription* const there = find(room)) {
        if (!by_other) there->unanswered = false;
        return;
    }
    // No home is asked in vain.
    if (directs_fill_rooms() && oldest_unanswered() == nullptr) {
        return shard_->metrics().add(Metric::direct_joins_refused);
    }
    constexpr std::uint32_t history = protocol::Join{}.history;
    join({{},
          room,
          {session_.user(), {}, history, {all_but_presence, true}},
          with,
          std::nullopt,
          by_other});
}

// Who is written to by many can still go where they want to, and is still told what friends say.
bool Subscriber::directs_fill_rooms() const noexcept {
    return subscriptions_.size() >= shard_->config().limits.rooms_per_session / 2;
}

const Subscription* Subscriber::oldest_unanswered() const noexcept {
    // In the order of joining.
    const auto oldest =
        std::ranges::find_if(subscriptions_, [](const auto& one) { return one->unanswered; });
    return oldest == subscriptions_.end() ? nullptr : oldest->get();
}

// False where every room is its user's own choice.
bool Subscriber::make_room_for_direct() {
    while (directs_fill_rooms()) {
        const Subscription* const oldest = oldest_unanswered();
        if (oldest == nullptr) return false;
        shard_->metrics().add(Metric::directs_given_way);
        leave({}, std::string(room_name(*oldest)));
    }
    return true;
}

std::optional<protocol::Cursor> Subscriber::cursor_in(std::string_view room) noexcept {
    Subscription* subscription = find(room);
    if (subscription == nullptr) return std::nullopt;
    Audience& audience = *subscription->audience;
    return protocol::Cursor{audience.room()->epoch(), audience.place_of(*subscription).offset};
}

void Subscriber::join(Joining&& joining) {
    const JoinRequest request = joining.request;
    const std::string room = joining.room;
    Shard& home = shard_->hub().home_of(room);
    if (&home == shard_ && home.is_open(room)) {
        return join_answered(joining, join_at_home(home, room, request));
    }
    if (!joining.with) waiting_ = true;
    // Where this is the home, nothing has to be kept for who joins: the room opens in the turn in
    // which it is joined.
    const bool away = &home != shard_;
    Audience* const audience = away ? &shard_->audience_of(room) : nullptr;
    if (away) audience->join_asked();
    const bool attach = away && !audience->room();
    const auto joined = [joining = std::move(joining), room, request, away,
                         weak = weak_from_this()](Shard& here, Answered<JoinAnswer>&& answer) {
        if (const auto self = weak.lock(); self && !self->closing_) {
            if (!joining.with) self->waiting_ = false;
            self->join_answered(joining, std::move(answer));
            if (!joining.with && self->ready()) self->transport_->resume();
        } else if (answer) {
            leave_at_home(here, room, request.user, request.how, false);
        }
        if (!away) return;
        Audience& listening = *here.find_audience(room);
        listening.join_answered();
        if (listening.size() == 0) here.consider_dropping(listening);
    };
    const auto ask = [room, request, away, attach, joined, back = shard_](
                         Shard& there, const OpenRefusal& refused) {
        auto answer = refused ? Answered<JoinAnswer>(*refused) : join_at_home(there, room, request);
        if (!away) return joined(there, std::move(answer));
        // Here, while the home stands where the answer says: that is where the shard begins.
        if (answer && attach && !answer->room->ring().attached(back->index())) {
            answer->room->ring().attach(back->index());
        }
        back->post([answer = std::move(answer), room, joined](Shard& shard) mutable {
            Audience& here = *shard.find_audience(room);
            if (answer && !here.room()) {
                here.adopt(answer->room, answer->sequence, answer->reply.cursor.offset);
            }
            joined(shard, std::move(answer));
        });
    };
    home.post([room, ask](Shard& there) { there.when_open(room, ask); });
}

void Subscriber::join_answered(const Joining& joining, Answered<JoinAnswer>&& answer) {
    const auto& [id, room, request, with, mark, by_other] = joining;
    if (!answer) {
        if (!with) error(id, protocol::Error(answer.error()));
        return;
    }
    // It may have been put into a room of two while it asked to join it, and be somebody else by the
    // time that it would be put into one.
    Subscription* const there = find(room);
    if (there != nullptr && !by_other) there->unanswered = false;
    if (there != nullptr || request.user->who.id != session_.user()->who.id) {
        leave_at_home(*shard_, room, request.user, request.how, true);
        if (!with) error(id, make_error(errc::conflict, "this room is joined already"));
        return;
    }
    // Others may have been joined since it asked.
    if (with && !make_room_for_direct()) {
        shard_->metrics().add(Metric::direct_joins_refused);
        return leave_at_home(*shard_, room, request.user, request.how, true);
    }
    answer->reply.direct = with;
    if (mark && mark->epoch == answer->reply.cursor.epoch) {
        answer->reply.read = std::min(mark->offset, answer->reply.cursor.offset);
    }
    // What they ever said there, as far as it is told, is an answer.
    const bool unanswered =
        by_other && std::ranges::none_of(answer->reply.history, [&](const RetainedPtr& message) {
            return protocol::is_said_by(message->json(), request.user->who.id);
        });
    finish_join(id, *shard_->find_audience(room), std::move(*answer), request.how);
    subscriptions_.back()->unanswered = unanswered;
}

void Subscriber::finish_join(const protocol::CommandId& id, Audience& audience, JoinAnswer&& answer,
                             const Listening& how) {
    const Place from{answer.sequence, answer.reply.cursor.offset};
    reply(id, std::move(answer.reply));
    enter_list();
    subscriptions_.push_back(std::make_unique<Subscription>(audience, *this, from, how));
    subscriptions_.back()->asks = answer.asks;
    review_direct();
}

void Subscriber::leave(const protocol::CommandId& id, std::string&& room) {
    const auto found = std::ranges::find_if(
        subscriptions_, [&room](const auto& s) { return s->audience->name() == room; });
    // What was said before it left is not to be lost for waiting.
    if ((*found)->audience->has_news(**found)) flush();
    (*found)->goodbye = true;
    subscriptions_.erase(found);
    review_direct();
    reply(id, protocol::Left{std::move(room)});
}

// A room may write to it past this object while there is nothing to ask here.
void Subscriber::review_direct() noexcept {
    const bool direct = subscriptions_.size() == 1 && !blocked_ && !closing_;
    for (const auto& subscription : subscriptions_) {
        subscription->audience->set_direct(*subscription, direct);
    }
}

void Subscriber::writer_changed() noexcept {
    for (const auto& subscription : subscriptions_) {
        subscription->audience->set_writer(*subscription, transport_->writer());
    }
}

void Subscriber::blocked() {
    shard_->metrics().add(Metric::writes_blocked);
    blocked_ = true;
    review_direct();
    mark_behind();
}

bool Subscriber::flush() {
    if (closing_) return false;
    if (blocked_) {
        mark_behind();
        return false;
    }
    FlushBatch& batch = shard_->batch();
    bool wrote = false;
    bool more = true;
    while (more) {
        batch.clear();
        for (const auto& subscription : subscriptions_) {
            if (subscription->audience->has_news(*subscription)) {
                subscription->audience->gather(*subscription, batch);
            }
        }
        if (closing_ || batch.empty()) break;
        const WriteResult result = transport_->write_some(batch.frames());
        wrote = true;
        more = batch.full() && !result.blocked;
        advance(batch, result.taken);
        if (result.blocked) blocked();
    }
    shard_->drop_retired();
    return wrote;
}

void Subscriber::advance(const FlushBatch& batch, std::size_t taken) {
    std::uint64_t deliveries = 0;
    std::uint64_t filtered = 0;
    for (std::size_t i = 0; i < taken; ++i) {
        const FlushBatch::Piece& piece = batch.pieces()[i];
        piece.subscription->audience->place_of(*piece.subscription) = piece.next;
        if (trail_) trail_->handed(piece.subscription->audience->name(), piece.next.offset);
        deliveries += piece.deliveries;
        filtered += piece.filtered;
    }
    ShardMetrics& metrics = shard_->metrics();
    if (taken > 0) {
        metrics.add(Metric::writes);
        metrics.record(Measure::write_batch, taken);
    }
    metrics.add(Metric::deliveries_written, deliveries);
    if (filtered > 0) metrics.add(Metric::deliveries_filtered, filtered);
}

std::uint64_t Subscriber::pending() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& subscription : subscriptions_) {
        Audience& audience = *subscription->audience;
        if (audience.has_news(*subscription)) {
            sum += audience.window().end() - audience.place_of(*subscription).cursor;
        }
    }
    return sum;
}

void Subscriber::mark_behind() {
    for (const auto& subscription : subscriptions_) {
        if (subscription->audience->has_news(*subscription)) {
            subscription->audience->mark_behind(*subscription);
        }
    }
}

void Subscriber::writable() {
    blocked_ = false;
    flush();
    if (blocked_ || closing_) return;
    review_direct();
    for (const auto& subscription : subscriptions_) {
        subscription->audience->unmark_behind(*subscription);
    }
}

}  // namespace parley::core
