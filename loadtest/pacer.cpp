#include "loadtest/pacer.hpp"

#include <algorithm>

#include "loadtest/clock.hpp"

namespace parley::load {

Pacer::Pacer(const PacerConfig& config) noexcept : config_(config), publisher_(config.share) {
    compute_next();
}

void Pacer::compute_next() noexcept {
    if (config_.rate_per_s <= 0 || config_.share >= config_.publishers) {
        next_ns_ = never_ns;
        return;
    }
    // From the start each time, not from the tick before: rounding must not add up.
    const double message = static_cast<double>(cycle_ * config_.publishers + publisher_);
    const double since_start_ns = message * static_cast<double>(ns_per_s) / config_.rate_per_s;
    // Compared before it is an integer: at a very low rate it would not fit into one.
    if (since_start_ns >= static_cast<double>(config_.end_ns - config_.start_ns)) {
        next_ns_ = never_ns;
        return;
    }
    next_ns_ = config_.start_ns + static_cast<std::int64_t>(since_start_ns);
}

std::optional<Pacer::Tick> Pacer::take(std::int64_t now_ns) noexcept {
    if (now_ns < next_ns_ || next_ns_ == never_ns) return std::nullopt;
    const Tick tick{next_ns_, publisher_};
    publisher_ += config_.shares;
    if (publisher_ >= config_.publishers) {
        publisher_ = config_.share;
        ++cycle_;
    }
    compute_next();
    return tick;
}

void Pacer::end_at(std::int64_t end_ns) noexcept {
    config_.end_ns = std::min(config_.end_ns, end_ns);
    if (next_ns_ >= config_.end_ns) next_ns_ = never_ns;
}

}  // namespace parley::load
