#include "core/audience.hpp"

#include <algorithm>
#include <utility>

#include "core/history_store.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"

namespace parley::core {
namespace {

// How many writes ahead of its own a subscriber's memory is asked for. Two were enough while a system
// call lay between two writes; where they are gathered, nothing does.
constexpr std::size_t prefetch_ahead = 5;
// Lines of a FrameWriter from its beginning that a write looks at.
constexpr std::size_t writer_lines = 3;

}  // namespace

Audience::Audience(Shard& shard, std::string name)
    : HeldFlush(shard.hold_line_of(name)),
      shard_(&shard),
      name_(std::move(name)),
      on_lag_(lag_policy_of(shard.config().rooms, name_)) {
    shard.metrics().add(Metric::audiences_created);
}

Audience::~Audience() {
    if (room_ && !home_) room_->ring().detach(shard_->index());
    shard_->metrics().move(Level::window_bytes, noted_bytes_, 0);
    shard_->metrics().add(Metric::audiences_dropped);
}

void Audience::adopt(RoomPtr room, std::uint64_t sequence, std::uint64_t offset) {
    room_ = std::move(room);
    window_.start_at(sequence, offset);
    flushed_to_ = sequence;
    shard_->queue_drain(*this);
}

void Audience::become_home(RoomPtr room, const StoredRoom& stored, RoomRecord&& record) {
    // A ring counts its entries from the last offset on.
    adopt(std::move(room), stored.last_offset, stored.last_offset);
    home_ = std::make_unique<RoomHome>(*shard_, *this, stored, std::move(record));
}

void Audience::take(PublicationPtr publication) {
    if (home_ && publication->offset() != 0) home_->keep(publication);
    if (listeners_.empty() && joins_under_way_ == 0 && window_.size() == 0) {
        window_.skip(*publication);
        flushed_to_ = window_.end();
        return;
    }
    const auto sequence = window_.end();
    unflushed_bytes_ += publication->cost();
    window_.push(std::move(publication));
    const std::size_t due = due_at(sequence);
    shard_->metrics().add(Metric::deliveries_due, due);
    shard_->metrics().record(Measure::fan_out, due);
}

std::size_t Audience::due_at(std::uint64_t sequence) const noexcept {
    if (sequence >= ahead_max_) return listeners_.size();
    // Somebody joined where the home was further than this shard: they are not due what came before.
    std::size_t due = 0;
    listeners_.each([&due, sequence](const Listener& l) { due += l.place.cursor <= sequence; });
    return due;
}

void Audience::drain() {
    if (!room_) return;
    constexpr std::size_t batch = 256;
    while (room_->ring().drain(shard_->index(), batch, [this](PublicationPtr publication) {
        take(std::move(publication));
    }) == batch) {
    }
    if (window_.enforce(shard_->config().window)) catch_lagging();
    note_window();
}

void Audience::note_window() noexcept {
    shard_->metrics().move(Level::window_bytes, noted_bytes_, window_.bytes());
    noted_bytes_ = window_.bytes();
}

std::uint32_t Audience::next_pass_born() const noexcept {
    const std::uint64_t oldest = std::max(flushed_to_, window_.base());
    return oldest < window_.end() ? window_.at(oldest).born() : stamp_of(shard_->now().mono);
}

bool Audience::may_hold() const noexcept {
    const WindowConfig& window = shard_->config().window;
    constexpr std::size_t share = limits::held_window_share;
    return !listeners_.empty() && unflushed_bytes_ < limits::held_bytes_max &&
           unflushed_bytes_ < window.bytes / share &&
           window_.end() - flushed_to_ < window.messages / share;
}

void Audience::begin_pass() noexcept {
    pass_ = listeners_.size();
    pass_born_ = next_pass_born();
    flushed_to_ = window_.end();
    unflushed_bytes_ = 0;
    const std::uint32_t now = stamp_of(shard_->now().mono);
    shard_->pass_began(pass_, now - std::exchange(pass_began_, now));
}

KindSet Audience::kinds_due() const noexcept {
    // Of several, nobody looks which: somebody is due one of them.
    return window_.size() == 1 ? KindSet{window_.at(window_.base()).kind()} : all_kinds;
}

std::size_t Audience::flush(std::size_t writes) {
    if (pass_ == no_pass) {
        if (done()) return writes;
        begin_pass();
        for (std::size_t i = 0; i < std::min(pass_, prefetch_ahead); ++i) {
            prefetch(pass_ - 1 - i, kinds_due());
        }
    }
    const KindSet due = kinds_due();
    NewestFrames frames{};
    // A visit without a write costs little, but not nothing: it is bounded too.
    std::size_t visits = 16 * writes;
    while (writes > 0 && visits > 0) {
        pass_ = std::min(pass_, listeners_.size());
        if (pass_ == 0) {
            end_pass();
            break;
        }
        --pass_;
        --visits;
        if (pass_ >= prefetch_ahead) prefetch(pass_ - prefetch_ahead, due);
        if (hand(listeners_[pass_], frames)) --writes;
    }
    shard_->metrics().record(Measure::write_batch, 1, std::exchange(direct_writes_, 0));
    shard_->metrics().add(Metric::deliveries_filtered, std::exchange(passed_over_, 0));
    return visits > 0 ? writes : 0;
}

inline void Audience::prefetch(std::size_t pass, KindSet due) const noexcept {
    const Listener& listener = listeners_[pass];
    if (listener.direct && !listener.kinds.meets(due)) return;
    core::prefetch<writer_lines>(listener.writer);
    if (!listener.direct) core::prefetch<1>(listener.subscription);
}

// Hands one subscriber what is new. True when something was written.
bool Audience::hand(Listener& listener, NewestFrames& frames) {
    const auto cursor = listener.place.cursor;
    if (cursor >= window_.end()) return false;
    if (listener.direct && cursor + 1 == window_.end() && window_.size() > 0) {
        const Publication& newest = window_.at(cursor);
        if (listener.kinds.has(newest.kind())) return hand_newest(listener, frames);
        // Nothing but one that was not asked for, as a count of who is present is for nearly
        // everybody in a large room: passed over without a look at anything else.
        ++listener.place.cursor;
        if (newest.offset() != 0) listener.place.offset = newest.offset();
        ++passed_over_;
        return false;
    }
    return listener.subscription->subscriber->flush();
}

// The usual delivery: one new publication to one who listens to nothing else. It says what
// Subscriber::flush() would, and touches two lines of memory instead of nine.
bool Audience::hand_newest(Listener& listener, NewestFrames& frames) {
    const Publication& newest = window_.at(listener.place.cursor);
    const Frame*& frame = frames[listener.format_slot];
    if (frame == nullptr) {
        const Subscriber& subscriber = *listener.subscription->subscriber;
        frame = &newest.frame(*subscriber.transport().traits().format);
    }
    const WriteResult result = listener.writer->write_some({&frame, 1});
    if (result.taken > 0) {
        ++listener.place.cursor;
        if (newest.offset() != 0) listener.place.offset = newest.offset();
        shard_->metrics().add(Metric::writes);
        shard_->metrics().add(Metric::deliveries_written);
        ++direct_writes_;
    }
    if (result.blocked) listener.subscription->subscriber->blocked();
    return true;
}

void Audience::end_pass() noexcept {
    pass_ = no_pass;
    shard_->pass_ended(pass_born_);
    rest();
}

void Audience::rest() noexcept {
    if (pass_ != no_pass || shard_->rest_after_slice(*this)) return;
    if (runs_) runs_->clear();
    trim();
}

void Audience::join_answered() noexcept {
    --joins_under_way_;
    rest();
}

void Audience::trim() noexcept {
    if (joins_under_way_ > 0) return;
    // Everybody was handed everything up to where the pass began, but those who are behind.
    auto needed = flushed_to_;
    for (const Subscription* subscription : behind_) {
        needed = std::min(needed, place_of(*subscription).cursor);
    }
    behind_min_ = needed;
    window_.trim_to(needed);
    note_window();
}

void Audience::gather(Subscription& subscription, FlushBatch& batch) {
    Place& place = place_of(subscription);
    if (place.cursor < window_.base() && !catch_up(subscription)) return;
    const WireFormat& format = *subscription.subscriber->transport().traits().format;
    auto [at, offset] = place;
    std::uint32_t filtered = 0;
    while (at < window_.end() && !batch.full()) {
        if (window_.end() - at >= limits::run_frames_min) {
            if (!runs_) runs_ = std::make_unique<RunCache>();
            const Run& run =
                runs_->run_from(window_, at, format, subscription.kinds, shard_->retired_frames());
            at = run.to;
            if (run.offset != 0) offset = run.offset;
            filtered += run.filtered;
            if (!run.frame) continue;
            batch.add(*run.frame, {&subscription, {at, offset}, run.deliveries, filtered});
        } else {
            const Publication& publication = window_.at(at++);
            if (!subscription.kinds.has(publication.kind())) {
                ++filtered;
                continue;
            }
            if (publication.offset() != 0) offset = publication.offset();
            batch.add(publication.frame(format), {&subscription, {at, offset}, 1, filtered});
        }
        filtered = 0;
    }
    if (filtered == 0 || batch.extend_last(subscription, {at, offset}, filtered)) return;
    // Nothing but filtered ones: they are passed over here, there is no frame to carry them.
    place.cursor = at;
    shard_->metrics().add(Metric::deliveries_filtered, filtered);
}

void Audience::mark_behind(Subscription& subscription) {
    Listener& listener = listeners_[subscription.index];
    if (listener.behind_index != Subscription::nowhere) return;
    listener.behind_index = static_cast<std::uint32_t>(behind_.size());
    const auto cursor = listener.place.cursor;
    behind_min_ = behind_.empty() ? cursor : std::min(behind_min_, cursor);
    behind_.push_back(&subscription);
}

void Audience::unmark_behind(Subscription& subscription) noexcept {
    const auto index =
        std::exchange(listeners_[subscription.index].behind_index, Subscription::nowhere);
    if (index == Subscription::nowhere) return;
    Subscription* last = behind_.back();
    behind_.pop_back();
    if (last != &subscription) {
        behind_[index] = last;
        listeners_[last->index].behind_index = index;
    }
    if (behind_.empty()) rest();
}

void Audience::catch_lagging() {
    // Those who can't take anything will not come by themselves: what they need is gone, and with
    // `disconnect` it is time to say so. The others are told when they can be.
    if (on_lag_ != OnLag::disconnect || behind_.empty() || window_.base() <= behind_min_) return;
    auto next_min = window_.end();
    for (Subscription* subscription : behind_) {
        const auto cursor = place_of(*subscription).cursor;
        if (cursor < window_.base()) {
            catch_up(*subscription);
        } else {
            next_min = std::min(next_min, cursor);
        }
    }
    behind_min_ = next_min;
}

bool Audience::catch_up(Subscription& subscription) {
    if (on_lag_ == OnLag::disconnect) {
        if (subscription.subscriber->close(close_reasons::slow_consumer)) {
            shard_->metrics().add(Metric::slow_disconnects);
            shard_->metrics().count_lag(on_lag_);
        }
        return false;
    }
    shard_->metrics().count_lag(on_lag_);
    Place& place = place_of(subscription);
    const auto resume_at = on_lag_ == OnLag::latest ? window_.newest_message() : window_.base();
    const auto missed_to = window_.offset_before(resume_at);
    shard_->metrics().add(Metric::deliveries_skipped, resume_at - place.cursor);
    if (missed_to > place.offset) {
        shard_->metrics().add(Metric::gaps);
        subscription.subscriber->transport().reply(
            {{}, protocol::Gap{name_, place.offset + 1, missed_to, {room_->epoch(), missed_to}}});
        place.offset = missed_to;
    }
    place.cursor = resume_at;
    return true;
}

void Audience::add(Subscription& subscription, const Place& from) {
    subscription.index = static_cast<std::uint32_t>(listeners_.size());
    const Transport& transport = subscription.subscriber->transport();
    shard_->metrics().move(Level::members, 0, 1);
    listeners_.push_back(Listener{&subscription, &transport.writer(), from,
                                  transport.traits().format->slot, subscription.kinds});
    if (from.cursor > window_.end()) ahead_max_ = std::max(ahead_max_, from.cursor);
    // What this shard has taken beyond the home's answer is due to the newcomer as well.
    if (from.cursor < window_.end()) {
        shard_->metrics().add(Metric::deliveries_due, window_.end() - from.cursor);
        flushed_to_ = std::min(flushed_to_, from.cursor);
        shard_->flush_soon(*this);
    }
}

void Audience::remove(Subscription& subscription) noexcept {
    if (has_news(subscription)) {
        shard_->metrics().add(Metric::deliveries_dropped,
                              window_.end() - place_of(subscription).cursor);
    }
    // Not for the trim in it: the subscription is still counted below.
    unmark_behind(subscription);
    listeners_[subscription.index] = listeners_.back();
    listeners_[subscription.index].subscription->index = subscription.index;
    listeners_.pop_back();
    subscription.index = Subscription::nowhere;
    shard_->metrics().move(Level::members, 1, 0);
    if (listeners_.empty()) shard_->consider_dropping(*this);
}

bool Audience::droppable() const noexcept {
    if (!listeners_.empty() || joins_under_way_ > 0) return false;
    return !home_ || home_->droppable();
}

}  // namespace parley::core
