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

#include "loadtest/find_max.hpp"
#include "loadtest/scenario.hpp"
#include "loadtest/series_json.hpp"
#include "loadtest/server_cost.hpp"
#include "loadtest/server_watch.hpp"
#include "loadtest/tally.hpp"
#include "loadtest/user_context.hpp"
#include "loadtest/verdict.hpp"

namespace parley::load {

struct Report {
    Scenario scenario;
    std::string target;
    std::string url;
    Tally tally;                          // of all
    Tallies by_transport;                 // and of each transport, and of the senders
    std::vector<Tally> by_persona;        // and of each persona, where there are any
    std::vector<PhasePlan::Part> phases;  // where the scenario names any
    double window_s = 0;
    GeneratorCost generator;
    std::optional<ServerCost> server;
    // Where the highest rate was searched; everything else is of the last bound's confirmation.
    std::optional<FindMaxResult> find_max;
    bool interrupted = false;

    TimeSeries series;              // of all threads
    WindowNs window;                // on the clock of the series
    std::int64_t end_ns = 0;        // of the last delivery that was waited for
    ServerWatch::Seen server_seen;  // empty where nobody looked

    // Takes what a thread has counted, as in UserContext::tallies, into all of them.
    void add(const std::vector<Tally>& counted);
    // All that was taken, as add() takes it.
    [[nodiscard]] std::vector<Tally> counted() const;
    [[nodiscard]] bool faulty() const;
    [[nodiscard]] bool generator_limited() const;
    [[nodiscard]] ExitCode exit_code() const;
    // Deliveries that arrived in the window, a second.
    [[nodiscard]] double throughput_per_s() const;
    // The verdict and everything that a reader of the figures must know, a sentence each.
    [[nodiscard]] std::vector<std::string> remarks() const;
    // Bytes that were read in the window for each delivery in it, frames' heads and acknowledgements
    // included, TLS's own not; nothing where there was no delivery.
    [[nodiscard]] std::optional<double> bytes_per_delivery() const;
    // Processor time of the generator for one delivery, in us; nothing without deliveries.
    [[nodiscard]] std::optional<double> generator_us_per_delivery() const;
    // The share that arrived of what was meant for the window.
    [[nodiscard]] double arrived_share() const;
    // POSTs that were accepted in the window, a second.
    [[nodiscard]] double answers_per_s() const;
    // Processor time of the server for one delivery; nothing where it was not measured.
    [[nodiscard]] std::optional<double> server_us_per_delivery() const;
    // And for one accepted POST, where there were no deliveries that it could have gone to.
    [[nodiscard]] std::optional<double> server_us_per_answer() const;
    // What the latency is of: deliveries, or the answers where nobody listens.
    [[nodiscard]] const Histogram& main_latency() const {
        return scenario.mix.only(Transport::rest) ? tally.answer : tally.latency;
    }
    // The transports of the mix.
    [[nodiscard]] std::vector<Transport> transports_used() const;
    [[nodiscard]] const Tally& tally_of(Transport transport) const {
        return by_transport[static_cast<std::size_t>(transport)];
    }
};

[[nodiscard]] std::string format_table(const Report& report);
[[nodiscard]] boost::json::value to_json(const Report& report);

}  // namespace parley::load
