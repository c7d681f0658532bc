// The report as JSON: the same figures as the table, times in microseconds.
#include <boost/json.hpp>

#include "loadtest/json_percentiles.hpp"
#include "loadtest/report.hpp"
#include "loadtest/report_phases.hpp"
#include "loadtest/series_json.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

json::object deliveries(const DeliveryCounts& c) {
    return {{"expected", c.expected},   {"received", c.received},
            {"lost", c.lost},           {"announced", c.announced},
            {"duplicate", c.duplicate}, {"out_of_order", c.out_of_order},
            {"stray", c.stray}};
}

json::object by_transport(const Report& report) {
    json::object out;
    for (const Transport transport : report.transports_used()) {
        const Tally& t = report.tally_of(transport);
        out[name_of(transport)] = {{"percent", report.scenario.mix.percent(transport)},
                                   {"opened", t.opened},
                                   {"failed", t.failed},
                                   {"dropped", t.dropped},
                                   {"published", t.published},
                                   {"refused", t.refused},
                                   {"unanswered", t.unanswered},
                                   {"reconnected", t.reconnected},
                                   {"statuses", json_counts(t.statuses)},
                                   {"deliveries", deliveries(t.steady)},
                                   {"slow_deliveries", deliveries(t.slow)},
                                   {"latency_us", json_percentiles(t.latency)},
                                   {"answer_us", json_percentiles(t.answer)},
                                   {"handshake_us", json_percentiles(t.handshake)}};
    }
    return out;
}

json::value rate_json(const Scenario& scenario) {
    return scenario.rate_max ? json::value("max") : json::value(scenario.rate_per_s);
}

json::object mix(const Report& report) {
    json::object out;
    for (const Transport transport : report.transports_used()) {
        out[name_of(transport)] = report.scenario.mix.percent(transport);
    }
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
            {"rate_per_s", rate_json(s)},
            {"payload_bytes", s.payload_bytes},
            {"warmup_s", seconds(s.warmup)},
            {"duration_s", seconds(s.duration)},
            {"ramp_s", seconds(s.ramp)},
            {"slow_readers", s.slow_readers()},
            {"churn_per_s", s.churn_per_s},
            {"threads", s.threads},
            {"processes", s.split.of},
            {"mix", mix(report)},
            {"source_ips", s.source_ips.size()}};
}

json::value server(const Report& report) {
    if (!report.server) return nullptr;
    const ServerCost& s = *report.server;
    json::object out{{"cpu_s", s.cpu_s()},
                     {"memory", report.scenario.server_pid != 0 ? "pss" : "resident"},
                     {"pss_kib_before_ramp", s.before_ramp.pss_kib},
                     {"pss_kib_connected", s.at_window_start.pss_kib},
                     {"pss_kib_end", s.at_window_end.pss_kib}};
    if (const auto us = report.server_us_per_delivery()) out["cpu_us_per_delivery"] = *us;
    if (const auto us = report.server_us_per_answer()) out["cpu_us_per_answer"] = *us;
    return out;
}

// The percentiles over messages of when their last receiver had them; null: too many to tell.
json::value last_receivers(const Tally& tally) {
    const auto delays = tally.last_receivers.delays();
    if (!delays || delays->count() == 0) return nullptr;
    return json_percentiles(*delays);
}

json::value json_or_null(std::optional<double> number) {
    return number ? json::value(*number) : json::value(nullptr);
}

}  // namespace

json::value to_json(const Report& report) {
    const Tally& t = report.tally;
    const GeneratorCost& g = report.generator;
    const Scenario& s = report.scenario;
    json::array remarks;
    for (const std::string& remark : report.remarks()) remarks.emplace_back(remark);
    json::value find_max;
    if (report.find_max) find_max = to_json(*report.find_max);
    const auto own_us = report.generator_us_per_delivery();
    const double published_per_s =
        report.window_s > 0 ? static_cast<double>(t.published_in_window) / report.window_s : 0;
    json::object out{
        {"scenario", scenario(report)},
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
          {"reconnected", t.reconnected},
          {"tls_resumed", t.resumed_tls},
          {"senders", report.by_transport[senders_tally].opened},
          {"statuses", json_counts(t.statuses)},
          {"closes", json_counts(t.closes)},
          {"slow_closes", json_counts(t.slow_closes)},
          {"failures", json_counts(t.failures)}}},
        {"messages",
         {{"published", t.published},
          {"refused", t.refused},
          {"withheld", t.withheld},
          {"answered", t.answered},
          {"unanswered", t.unanswered},
          {"refusals", json_counts(t.refusals)}}},
        {"deliveries", deliveries(t.steady)},
        {"slow_deliveries", deliveries(t.slow)},
        {"find_max", std::move(find_max)},
        {"window_s", report.window_s},
        {"messages_per_s", published_per_s},
        {"deliveries_per_s", report.throughput_per_s()},
        {"bytes_per_delivery", json_or_null(report.bytes_per_delivery())},
        {"arrived_share", report.arrived_share()},
        {"answers_per_s", report.answers_per_s()},
        {"latency_us", json_percentiles(t.latency)},
        {"last_receiver_us", last_receivers(t)},
        {"answer_us", json_percentiles(t.answer)},
        {"by_transport", by_transport(report)},
        {"handshake_us", json_percentiles(t.handshake)},
        {"generator",
         {{"cpu_cores", g.cpu_cores},
          {"cpu_us_per_delivery", own_us ? json::value(*own_us) : json::value()},
          {"spin", report.scenario.spin},
          {"busiest_thread", g.busiest_share},
          {"kept_waiting", g.longest_wait_share},
          {"sent_late_us", json_percentiles(t.pacing_lag)}}},
        {"server", server(report)},
        {"latency_of", s.mix.only(Transport::rest) ? "answers" : "deliveries"},
        {"latency_buckets", json_buckets(report.main_latency())},
        {"time_series", json_series(report.series, report.window, report.end_ns)},
        {"server_series", json_server_series(report.server_seen, report.series.origin_ns())}};
    add_phases(out, report);
    add_personas(out, report);
    return out;
}

}  // namespace parley::load
