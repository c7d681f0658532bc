#include "core/held_flushes.hpp"

#include <algorithm>

namespace parley::core {
namespace {

// How old it is. What another shard published may be younger than this one's `now`.
Duration age_of(std::uint32_t since, TimePoint now) noexcept {
    return std::chrono::microseconds(static_cast<std::int32_t>(stamp_of(now) - since));
}

bool is_older(std::uint32_t one, std::uint32_t other) noexcept {
    return static_cast<std::int32_t>(one - other) < 0;
}

}  // namespace

HoldLine& HeldFlushes::line_of(const FlushDelay& delay) {
    const auto found = std::ranges::find(lines_, delay, &HoldLine::delay);
    return found == lines_.end() ? lines_.emplace_back(HoldLine{delay}) : *found;
}

bool HeldFlushes::hold(HeldFlush& flush, std::uint32_t since, TimePoint now) noexcept {
    const Duration delay = delay_of(*flush.line_);
    // What another shard said may be younger than `now`, and still older than no delay at all.
    if (delay <= Duration::zero() || age_of(since, now) >= delay) return false;
    flush.since_ = since;
    // They come nearly in order: another shard's publication may be a little older than the last.
    auto& waiting = flush.line_->waiting;
    auto behind = waiting.end();
    while (behind != waiting.begin() && is_older(since, std::prev(behind)->since_)) --behind;
    waiting.insert(behind, flush);
    return true;
}

HeldFlush* HeldFlushes::take_due(TimePoint now) noexcept {
    for (HoldLine& line : lines_) {
        if (line.waiting.empty()) continue;
        HeldFlush& oldest = line.waiting.front();
        const Duration delay = delay_of(line);
        if (delay > Duration::zero() && age_of(oldest.since_, now) < delay) continue;
        oldest.end_hold();
        return &oldest;
    }
    return nullptr;
}

std::optional<TimePoint> HeldFlushes::next_due(TimePoint now) const noexcept {
    std::optional<TimePoint> next;
    for (const HoldLine& line : lines_) {
        if (line.waiting.empty()) continue;
        const TimePoint due = now + delay_of(line) - age_of(line.waiting.front().since_, now);
        if (!next || due < *next) next = due;
    }
    return next;
}

}  // namespace parley::core
