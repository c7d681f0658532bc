#include "core/flush_pace.hpp"

#include <algorithm>

namespace parley::core {

bool FlushPace::note(const Round& round) noexcept {
    const Duration before = delay_;
    sum_.whole += round.whole;
    sum_.waited += round.waited;
    sum_.sparable += round.sparable;
    if (delay_ > Duration::zero() && round.waited >= delay_) {
        // Nothing at all happened for as long as a flush would be held.
        delay_ = {};
        sum_ = {};
    } else if (sum_.whole >= std::max(span_min, delay_)) {
        delay_ = judged();
        sum_ = {};
    }
    return delay_ != before;
}

// The delay that follows from a span. Between its bounds nothing changes, so that it comes to rest
// where a little time is left.
Duration FlushPace::judged() const noexcept {
    if (sum_.waited * 64 < sum_.whole) {
        if (sum_.sparable * 4 < sum_.whole) return delay_;
        return std::min(max_, std::max(first, delay_ + delay_ / 4));
    }
    if (sum_.waited * 4 > sum_.whole) {
        const Duration half = delay_ / 2;
        return half < first ? Duration::zero() : half;
    }
    if (sum_.waited * 16 > sum_.whole) return delay_ - delay_ / 8;
    return delay_;
}

}  // namespace parley::core
