#include "loadtest/talk_pacer.hpp"

#include <algorithm>

#include "loadtest/control.hpp"
#include "loadtest/user_context.hpp"

namespace parley::load {

TalkPacer::TalkPacer(const Plan& plan, const Pass& pass, unsigned share, unsigned shares) {
    const Scenario& scenario = plan.scenario;
    PacerConfig config{pass.start_ns,
                       pass.end_ns(),
                       scenario.rate_max ? 0 : pass.rate_per_s,
                       scenario.publishers(),
                       share,
                       shares,
                       0,
                       nullptr};
    if (!scenario.phases.empty()) {
        config.curve = &plan.phases.rate();
        config.rate_per_s = 1;
    }
    if (!scenario.cast) {
        pacers_.emplace_back(config);
        return;
    }
    const double whole = config.rate_per_s;
    const std::vector<double> parts = rate_parts(scenario);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Cast::Group& group = scenario.cast->groups()[i];
        config.publishers = scenario.personas[i].publishes() ? group.count : 0;
        config.first = group.first;
        config.rate_per_s = whole * parts[i];
        pacers_.emplace_back(config);
    }
    choose();
}

void TalkPacer::choose() noexcept {
    for (std::size_t i = 0; i < pacers_.size(); ++i) {
        if (pacers_[i].next_ns() < pacers_[next_].next_ns()) next_ = i;
    }
}

std::optional<Pacer::Tick> TalkPacer::take(std::int64_t now_ns) noexcept {
    const auto tick = pacers_[next_].take(now_ns);
    if (tick && pacers_.size() > 1) choose();
    return tick;
}

void TalkPacer::end_at(std::int64_t end_ns) noexcept {
    for (Pacer& pacer : pacers_) pacer.end_at(end_ns);
    choose();
}

}  // namespace parley::load
