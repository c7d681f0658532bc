#include "core/pending_sends.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/audience.hpp"
#include "core/history_store.hpp"
#include "core/shard.hpp"
#include "protocol/json_codec.hpp"

namespace parley::core {
namespace {

// How soon a full ring is tried again: it is full while some shard stalls.
constexpr milliseconds retry_after{5};

}  // namespace

PendingSends::PendingSends(Audience& audience, HistoryStore& store, std::uint64_t last_offset)
    : audience_(&audience), store_(&store), last_offset_(last_offset), retry_(*this) {}

void PendingSends::RetryTimer::fire(Timer& timer) noexcept {
    static_cast<RetryTimer&>(timer).owner->publish_written();
}

bool PendingSends::joins(const std::string& user, const std::string& key,
                         const Later<AckAnswer>& later) {
    const auto found = std::ranges::find_if(
        sends_, [&](const Pending& pending) { return pending.key == key && pending.user == user; });
    if (found == sends_.end()) return false;
    found->waiting.push_back(later());
    return true;
}

void PendingSends::send(const User& user, protocol::Send&& send, Respond<AckAnswer> respond,
                        const Amends& amends) {
    Shard& shard = audience_->shard();
    const Room& room = *audience_->room();
    const WallTime now = shard.now().wall;
    Pending pending{shard.draw_ticket(), ++last_offset_, {}, {}, std::move(send.key), now,
                    format_rfc3339(now)};
    pending.waiting.push_back(std::move(respond));
    if (!pending.key.empty()) pending.user = user.who.name;
    protocol::append_message(pending.json, {room.name(),
                                            {room.epoch(), pending.offset},
                                            user.who,
                                            std::move(send.body),
                                            std::move(send.event),
                                            pending.at_text});
    Unsaved unsaved{Retained::make(pending.offset, pending.json), pending.user, pending.key, now};
    if (amends) {
        Amended amended = amends({room.epoch(), pending.offset}, pending.at_text);
        unsaved.amended = amended.messages;
        audience_->home()->amendments().add(pending.offset, std::move(amended));
    }
    store_->append(shard, room.name(), std::move(unsaved), pending.ticket);
    sends_.push_back(std::move(pending));
}

void PendingSends::stored(std::uint64_t ticket, bool written) {
    const auto unwritten =
        std::ranges::find_if(sends_, [](const Pending& pending) { return !pending.written; });
    // Of a send that was refused already, with one before it.
    if (unwritten == sends_.end() || unwritten->ticket != ticket) return;
    if (!written) return refuse_unwritten();
    unwritten->written = true;
    publish_written();
}

void PendingSends::publish_written() {
    Shard& shard = audience_->shard();
    Room& room = *audience_->room();
    while (!sends_.empty() && sends_.front().written) {
        Pending& first = sends_.front();
        const auto offset =
            room.publish(*audience_, PublicationKind::message, [&first](std::uint64_t given) {
                assert(given == first.offset);
                static_cast<void>(given);
                return std::move(first.json);
            });
        if (!offset) {
            shard.timers().arm(retry_, shard.now().mono + retry_after);
            return;
        }
        Pending done = std::move(first);
        sends_.pop_front();
        if (!done.key.empty()) {
            audience_->home()->remember(done.user, done.key, {done.offset, done.at});
        }
        for (auto& respond : done.waiting) {
            respond(protocol::Ack{room.name(), {room.epoch(), done.offset}, done.at_text});
        }
    }
    if (sends_.empty()) shard.consider_dropping(*audience_);
}

void PendingSends::refuse_unwritten() {
    // Nobody has heard them: their offsets are given again.
    const auto first =
        std::ranges::find_if(sends_, [](const Pending& pending) { return !pending.written; });
    last_offset_ = first->offset - 1;
    audience_->home()->amendments().drop_from(first->offset);
    std::vector<Pending> refused(std::make_move_iterator(first),
                                 std::make_move_iterator(sends_.end()));
    sends_.erase(first, sends_.end());
    Shard& shard = audience_->shard();
    for (Pending& pending : refused) {
        for (auto& respond : pending.waiting) {
            shard.metrics().add(Metric::history_refused);
            respond(store_unavailable("the message could not be stored"));
        }
    }
    if (sends_.empty()) shard.consider_dropping(*audience_);
}

}  // namespace parley::core
