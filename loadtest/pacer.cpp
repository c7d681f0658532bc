#include "loadtest/pacer.hpp"

#include <algorithm>

#include "loadtest/clock.hpp"

namespace parley::load {

Pacer::Pacer(const PacerConfig& config) noexcept
    : config_(config),
      publisher_((config.share + config.shares - config.first % config.shares) % config.shares) {
    config_.share = publisher_;
    compute_next();
}

void Pacer::compute_next() noexcept {
    if (config_.rate_per_s <= 0 || config_.share >= config_.publishers) {
        next_ns_ = never_ns;
        return;
    }
    const auto since_start_ns = time_of(cycle_ * config_.publishers + publisher_);
    next_ns_ = since_start_ns ? config_.start_ns + *since_start_ns : never_ns;
}

// From the start each time, not from the tick before: rounding must not add up.
std::optional<std::int64_t> Pacer::time_of(std::uint64_t message) const noexcept {
    const auto nth = static_cast<double>(message);
    const std::int64_t length_ns = config_.end_ns - config_.start_ns;
    if (config_.curve != nullptr) {
        const auto time = config_.curve->time_of(nth / config_.rate_per_s);
        return time && *time < length_ns ? time : std::nullopt;
    }
    const double since_start_ns = nth * static_cast<double>(ns_per_s) / config_.rate_per_s;
    // Compared before it is an integer: at a very low rate it would not fit into one.
    if (since_start_ns >= static_cast<double>(length_ns)) return std::nullopt;
    return static_cast<std::int64_t>(since_start_ns);
}

std::optional<Pacer::Tick> Pacer::take(std::int64_t now_ns) noexcept {
    if (now_ns < next_ns_ || next_ns_ == never_ns) return std::nullopt;
    const Tick tick{next_ns_, config_.first + publisher_};
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
