// verdict: what both kinds of run are judged by: their exit codes, and whether the generator or the
// machine under it shaped the figures.
//
// Path:     ThreadCost, ServerSample → [verdict] → Report, HandshakeReport
// Runs on:  the main thread.
// Owned by: the reports.
// Bounds:   none needed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "loadtest/clock.hpp"
#include "loadtest/server_cost.hpp"
#include "loadtest/thread_cost.hpp"

namespace parley::load {

// Above one of these the generator, or the machine under it, shaped the figures.
inline constexpr double generator_busy_share_max = 0.85;  // of any thread
inline constexpr double generator_wait_share_max = 0.20;  // ready to run, but kept waiting
inline constexpr std::int64_t generator_lag_ns_max = 10 * ns_per_ms;  // p99 of sending late

enum class ExitCode : std::uint8_t {
    clean = 0,
    faulty = 1,             // lost, duplicated, out of order; or connections failed
    generator_limited = 2,  // nothing wrong but the figures
    could_not_start = 3,
    incomplete = 4,  // one of several processes was lost: there is no result
};

struct GeneratorCost {
    double cpu_cores = 0;      // all load threads together
    double busiest_share = 0;  // of one thread's time
    double longest_wait_share = 0;

    void add(const GeneratorCost& other) {
        cpu_cores += other.cpu_cores;
        busiest_share = std::max(busiest_share, other.busiest_share);
        longest_wait_share = std::max(longest_wait_share, other.longest_wait_share);
    }
    void add(const ThreadCost& thread) {
        cpu_cores += thread.busy;
        busiest_share = std::max(busiest_share, thread.busy);
        longest_wait_share = std::max(longest_wait_share, thread.waited);
    }
};

struct ServerCost {
    ServerSample before_ramp, at_window_start, at_window_end;
    std::vector<double> phases_cpu_s{};  // of each phase
    double unmeasured_cpu_s = 0;         // of phases in the window that are not measured
    // In the window.
    [[nodiscard]] double cpu_s() const {
        return at_window_end.cpu_s - at_window_start.cpu_s - unmeasured_cpu_s;
    }
};

// Which of the limits above the generator went beyond, in words; empty: none. `lag_p99_ns`: how late
// it began what was due.
[[nodiscard]] std::string generator_limits(const GeneratorCost& generator, std::int64_t lag_p99_ns);

// "1 connection", "2 connections".
[[nodiscard]] std::string count_of(std::uint64_t count, const char* one, const char* many);

}  // namespace parley::load
