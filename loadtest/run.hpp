// run(): plays a scenario against a target and reports.
//
// Path:     command line → [run] → LoadThread…, Report
// Runs on:  the main thread, which only waits, samples and shows progress.
// Owned by: main.
// Bounds:   Scenario's; ends by itself after ramp, settle, warm-up, duration and drain at most.
#pragma once

#include <atomic>
#include <cstdio>

#include "loadtest/report.hpp"
#include "loadtest/run_lead.hpp"
#include "loadtest/scenario.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

// Returns the report, or why the run could not start in one line. `progress` nullptr: silence.
// `interrupted` may be set at any time by a signal handler: what was measured so far is reported.
// `lead`: decides when the run goes on, where the scenario is split; outlives the call.
[[nodiscard]] Checked<Report> run(const Scenario& scenario, const Target& target,
                                  std::FILE* progress, const std::atomic<bool>& interrupted,
                                  RunLead* lead = nullptr);

// What every report of this plan says, before anything is counted. `timeline`: what was published
// along from `start_ns` on, until the run ended `until_ns` later.
[[nodiscard]] Report begin_report(const Plan& plan, const PhasePlan& timeline,
                                  std::int64_t start_ns, std::int64_t until_ns);

}  // namespace parley::load
