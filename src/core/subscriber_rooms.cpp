// The half of Subscriber that joins rooms and hands over what is said in them.
#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"
#include "core/trail.hpp"

namespace parley::core {
void Subscriber::join(protocol::Join&& join, const Listening& how) {
    const JoinedRooms rooms{find(join.room) != nullptr, subscriptions_.size()};
    Action judged = session_.on(protocol::Command(std::move(join)), rooms);
    if (auto* refusal = std::get_if<Refuse>(&judged)) return error({}, std::move(refusal->error));
    this->join({}, std::move(std::get<JoinRoom>(judged).join), how);
}

std::optional<protocol::Cursor> Subscriber::cursor_in(std::string_view room) noexcept {
    Subscription* subscription = find(room);
    if (subscription == nullptr) return std::nullopt;
    Audience& audience = *subscription->audience;
    return protocol::Cursor{audience.room()->epoch(), audience.place_of(*subscription).offset};
}

void Subscriber::join(const protocol::CommandId& id, protocol::Join&& join, const Listening& how) {
    const JoinRequest request{session_.user(), join.since, join.history, how};
    const std::string& room = join.room;
    Shard& home = shard_->hub().home_of(room);
    if (&home == shard_ && home.is_open(room)) {
        auto answer = join_at_home(home, room, request);
        if (!answer) return error(id, protocol::Error(answer.error()));
        return finish_join(id, *shard_->find_audience(room), std::move(*answer), how);
    }
    waiting_ = true;
    // Where this is the home, nothing has to be kept for who joins: the room opens in the turn in
    // which it is joined.
    const bool away = &home != shard_;
    Audience* const audience = away ? &shard_->audience_of(room) : nullptr;
    if (away) audience->join_asked();
    const bool attach = away && !audience->room();
    const auto joined = [id, room, request, away, weak = weak_from_this()](
                            Shard& here, Answered<JoinAnswer>&& answer) {
        if (const auto self = weak.lock(); self && !self->closing_) {
            self->join_answered(id, room, std::move(answer), request.how);
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

void Subscriber::join_answered(const protocol::CommandId& id, const std::string& room,
                               Answered<JoinAnswer>&& answer, const Listening& how) {
    waiting_ = false;
    if (answer) {
        finish_join(id, *shard_->find_audience(room), std::move(*answer), how);
    } else {
        error(id, protocol::Error(answer.error()));
    }
    if (ready()) transport_->resume();
}

void Subscriber::finish_join(const protocol::CommandId& id, Audience& audience, JoinAnswer&& answer,
                             const Listening& how) {
    const Place from{answer.sequence, answer.reply.cursor.offset};
    reply(id, std::move(answer.reply));
    subscriptions_.push_back(std::make_unique<Subscription>(audience, *this, from, how));
    review_direct();
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
