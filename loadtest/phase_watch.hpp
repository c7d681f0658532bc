// PhaseWatch: what the server costs in each phase: a sample is taken as the run passes their bounds.
//
// Path:     ServerWatch → [PhaseWatch] → ServerCost → Report
// Runs on:  the main thread.
// Owned by: run(), or the coordinator.
// Bounds:   a sample for each phase, and one more.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "loadtest/phase_plan.hpp"
#include "loadtest/server_watch.hpp"
#include "loadtest/verdict.hpp"

namespace parley::load {

class PhaseWatch {
public:
    // `plan` outlives it.
    explicit PhaseWatch(const PhasePlan& plan) : plan_(plan) {}

    // Before the ramp; `watch` outlives it.
    void begin(ServerWatch& watch);
    // The plan begins, be it again.
    void begin_pass();
    // To be called every few milliseconds from the first phase's start on: how long ago that was.
    void look(std::int64_t since_start_ns);
    // The phases are over, be it before their time.
    void end();
    // Nothing where the server did not tell every time.
    [[nodiscard]] std::optional<ServerCost> cost() const;

private:
    [[nodiscard]] ServerSample sample();

    const PhasePlan& plan_;
    ServerWatch* watch_ = nullptr;
    bool known_ = true;  // it has told every time, before the ramp and in this pass
    bool known_before_ramp_ = true;
    ServerSample before_ramp_;
    std::vector<ServerSample> bounds_;  // at each phase's start, and at the end of the last
};

}  // namespace parley::load
