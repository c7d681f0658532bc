#include "loadtest/phase_plan.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "loadtest/clock.hpp"
#include "loadtest/scenario.hpp"

namespace parley::load {
namespace {

constexpr double rate_max_per_s = 1e7;
constexpr std::chrono::hours phase_max{24};

}  // namespace

void RateCurve::add(std::int64_t length_ns, double from_per_s, double to_per_s) {
    const double within = (from_per_s + to_per_s) / 2 * in_seconds(length_ns);
    pieces_.push_back({length_ns_, length_ns, from_per_s, to_per_s, messages_, within});
    length_ns_ += length_ns;
    messages_ += within;
    highest_per_s_ = std::max({highest_per_s_, from_per_s, to_per_s});
}

std::optional<std::int64_t> RateCurve::time_of(double messages) const {
    const auto piece = std::find_if(pieces_.begin(), pieces_.end(), [messages](const Piece& p) {
        return messages < p.before + p.within;
    });
    if (piece == pieces_.end()) return std::nullopt;
    const double here = messages - piece->before;
    if (here <= 0) return piece->from_ns;
    // From `here` = r t + a t² / 2, in the form that stands any sign of a, and a of nothing.
    const double r = piece->from_per_s;
    const double a = (piece->to_per_s - r) / in_seconds(piece->length_ns);
    const double t = 2 * here / (r + std::sqrt(std::max(0.0, r * r + 2 * a * here)));
    const auto since = static_cast<std::int64_t>(t * static_cast<double>(ns_per_s));
    return piece->from_ns + std::min(since, piece->length_ns - 1);
}

PhasePlan::PhasePlan(const Scenario& scenario) {
    first_ = scenario.connections;
    if (scenario.phases.empty()) {
        Phase warmup;
        warmup.name = "warm-up";
        warmup.duration = scenario.warmup;
        warmup.measured = false;
        Phase measured;
        measured.name = "measured";
        measured.duration = scenario.duration;
        add(warmup, scenario.connections, scenario.rate_per_s);
        add(measured, scenario.connections, scenario.rate_per_s);
    } else {
        first_ = scenario.phases.front().connections.value_or(scenario.connections);
        std::uint32_t before = first_;
        for (const Phase& phase : scenario.phases) {
            add(phase, before, scenario.rate_per_s);
            before = phase.connections.value_or(before);
        }
    }
    window_from_ns_ = window_to_ns_ = length_ns();
    for (const Part& part : parts_) {
        if (!part.measured) continue;
        window_from_ns_ = std::min(window_from_ns_, part.from_ns);
        window_to_ns_ = part.to_ns;
    }
}

void PhasePlan::add(const Phase& phase, std::uint32_t before, double usual_rate) {
    const std::int64_t from = length_ns();
    const std::int64_t length = phase.duration.count();
    const std::uint32_t after = phase.connections.value_or(before);
    const std::int64_t ramp = std::min(length, phase.ramp.value_or(phase.duration).count());
    slopes_.push_back({from, from + ramp, before, after});
    const std::vector<double> rates =
        phase.rates.empty() ? std::vector<double>{usual_rate} : phase.rates;
    if (phase.linear) {
        rate_.add(length, rates.front(), rates.back());
    } else {
        const auto steps = static_cast<std::int64_t>(rates.size());
        for (std::int64_t step = 0; step < steps; ++step) {
            const double rate = rates[static_cast<std::size_t>(step)];
            rate_.add(length * (step + 1) / steps - length * step / steps, rate, rate);
        }
    }
    parts_.push_back({phase.name, from, from + length, phase.measured, before, after, rates,
                      phase.linear, phase.storm_percent, phase.storm_over.count()});
}

std::uint32_t PhasePlan::connections_at(std::int64_t since_start_ns) const {
    std::uint32_t count = first_;
    for (const Slope& slope : slopes_) {
        if (since_start_ns < slope.from_ns) break;
        if (since_start_ns >= slope.to_ns) {
            count = slope.to;
            continue;
        }
        const double done = static_cast<double>(since_start_ns - slope.from_ns) /
                            static_cast<double>(slope.to_ns - slope.from_ns);
        const double step = (static_cast<double>(slope.to) - slope.from) * done;
        count = static_cast<std::uint32_t>(static_cast<double>(slope.from) + step);
    }
    return count;
}

std::int64_t PhasePlan::measured_ns(std::int64_t until_ns) const {
    std::int64_t sum = 0;
    for (const Part& part : parts_) {
        if (part.measured && until_ns > part.from_ns) {
            sum += std::min(until_ns, part.to_ns) - part.from_ns;
        }
    }
    return sum;
}

std::optional<std::string> phases_problem(const Scenario& s) {
    if (s.phases.size() > phases_max) {
        return "there may be " + std::to_string(phases_max) + " phases at most";
    }
    std::set<std::string> names;
    bool measured = s.phases.empty();
    for (const Phase& phase : s.phases) {
        const std::string which = "phase '" + phase.name + "': ";
        measured = measured || phase.measured;
        if (phase.name.empty()) return "a phase has no name";
        if (!names.insert(phase.name).second) return which + "there are two of this name";
        if (phase.duration.count() <= 0) return which + "duration must be more than 0";
        if (phase.duration > phase_max || phase.storm_over > phase_max ||
            phase.ramp.value_or(phase.duration) > phase.duration) {
            return which + "duration may be 24h at most, and ramp as long as the phase";
        }
        if (phase.connections.value_or(s.connections) > s.connections) {
            return which + "connections may be " + std::to_string(s.connections) + " at most";
        }
        if (phase.connections.value_or(s.connections) < s.publishers()) {
            return which + "its " + std::to_string(*phase.connections) +
                   " connections are fewer than the " + std::to_string(s.publishers()) +
                   " that publish, who are there all the time";
        }
        for (const double rate : phase.rates) {
            if (!(rate >= 0 && rate <= rate_max_per_s)) return which + "rate must be 0 to 10000000";
        }
        if (phase.rates.size() > rate_steps_max) {
            return which + "rate has more than " + std::to_string(rate_steps_max) + " steps";
        }
        if (!(phase.storm_percent >= 0 && phase.storm_percent <= 100)) {
            return which + "storm is a percentage, 0 to 100";
        }
    }
    if (!measured) return "no phase is measured";
    return std::nullopt;
}

}  // namespace parley::load
