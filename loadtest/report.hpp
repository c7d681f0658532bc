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
#include "loadtest/user_context.hpp"
#include "loadtest/verdict.hpp"

namespace parley::load {

struct Report {
    Scenario scenario;
    std::string target;
    std::string url;
    Tally tally;           // of all
    Tallies by_transport;  // and of each transport, and of the senders
    double window_s = 0;
    GeneratorCost generator;
    std::optional<ServerCost> server;
    bool interrupted = false;

    // Takes what a thread has counted into both.
    void add(const Tallies& counted);
    [[nodiscard]] bool faulty() const;
    [[nodiscard]] bool generator_limited() const;
    [[nodiscard]] ExitCode exit_code() const;
    // Deliveries that arrived in the window, a second.
    [[nodiscard]] double throughput_per_s() const;
    // The verdict and everything that a reader of the figures must know, a sentence each.
    [[nodiscard]] std::vector<std::string> remarks() const;
    // POSTs that were accepted in the window, a second.
    [[nodiscard]] double answers_per_s() const;
    // Processor time of the server for one delivery; nothing where it was not measured.
    [[nodiscard]] std::optional<double> server_us_per_delivery() const;
    // And for one accepted POST, where there were no deliveries that it could have gone to.
    [[nodiscard]] std::optional<double> server_us_per_answer() const;
    // The transports of the mix.
    [[nodiscard]] std::vector<Transport> transports_used() const;
    [[nodiscard]] const Tally& tally_of(Transport transport) const {
        return by_transport[static_cast<std::size_t>(transport)];
    }
};

[[nodiscard]] std::string format_table(const Report& report);
[[nodiscard]] boost::json::value to_json(const Report& report);

}  // namespace parley::load
