#include "loadtest/handshake_report.hpp"

#include <boost/json.hpp>

#include "loadtest/cost_rows.hpp"
#include "loadtest/json_percentiles.hpp"
#include "loadtest/series_json.hpp"
#include "loadtest/table.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

std::int64_t lag_p99(const HandshakeReport& report) {
    return static_cast<std::int64_t>(report.tally.pacing_lag.percentile(99));
}

bool closed_loop(const HandshakeReport& report) {
    return report.scenario.handshakes->rate_per_s == 0;
}

std::string describe_load(const HandshakeReport& report) {
    const Scenario& s = report.scenario;
    const std::string at_once = std::to_string(s.connections);
    if (closed_loop(report)) return "closed loop, " + at_once + " at once";
    return format_decimal(s.handshakes->rate_per_s, 1) + "/s, at most " + at_once + " at once";
}

void add_costs(Table& table, const HandshakeReport& report) {
    add_generator(table, report.generator);
    if (!closed_loop(report)) {
        table.row("begun late, p99", format_ns(report.tally.pacing_lag.percentile(99)));
    }
    if (!report.server) return;
    add_server(table, *report.server, report.window_s);
    if (const auto us = report.server_us_per_handshake()) {
        table.row("CPU per handshake", format_decimal(*us, 1) + " us");
        if (*us > 0) table.row("handshakes/s of one core", format_decimal(1e6 / *us, 0));
    }
    add_memory(table, "before", report.server->before_ramp.pss_kib);
    add_memory(table, "at the end", report.server->at_window_end.pss_kib);
}

}  // namespace

bool HandshakeReport::generator_limited() const {
    return !generator_limits(generator, lag_p99(*this)).empty();
}

ExitCode HandshakeReport::exit_code() const {
    if (faulty()) return ExitCode::faulty;
    return generator_limited() ? ExitCode::generator_limited : ExitCode::clean;
}

double HandshakeReport::per_s() const {
    return window_s > 0 ? static_cast<double>(tally.done_in_window) / window_s : 0;
}

std::optional<double> HandshakeReport::server_us_per_handshake() const {
    if (!server || tally.done_in_window == 0) return std::nullopt;
    return server->cpu_s() * 1e6 / static_cast<double>(tally.done_in_window);
}

std::vector<std::string> HandshakeReport::remarks() const {
    std::vector<std::string> remarks;
    if (interrupted) remarks.emplace_back("The run was interrupted: the window is shorter.");
    if (!faulty()) remarks.emplace_back("Every handshake was completed.");
    if (tally.failed > 0) {
        remarks.push_back(count_of(tally.failed, "handshake failed", "handshakes failed") + ".");
    }
    if (tally.withheld > 0) {
        remarks.push_back(count_of(tally.withheld, "handshake was", "handshakes were") +
                          " not begun: --connections were under way already.");
    }
    for (const auto& [reason, times] : tally.failures) {
        remarks.push_back("Failure, " + count_of(times, "time", "times") + ": " + reason + ".");
    }
    if (generator_limited()) {
        remarks.push_back("The generator was the bottleneck (" +
                          generator_limits(generator, lag_p99(*this)) +
                          "): rate and times are the generator's, not the server's; the server's "
                          "processor time for each is its own. Use more --threads, a machine that "
                          "does less beside, or another one.");
    }
    return remarks;
}

std::string format_table(const HandshakeReport& report) {
    const HandshakeTally& t = report.tally;
    Table table;
    table.text("parley-load: " + report.url + ", handshakes (" +
               std::string(name_of(report.scenario.handshakes->kind)) + "), " +
               describe_load(report) + ", " + format_decimal(report.window_s, 1) + " s measured");
    table.heading("handshakes (whole run)");
    table.row("done", format_number(t.done));
    table.row("failed", format_number(t.failed));
    for (const auto& [status, times] : t.statuses) {
        table.row("  HTTP status " + std::to_string(status), format_number(times));
    }
    table.row("not begun", format_number(t.withheld));
    if (t.resumed > 0) table.row("TLS sessions resumed", format_number(t.resumed));
    table.heading("rate (measured window)");
    table.row("handshakes/s", format_decimal(report.per_s(), 1));
    table.heading(closed_loop(report) ? "time (connect until done)"
                                      : "time (intended connect until done)");
    table.percentiles(t.time);
    add_costs(table, report);
    table.heading("verdict");
    for (const std::string& remark : report.remarks()) table.sentence(remark);
    return table.str();
}

json::value to_json(const HandshakeReport& report) {
    const HandshakeTally& t = report.tally;
    const GeneratorCost& g = report.generator;
    json::array remarks;
    for (const std::string& remark : report.remarks()) remarks.emplace_back(remark);
    json::value rate = report.scenario.handshakes->rate_per_s;
    if (closed_loop(report)) rate = "max";
    json::value server = nullptr;
    if (report.server) {
        json::object cost{{"cpu_s", report.server->cpu_s()},
                          {"memory", report.scenario.server_pid != 0 ? "pss" : "resident"},
                          {"pss_kib_before", report.server->before_ramp.pss_kib},
                          {"pss_kib_end", report.server->at_window_end.pss_kib}};
        if (const auto us = report.server_us_per_handshake()) cost["cpu_us_per_handshake"] = *us;
        server = std::move(cost);
    }
    return json::object{
        {"url", report.url},
        {"handshake_kind", name_of(report.scenario.handshakes->kind)},
        {"rate_per_s", rate},
        {"at_once", report.scenario.connections},
        {"exit_code", static_cast<int>(report.exit_code())},
        {"generator_limited", report.generator_limited()},
        {"interrupted", report.interrupted},
        {"remarks", std::move(remarks)},
        {"done", t.done},
        {"failed", t.failed},
        {"withheld", t.withheld},
        {"tls_resumed", t.resumed},
        {"statuses", json_counts(t.statuses)},
        {"failures", json_counts(t.failures)},
        {"window_s", report.window_s},
        {"handshakes_per_s", report.per_s()},
        {"time_us", json_percentiles(t.time)},
        {"latency_of", "handshakes"},
        {"time_series", json_series(t.series, report.window, report.end_ns)},
        {"server_series", json_server_series(report.server_seen, t.series.origin_ns())},
        {"latency_buckets", json_buckets(t.time)},
        {"generator",
         {{"cpu_cores", g.cpu_cores},
          {"busiest_thread", g.busiest_share},
          {"kept_waiting", g.longest_wait_share},
          {"begun_late_us", json_percentiles(t.pacing_lag)}}},
        {"server", std::move(server)}};
}

}  // namespace parley::load
