// run_handshakes(): plays the handshake-rate mode and reports.
//
// Path:     command line → [run_handshakes] → HandshakeThread…, HandshakeReport
// Runs on:  the main thread, which only waits and samples.
// Owned by: main.
// Bounds:   ends by itself after warm-up, duration and drain at most.
#pragma once

#include <atomic>
#include <cstdio>

#include "loadtest/handshake_report.hpp"

namespace parley::load {

// Returns the report, or why the run could not start in one line. Only where
// Scenario::handshakes is set; else as run().
[[nodiscard]] Checked<HandshakeReport> run_handshakes(const Scenario& scenario,
                                                      const Target& target, std::FILE* progress,
                                                      const std::atomic<bool>& interrupted);

}  // namespace parley::load
