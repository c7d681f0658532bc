#include "loadtest/report.hpp"

#include <algorithm>
#include <cstdio>

namespace parley::load {
namespace {

std::string count_of(std::uint64_t count, const char* one, const char* many) {
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f %%", share * 100);
    return text;
}

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
    for (const auto& [reason, times] : t.refusals) {
        remarks.push_back("The server refused " + count_of(times, "message", "messages") + ": " +
                          reason +
                          (reason == "rate_limited"
                               ? " (its limits must be off for a load test: parleyd --no-limits)."
                               : "."));
    }
    for (const auto& [reason, times] : t.failures) {
        remarks.push_back("Failure, " + count_of(times, "time", "times") + ": " + reason + ".");
    }
}

void add_generator(const Report& report, std::vector<std::string>& remarks) {
    if (!report.generator_limited()) return;
    std::string why;
    const auto because = [&why](const std::string& reason) {
        why += (why.empty() ? "" : "; ") + reason;
    };
    const GeneratorCost& g = report.generator;
    if (g.busiest_share > generator_busy_share_max) {
        because("a thread was " + percent(g.busiest_share) + " busy");
    }
    if (g.longest_wait_share > generator_wait_share_max) {
        because("a thread was kept from running " + percent(g.longest_wait_share) + " of the time");
    }
    if (lag_p99(report) > generator_lag_ns_max) {
        because("messages were sent up to " + std::to_string(lag_p99(report) / ns_per_ms) +
                " ms late (p99)");
    }
    remarks.push_back("The generator was the bottleneck (" + why +
                      "): latency and throughput are the generator's, not the server's. Use more "
                      "--threads, a machine that does less beside, or another one.");
}

}  // namespace

bool Report::faulty() const {
    const auto wrong = [](const DeliveryCounts& c) {
        return c.duplicate + c.out_of_order + c.stray;
    };
    // What slow readers lose is the server's policy; what anybody gets twice or wrongly is not.
    return tally.steady.lost + tally.steady.announced + wrong(tally.steady) + wrong(tally.slow) +
               tally.failed + tally.dropped + tally.withheld + tally.refused +
               tally.failures.size() >
           0;
}

bool Report::generator_limited() const {
    return generator.busiest_share > generator_busy_share_max ||
           generator.longest_wait_share > generator_wait_share_max ||
           lag_p99(*this) > generator_lag_ns_max;
}

ExitCode Report::exit_code() const {
    if (faulty()) return ExitCode::faulty;
    return generator_limited() ? ExitCode::generator_limited : ExitCode::clean;
}

double Report::throughput_per_s() const {
    return window_s > 0 ? static_cast<double>(tally.received_in_window) / window_s : 0;
}

std::optional<double> Report::server_us_per_delivery() const {
    if (!server || tally.received_in_window == 0) return std::nullopt;
    const double cpu_s = server->at_window_end.cpu_s - server->at_window_start.cpu_s;
    return cpu_s * 1e6 / static_cast<double>(tally.received_in_window);
}

std::vector<std::string> Report::remarks() const {
    std::vector<std::string> remarks;
    if (interrupted) remarks.emplace_back("The run was interrupted: the window is shorter.");
    if (faulty()) {
        add_faults(*this, remarks);
    } else {
        remarks.emplace_back(
            "Every delivery arrived once and in order; every connection was made and stayed.");
    }
    add_generator(*this, remarks);
    return remarks;
}

}  // namespace parley::load
