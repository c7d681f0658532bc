// The report as an aligned table.
#include <string>

#include "loadtest/cost_rows.hpp"
#include "loadtest/report.hpp"
#include "loadtest/report_phases.hpp"
#include "loadtest/table.hpp"

namespace parley::load {
namespace {

std::string describe_status(unsigned status) {
    switch (status) {
        case 429:
            return "rate limited";
        case 503:
            return "overloaded or draining";
        default:
            return {};
    }
}

void add_deliveries(Table& table, const DeliveryCounts& counts) {
    table.row("expected", format_number(counts.expected));
    table.row("received", format_number(counts.received));
    table.row("lost", format_number(counts.lost));
    table.row("lost, announced", format_number(counts.announced));
    table.row("duplicate", format_number(counts.duplicate));
    table.row("out of order", format_number(counts.out_of_order));
    if (counts.stray > 0) table.row("stray", format_number(counts.stray));
}

void add_connections(Table& table, const Report& report) {
    const Tally& t = report.tally;
    table.heading("connections");
    const Tally& senders = report.by_transport[senders_tally];
    const std::uint64_t also = senders.opened + senders.failed;
    table.row("asked", format_number(report.scenario.connections),
              also > 0 ? "and " + format_number(also) + " that send for those who only listen"
                       : std::string());
    table.row("opened", format_number(t.opened));
    table.row("failed", format_number(t.failed));
    table.row("ended by the other side", format_number(t.dropped));
    for (const auto& [code, times] : t.closes) {
        table.row("  close code " + std::to_string(code), format_number(times));
    }
    if (t.churned > 0) {
        table.row("left and rejoined", format_number(t.churned),
                  format_number(t.rejoined) + " rejoined");
    }
    for (const auto& [status, times] : t.statuses) {
        table.row("  HTTP status " + std::to_string(status), format_number(times),
                  describe_status(status));
    }
    if (t.reconnected > 0) table.row("keep-alive reopened", format_number(t.reconnected));
    if (t.resumed_tls > 0) table.row("TLS sessions resumed", format_number(t.resumed_tls));
    table.heading("handshake (connect until ready)");
    table.percentiles(t.handshake);
}

void add_costs(Table& table, const Report& report) {
    add_generator(table, report.generator);
    if (const auto us = report.generator_us_per_delivery()) {
        table.row("CPU per delivery", format_decimal(*us, 3) + " us");
    }
    table.row("sent late, p99", format_ns(report.tally.pacing_lag.percentile(99)));
    if (!report.server) return;
    const ServerCost& s = *report.server;
    add_server(table, s, report.window_s);
    if (const auto us = report.server_us_per_delivery()) {
        table.row("CPU per delivery", format_decimal(*us, 3) + " us");
    }
    if (const auto us = report.server_us_per_answer()) {
        table.row("CPU per message", format_decimal(*us, 3) + " us");
    }
    add_memory(table, "before the ramp", s.before_ramp.pss_kib);
    add_memory(table, "with all connected", s.at_window_start.pss_kib);
    add_memory(table, "at the end", s.at_window_end.pss_kib);
}

void add_latency(Table& table, const Report& report) {
    table.heading(report.generator_limited()
                      ? "latency OF THE GENERATOR, not the server's (intended send to receipt)"
                      : "latency (intended send to receipt, each receiver)");
    table.percentiles(report.tally.latency);
}

// A line for each transport, and one for all of them.
void add_transports(Table& table, const Report& report) {
    const std::vector<Transport> used = report.transports_used();
    if (used.size() < 2) return;
    table.heading("by transport (latency: intended send to receipt)");
    table.cells({"", "opened", "received", "lost", "faulty", "p50", "p90", "p99", "p99.9", "max"});
    const auto line = [&table](std::string_view name, const Tally& t) {
        const Histogram& h = t.latency;
        table.cells({std::string(name), format_number(t.opened), format_number(t.steady.received),
                     format_number(t.steady.lost + t.steady.announced),
                     format_number(t.steady.duplicate + t.steady.out_of_order + t.steady.stray),
                     format_ns(h.percentile(50)), format_ns(h.percentile(90)),
                     format_ns(h.percentile(99)), format_ns(h.percentile(99.9)),
                     format_ns(h.max())});
    };
    for (const Transport transport : used) {
        if (entry_of(transport).listens) line(name_of(transport), report.tally_of(transport));
    }
    line("all", report.tally);
}

void add_answers(Table& table, const Report& report) {
    const Tally& t = report.tally;
    if (t.answer.count() == 0) return;
    table.heading(report.scenario.rate_max
                      ? "answers to publishers (sending to 201)"
                      : "answers to publishers (intended send to 201 or acknowledgement)");
    table.row("accepted, whole run", format_number(t.answered));
    table.row("accepted/s", format_decimal(report.answers_per_s(), 1));
    table.percentiles(t.answer);
}

std::string rate_of(const Scenario& scenario) {
    std::string text =
        scenario.rate_max ? "closed loop" : format_decimal(scenario.rate_per_s, 1) + " messages/s";
    if (!scenario.phases.empty()) {
        text = count_of(scenario.phases.size(), "phase", "phases");
    }
    if (!scenario.personas.empty()) {
        return text + " of " + count_of(scenario.personas.size(), "persona", "personas");
    }
    return text + " of " + std::to_string(scenario.payload_bytes) + " bytes";
}

}  // namespace

std::string format_table(const Report& report) {
    const Scenario& s = report.scenario;
    const Tally& t = report.tally;
    Table table;
    table.text("parley-load: " + report.url + " (" + report.target + "), " +
               std::to_string(s.connections) + " connections, " + std::to_string(s.rooms) +
               (s.rooms == 1 ? " room, " : " rooms, ") + rate_of(s) + ", " +
               format_decimal(report.window_s, 1) + " s measured");
    if (report.find_max) add_find_max(table, *report.find_max);
    add_connections(table, report);

    table.heading(report.find_max ? "messages (last step)" : "messages (whole run)");
    table.row("published", format_number(t.published));
    table.row("refused by the server", format_number(t.refused));
    table.row("could not be sent", format_number(t.withheld));
    if (t.unanswered > 0) table.row("never answered", format_number(t.unanswered));
    const bool listened = !s.mix.only(Transport::rest);
    if (listened) {
        table.heading(report.find_max ? "deliveries (last step)" : "deliveries (whole run)");
        add_deliveries(table, t.steady);
    }
    if (s.slow_readers() > 0) {
        table.heading("deliveries to " + std::to_string(s.slow_readers()) + " slow readers");
        add_deliveries(table, t.slow);
        for (const auto& [code, times] : t.slow_closes) {
            table.row("ended with code " + std::to_string(code), format_number(times));
        }
    }
    table.heading("rates (measured window)");
    if (report.window_s > 0) {
        table.row("messages/s",
                  format_decimal(static_cast<double>(t.published_in_window) / report.window_s, 1));
    }
    if (listened) {
        table.row("deliveries/s", format_decimal(report.throughput_per_s(), 1));
        add_latency(table, report);
        add_transports(table, report);
    }
    add_answers(table, report);
    add_personas(table, report);
    add_phases(table, report);
    add_costs(table, report);
    table.heading("verdict");
    for (const std::string& remark : report.remarks()) table.sentence(remark);
    return table.str();
}

}  // namespace parley::load
