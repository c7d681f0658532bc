// Report: what came out of a run, as a table for people and as JSON for programs, and the verdict
// over it.
//
// Path:     Tally of all threads → [Report] → stdout, --json
// Runs on:  the main thread, after the load threads have ended.
// Owned by: run().
// Bounds:   none needed.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/scenario.hpp"
#include "loadtest/server_cost.hpp"
#include "loadtest/tally.hpp"

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
};

struct GeneratorCost {
    double cpu_cores = 0;      // all load threads together
    double busiest_share = 0;  // of one thread's time
    double longest_wait_share = 0;
};

struct ServerCost {
    ServerSample before_ramp, at_window_start, at_window_end;
};

struct Report {
    Scenario scenario;
    std::string target;
    std::string url;
    Tally tally;
    double window_s = 0;
    GeneratorCost generator;
    std::optional<ServerCost> server;
    bool interrupted = false;

    [[nodiscard]] bool faulty() const;
    [[nodiscard]] bool generator_limited() const;
    [[nodiscard]] ExitCode exit_code() const;
    // Deliveries that arrived in the window, a second.
    [[nodiscard]] double throughput_per_s() const;
    // The verdict and everything that a reader of the figures must know, a sentence each.
    [[nodiscard]] std::vector<std::string> remarks() const;
    // Processor time of the server for one delivery; nothing where it was not measured.
    [[nodiscard]] std::optional<double> server_us_per_delivery() const;
};

[[nodiscard]] std::string format_table(const Report& report);
[[nodiscard]] boost::json::value to_json(const Report& report);

}  // namespace parley::load
