#include "loadtest/scenario_merge.hpp"

#include <algorithm>
#include <cmath>

namespace parley::load {
namespace {

// Options that say for all connections what personas, and phases, say for themselves.
constexpr std::string_view personas_say[] = {"--transport", "--mix",    "--slow-readers", "--churn",
                                             "--payload",   "--spread", "--handshakes"};
constexpr std::string_view phases_say[] = {"--duration", "--warmup", "--handshakes"};

std::optional<std::string> find_conflict(const ScenarioFile& file, const Said& said) {
    for (const std::string_view option : personas_say) {
        if (file.personas.empty() || !said.at_all(option)) continue;
        return std::string(option) + " does not go with personas, which say it for themselves (" +
               file.name + ")";
    }
    for (const std::string_view option : phases_say) {
        if (file.phases.empty() || !said.at_all(option)) continue;
        return std::string(option) + " does not go with phases, which say it for themselves (" +
               file.name + "): shorten or stretch them with --time-scale";
    }
    return std::nullopt;
}

void scale_connections(Scenario& s, std::uint32_t named) {
    if (named == 0 || named == s.connections) return;
    const double factor = static_cast<double>(s.connections) / named;
    for (Phase& phase : s.phases) {
        if (!phase.connections) continue;
        const auto scaled = static_cast<std::uint32_t>(std::llround(*phase.connections * factor));
        phase.connections = std::clamp(scaled, 1u, s.connections);
    }
}

void scale_rates(Scenario& s) {
    double highest = 0;
    for (const Phase& phase : s.phases) {
        for (const double rate : phase.rates) highest = std::max(highest, rate);
    }
    if (highest <= 0) return;
    for (Phase& phase : s.phases) {
        for (double& rate : phase.rates) rate *= s.rate_per_s / highest;
    }
}

}  // namespace

std::optional<std::string> merge_scenario_file(const ScenarioFile& file, const Said& said,
                                               Scenario& s) {
    if (auto conflict = find_conflict(file, said)) return conflict;
    s.phases = file.phases;
    s.personas = file.personas;
    const std::uint32_t named = file.connections();
    if (!said.at_all("--connections") && named > 0) s.connections = named;
    const bool scaled = said.by_flag("--connections");
    if (scaled) scale_connections(s, named);
    if (said.by_flag("--rate")) scale_rates(s);
    if (const auto rate = own_rate(s.personas); rate && !said.at_all("--rate")) {
        s.rate_per_s = *rate;
    }
    if (auto problem = personas_problem(s)) return problem;
    assign_parts(s);
    for (Phase& phase : s.phases) {
        // Rounding must not leave a publisher without a place.
        if (scaled && phase.connections) {
            phase.connections = std::max(*phase.connections, s.publishers());
        }
    }
    return std::nullopt;
}

void scale_time(Scenario& scenario, double factor) {
    const auto scale = [factor](std::chrono::nanoseconds& time) {
        time = std::chrono::nanoseconds(std::llround(static_cast<double>(time.count()) * factor));
    };
    scale(scenario.warmup);
    scale(scenario.duration);
    scale(scenario.ramp);
    for (Phase& phase : scenario.phases) {
        scale(phase.duration);
        scale(phase.storm_over);
        if (phase.ramp) scale(*phase.ramp);
    }
    for (Persona& persona : scenario.personas) {
        scale(persona.away);
        if (persona.kind == Persona::Kind::slow_reader) scale(persona.reading.every);
    }
}

}  // namespace parley::load
