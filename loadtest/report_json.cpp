// The report as JSON: the same figures as the table, times in microseconds.
#include <boost/json.hpp>

#include "loadtest/report.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

double microseconds(std::uint64_t ns) {
    return static_cast<double>(ns) / 1e3;
}

json::object percentiles(const Histogram& h) {
    return {{"count", h.count()},
            {"mean", h.mean() / 1e3},
            {"min", microseconds(h.min())},
            {"p50", microseconds(h.percentile(50))},
            {"p90", microseconds(h.percentile(90))},
            {"p99", microseconds(h.percentile(99))},
            {"p99_9", microseconds(h.percentile(99.9))},
            {"p99_99", microseconds(h.percentile(99.99))},
            {"max", microseconds(h.max())}};
}

json::object deliveries(const DeliveryCounts& c) {
    return {{"expected", c.expected},   {"received", c.received},
            {"lost", c.lost},           {"announced", c.announced},
            {"duplicate", c.duplicate}, {"out_of_order", c.out_of_order},
            {"stray", c.stray}};
}

json::object closes(const std::map<std::uint16_t, std::uint64_t>& codes) {
    json::object out;
    for (const auto& [code, times] : codes) out[std::to_string(code)] = times;
    return out;
}

json::object reasons(const Reasons& counted) {
    json::object out;
    for (const auto& [reason, times] : counted) out[reason] = times;
    return out;
}

json::object scenario(const Report& report) {
    const Scenario& s = report.scenario;
    const auto seconds = [](std::chrono::nanoseconds d) {
        return std::chrono::duration<double>(d).count();
    };
    return {{"url", report.url},
            {"target", report.target},
            {"connections", s.connections},
            {"rooms", s.rooms},
            {"spread", s.spread},
            {"rate_per_s", s.rate_per_s},
            {"payload_bytes", s.payload_bytes},
            {"warmup_s", seconds(s.warmup)},
            {"duration_s", seconds(s.duration)},
            {"ramp_s", seconds(s.ramp)},
            {"slow_readers", s.slow_readers()},
            {"churn_per_s", s.churn_per_s},
            {"threads", s.threads},
            {"source_ips", s.source_ips.size()}};
}

json::value server(const Report& report) {
    if (!report.server) return nullptr;
    const ServerCost& s = *report.server;
    json::object out{{"cpu_s", s.at_window_end.cpu_s - s.at_window_start.cpu_s},
                     {"pss_kib_before_ramp", s.before_ramp.pss_kib},
                     {"pss_kib_connected", s.at_window_start.pss_kib},
                     {"pss_kib_end", s.at_window_end.pss_kib}};
    if (const auto us = report.server_us_per_delivery()) out["cpu_us_per_delivery"] = *us;
    return out;
}

}  // namespace

json::value to_json(const Report& report) {
    const Tally& t = report.tally;
    const GeneratorCost& g = report.generator;
    json::array remarks;
    for (const std::string& remark : report.remarks()) remarks.emplace_back(remark);
    const double published_per_s =
        report.window_s > 0 ? static_cast<double>(t.published_in_window) / report.window_s : 0;
    return json::object{{"scenario", scenario(report)},
                        {"exit_code", static_cast<int>(report.exit_code())},
                        {"generator_limited", report.generator_limited()},
                        {"interrupted", report.interrupted},
                        {"remarks", std::move(remarks)},
                        {"connections",
                         {{"asked", report.scenario.connections},
                          {"opened", t.opened},
                          {"failed", t.failed},
                          {"dropped", t.dropped},
                          {"churned", t.churned},
                          {"rejoined", t.rejoined},
                          {"closes", closes(t.closes)},
                          {"slow_closes", closes(t.slow_closes)},
                          {"failures", reasons(t.failures)}}},
                        {"messages",
                         {{"published", t.published},
                          {"refused", t.refused},
                          {"withheld", t.withheld},
                          {"refusals", reasons(t.refusals)}}},
                        {"deliveries", deliveries(t.steady)},
                        {"slow_deliveries", deliveries(t.slow)},
                        {"window_s", report.window_s},
                        {"messages_per_s", published_per_s},
                        {"deliveries_per_s", report.throughput_per_s()},
                        {"latency_us", percentiles(t.latency)},
                        {"handshake_us", percentiles(t.handshake)},
                        {"generator",
                         {{"cpu_cores", g.cpu_cores},
                          {"busiest_thread", g.busiest_share},
                          {"kept_waiting", g.longest_wait_share},
                          {"sent_late_us", percentiles(t.pacing_lag)}}},
                        {"server", server(report)}};
}

}  // namespace parley::load
