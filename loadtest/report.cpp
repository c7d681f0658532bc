#include "loadtest/report.hpp"

#include <algorithm>
#include <utility>

namespace parley::load {
namespace {

std::int64_t lag_p99(const Report& report) {
    return static_cast<std::int64_t>(report.tally.pacing_lag.percentile(99));
}

void add_faults(const Report& report, std::vector<std::string>& remarks) {
    const Tally& t = report.tally;
    const auto add = [&remarks](std::uint64_t count, const char* one, const char* many) {
        if (count > 0) remarks.push_back(count_of(count, one, many) + ".");
    };
    add(t.steady.lost, "delivery was lost without a word", "deliveries were lost without a word");
    add(t.steady.announced, "delivery was skipped by the server, which announced it",
        "deliveries were skipped by the server, which announced it");
    add(t.steady.duplicate + t.slow.duplicate, "delivery came again", "deliveries came again");
    add(t.steady.out_of_order + t.slow.out_of_order, "delivery came out of order",
        "deliveries came out of order");
    add(t.steady.stray + t.slow.stray, "delivery was of another room or from nobody here",
        "deliveries were of another room or from nobody here");
    add(t.failed, "connection failed", "connections failed");
    add(t.dropped, "connection was ended by the server or the network",
        "connections were ended by the server or the network");
    add(t.withheld, "message could not be sent: its publisher was gone or not read from",
        "messages could not be sent: their publishers were gone or not read from");
    add(t.unanswered, "message was never answered", "messages were never answered");
    for (const auto& [reason, times] : t.refusals) {
        remarks.push_back("The server refused " + count_of(times, "message", "messages") + ": " +
                          reason +
                          (reason.ends_with("rate_limited")
                               ? " (its limits must be off for a load test: parleyd --no-limits)."
                               : "."));
    }
    for (const auto& [reason, times] : t.failures) {
        remarks.push_back("Failure, " + count_of(times, "time", "times") + ": " + reason + ".");
    }
}

void add_generator(const Report& report, std::vector<std::string>& remarks) {
    if (!report.generator_limited()) return;
    remarks.push_back("The generator was the bottleneck (" +
                      generator_limits(report.generator, lag_p99(report)) +
                      "): latency and throughput are the generator's, not the server's. Use more "
                      "--threads, a machine that does less beside, or another one.");
}

}  // namespace

void Report::add(const std::vector<Tally>& counted) {
    by_persona.resize(scenario.personas.size());
    for (std::size_t i = 0; i < counted.size(); ++i) {
        const bool persona = i >= tallies_count;
        const std::size_t transport =
            persona ? static_cast<std::size_t>(scenario.personas[i - tallies_count].transport) : i;
        if (persona) by_persona[i - tallies_count].merge(counted[i]);
        by_transport[transport].merge(counted[i]);
        tally.merge(counted[i]);
    }
}

std::vector<Tally> Report::counted() const {
    std::vector<Tally> all(by_transport.begin(), by_transport.end());
    if (!by_persona.empty()) {
        // The personas' counts are the transports'; the window and the phases are everybody's.
        std::fill(all.begin(), all.begin() + senders_tally, Tally());
        all.insert(all.end(), by_persona.begin(), by_persona.end());
    }
    return all;
}

std::vector<Transport> Report::transports_used() const {
    std::vector<Transport> used;
    for (const TransportEntry& entry : transports()) {
        if (scenario.mix.has(entry.transport)) used.push_back(entry.transport);
    }
    return used;
}

bool Report::faulty() const {
    const auto wrong = [](const DeliveryCounts& c) {
        return c.duplicate + c.out_of_order + c.stray;
    };
    // What slow readers lose is the server's policy; what anybody gets twice or wrongly is not.
    return tally.steady.lost + tally.steady.announced + wrong(tally.steady) + wrong(tally.slow) +
               tally.failed + tally.dropped + tally.withheld + tally.refused + tally.unanswered +
               tally.failures.size() >
           0;
}

bool Report::generator_limited() const {
    return !generator_limits(generator, lag_p99(*this)).empty();
}

ExitCode Report::exit_code() const {
    if (find_max) {
        if (!find_max->complete() || find_max->wrong_anywhere || faulty()) return ExitCode::faulty;
        return find_max->generator_limited() ? ExitCode::generator_limited : ExitCode::clean;
    }
    if (faulty()) return ExitCode::faulty;
    return generator_limited() ? ExitCode::generator_limited : ExitCode::clean;
}

double Report::throughput_per_s() const {
    return window_s > 0 ? static_cast<double>(tally.received_in_window) / window_s : 0;
}

std::optional<double> Report::bytes_per_delivery() const {
    if (tally.received_in_window == 0) return std::nullopt;
    return static_cast<double>(tally.bytes_in_window) /
           static_cast<double>(tally.received_in_window);
}

double Report::answers_per_s() const {
    return window_s > 0 ? static_cast<double>(tally.answered_in_window) / window_s : 0;
}

std::optional<double> Report::server_us_per_delivery() const {
    if (!server || tally.received_in_window == 0) return std::nullopt;
    return server->cpu_s() * 1e6 / static_cast<double>(tally.received_in_window);
}

std::optional<double> Report::generator_us_per_delivery() const {
    if (tally.received_in_window == 0) return std::nullopt;
    return generator.cpu_cores * window_s * 1e6 / static_cast<double>(tally.received_in_window);
}

double Report::arrived_share() const {
    if (tally.expected_in_window == 0) return 1;
    const auto arrived = static_cast<double>(main_latency().count());
    return std::min(1.0, arrived / static_cast<double>(tally.expected_in_window));
}

std::optional<double> Report::server_us_per_answer() const {
    if (!server || tally.answered_in_window == 0 || !scenario.mix.only(Transport::rest)) {
        return std::nullopt;
    }
    return server->cpu_s() * 1e6 / static_cast<double>(tally.answered_in_window);
}

std::vector<std::string> Report::remarks() const {
    std::vector<std::string> remarks;
    if (interrupted) {
        remarks.emplace_back(find_max ? "The search was interrupted: no higher rate was tried."
                                      : "The run was interrupted: the window is shorter.");
    }
    if (find_max) {
        for (std::string& remark : find_max->remarks()) remarks.push_back(std::move(remark));
    }
    if (find_max && find_max->wrong_anywhere) {
        remarks.emplace_back("In a step deliveries came twice, out of order or from elsewhere.");
    }
    if (faulty()) {
        add_faults(*this, remarks);
    } else {
        remarks.emplace_back(
            scenario.mix.only(Transport::rest)
                ? "Every message was accepted; every connection was made and stayed. Nobody "
                  "listened: deliveries were not looked at."
                : "Every delivery arrived once and in order; every connection was made and "
                  "stayed.");
    }
    if (scenario.rate_max) {
        remarks.emplace_back(
            "Closed loop: each connection sent when its last message was answered, so latency "
            "counts from the sending and hides every message that a slow answer put off.");
    }
    add_generator(*this, remarks);
    return remarks;
}

}  // namespace parley::load
