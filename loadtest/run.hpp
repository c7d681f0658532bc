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
#include "loadtest/scenario.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

// Returns the report, or why the run could not start in one line. `progress` nullptr: silence.
// `interrupted` may be set at any time by a signal handler: what was measured so far is reported.
[[nodiscard]] Checked<Report> run(const Scenario& scenario, const Target& target,
                                  std::FILE* progress, const std::atomic<bool>& interrupted);

}  // namespace parley::load
