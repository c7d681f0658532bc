// find_max(): the search of the highest rate for every bound of a scenario, step by step.
//
// Path:     Run → [find_max] ⇄ RateSearch, Run's steps → Report
// Runs on:  the main thread.
// Owned by: Run.
// Bounds:   RateSearch's, for each bound.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

#include "loadtest/progress.hpp"
#include "loadtest/report.hpp"

namespace parley::load {

// Publishes at a rate for so long, drains, and tells what came of it.
using PlayStep = std::function<Report(std::chrono::nanoseconds window, double rate_per_s)>;

// The report of the last confirmation, or of the last step where nothing was confirmed, with all
// steps in Report::find_max. Each step is shown as it is done. `interrupted`: the step at hand is the
// last.
[[nodiscard]] Report find_max(const Scenario& scenario, const PlayStep& play, Progress& progress,
                              const std::atomic<bool>& interrupted);

}  // namespace parley::load
