// The half of Subscriber that joins rooms and hands over what is said in them.
#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"

namespace parley::core {
void Subscriber::join(const protocol::CommandId& id, protocol::Join&& join) {
    const JoinRequest request{session_.user(), join.since, join.history, join.presence};
    const std::string& room = join.room;
    Shard& home = shard_->hub().home_of(room);
    if (&home == shard_) {
        auto answer = join_at_home(home, room, request);
        if (!answer) return error(id, protocol::Error(answer.error()));
        return finish_join(id, *shard_->find_audience(room), std::move(*answer), join.presence);
    }
    Audience& audience = shard_->audience_of(room);
    audience.join_asked();
    waiting_ = true;
    const bool attach = !audience.room();
    home.post([room, request, attach, id, weak = weak_from_this(), back = shard_](Shard& there) {
        auto answer = join_at_home(there, room, request);
        // Here, while the home stands where the answer says: that is where the shard begins.
        if (answer && attach && !answer->room->ring().attached(back->index())) {
            answer->room->ring().attach(back->index());
        }
        back->post([answer = std::move(answer), room, request, id, weak](Shard& shard) mutable {
            Audience& here = *shard.find_audience(room);
            if (answer && !here.room()) {
                here.adopt(answer->room, answer->sequence, answer->reply.cursor.offset);
            }
            const auto self = weak.lock();
            if (self && !self->closing_) {
                self->waiting_ = false;
                if (answer) {
                    self->finish_join(id, here, std::move(*answer), request.presence);
                } else {
                    self->error(id, protocol::Error(answer.error()));
                }
                if (self->ready()) self->transport_->resume();
            } else if (answer) {
                leave_at_home(shard, room, request.user, request.presence, false);
            }
            here.join_answered();
            if (here.size() == 0) shard.consider_dropping(here);
        });
    });
}

void Subscriber::finish_join(const protocol::CommandId& id, Audience& audience, JoinAnswer&& answer,
                             bool presence) {
    const auto offset = answer.reply.cursor.offset;
    reply(id, std::move(answer.reply));
    subscriptions_.push_back(
        std::make_unique<Subscription>(audience, *this, answer.sequence, offset, presence));
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
            if (subscription->cursor < subscription->audience->window().end()) {
                subscription->audience->gather(*subscription, batch);
            }
        }
        if (closing_ || batch.empty()) break;
        const WriteResult result = transport_->write_some(batch.frames());
        wrote = true;
        more = batch.full() && !result.blocked;
        advance(batch, result.taken);
        if (result.blocked) {
            shard_->metrics().add(Metric::writes_blocked);
            blocked_ = true;
            mark_behind();
        }
    }
    shard_->retired_frames().clear();
    return wrote;
}

void Subscriber::advance(const FlushBatch& batch, std::size_t taken) {
    std::uint64_t deliveries = 0;
    std::uint64_t filtered = 0;
    for (std::size_t i = 0; i < taken; ++i) {
        const FlushBatch::Piece& piece = batch.pieces()[i];
        piece.subscription->cursor = piece.next_cursor;
        piece.subscription->offset = piece.next_offset;
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
        const auto end = subscription->audience->window().end();
        if (subscription->cursor < end) sum += end - subscription->cursor;
    }
    return sum;
}

void Subscriber::mark_behind() {
    for (const auto& subscription : subscriptions_) {
        if (subscription->cursor < subscription->audience->window().end()) {
            subscription->audience->mark_behind(*subscription);
        }
    }
}

void Subscriber::writable() {
    blocked_ = false;
    flush();
    if (blocked_ || closing_) return;
    for (const auto& subscription : subscriptions_) {
        subscription->audience->unmark_behind(*subscription);
    }
}

}  // namespace parley::core
