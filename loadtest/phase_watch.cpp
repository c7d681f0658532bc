#include "loadtest/phase_watch.hpp"

#include <algorithm>

namespace parley::load {

void PhaseWatch::begin(ServerWatch& watch) {
    if (!watch.watches()) return;
    watch_ = &watch;
    before_ramp_ = sample();
    known_before_ramp_ = known_;
}

void PhaseWatch::begin_pass() {
    bounds_.clear();
    known_ = known_before_ramp_;
}

ServerSample PhaseWatch::sample() {
    const auto sample = watch_->sample();
    known_ = known_ && sample;
    return sample.value_or(ServerSample{});
}

void PhaseWatch::look(std::int64_t since_start_ns) {
    const auto& parts = plan_.parts();
    while (watch_ != nullptr && bounds_.size() <= parts.size()) {
        const std::size_t next = bounds_.size();
        const std::int64_t at = next < parts.size() ? parts[next].from_ns : plan_.length_ns();
        if (since_start_ns < at) return;
        bounds_.push_back(sample());
    }
}

void PhaseWatch::end() {
    if (watch_ == nullptr || bounds_.size() > plan_.parts().size()) return;
    bounds_.resize(plan_.parts().size() + 1, sample());
}

std::optional<ServerCost> PhaseWatch::cost() const {
    const auto& parts = plan_.parts();
    if (watch_ == nullptr || !known_ || bounds_.size() <= parts.size()) return std::nullopt;
    ServerCost cost;
    cost.before_ramp = before_ramp_;
    const auto measured = [](const PhasePlan::Part& part) { return part.measured; };
    const auto first = std::find_if(parts.begin(), parts.end(), measured);
    const auto last = std::find_if(parts.rbegin(), parts.rend(), measured);
    cost.at_window_start = bounds_[static_cast<std::size_t>(first - parts.begin())];
    cost.at_window_end = bounds_[static_cast<std::size_t>(parts.rend() - last)];
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const double cpu_s = bounds_[i + 1].cpu_s - bounds_[i].cpu_s;
        cost.phases_cpu_s.push_back(cpu_s);
        const bool within =
            parts[i].from_ns >= plan_.window_from_ns() && parts[i].to_ns <= plan_.window_to_ns();
        if (within && !parts[i].measured) cost.unmeasured_cpu_s += cpu_s;
    }
    return cost;
}

}  // namespace parley::load
