#include "loadtest/thread_cost.hpp"

#include <algorithm>

#include "loadtest/clock.hpp"

namespace parley::load {

void CostMeter::look(std::int64_t now_ns, std::int64_t window_from_ns, std::int64_t window_to_ns) {
    if (done_ || now_ns < window_from_ns) return;
    if (!at_start_) {
        at_start_ = Usage{now_ns, thread_cpu_ns(), thread_wait_ns(), awake_ns_};
    } else if (now_ns >= window_to_ns) {
        done_ = true;
        const auto wall =
            static_cast<double>(std::max<std::int64_t>(1, now_ns - at_start_->wall_ns));
        const std::int64_t worked_ns =
            thread_cpu_ns() - at_start_->cpu_ns - (awake_ns_ - at_start_->awake_ns);
        cost_.busy = static_cast<double>(std::max<std::int64_t>(0, worked_ns)) / wall;
        cost_.waited = static_cast<double>(thread_wait_ns() - at_start_->wait_ns) / wall;
    }
}

}  // namespace parley::load
