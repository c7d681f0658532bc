// HandshakeReport: what came out of a handshake-rate run, as a table and as JSON, and the verdict.
//
// Path:     HandshakeTally of all threads → [HandshakeReport] → stdout, --json
// Runs on:  the main thread, after the threads have ended.
// Owned by: run_handshakes().
// Bounds:   none needed.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/handshake_thread.hpp"
#include "loadtest/series_json.hpp"
#include "loadtest/verdict.hpp"

namespace parley::load {

struct HandshakeReport {
    Scenario scenario;
    std::string url;
    HandshakeTally tally;
    double window_s = 0;
    GeneratorCost generator;
    std::optional<ServerCost> server;
    bool interrupted = false;
    WindowNs window;
    std::int64_t end_ns = 0;        // of the last one that was waited for
    ServerWatch::Seen server_seen;  // empty where nobody looked

    [[nodiscard]] bool faulty() const { return tally.failed + tally.withheld > 0; }
    [[nodiscard]] bool generator_limited() const;
    [[nodiscard]] ExitCode exit_code() const;
    [[nodiscard]] double per_s() const;
    // Processor time of the server for one; nothing where it was not measured.
    [[nodiscard]] std::optional<double> server_us_per_handshake() const;
    [[nodiscard]] std::vector<std::string> remarks() const;
};

[[nodiscard]] std::string format_table(const HandshakeReport& report);
[[nodiscard]] boost::json::value to_json(const HandshakeReport& report);

}  // namespace parley::load
