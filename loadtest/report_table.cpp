// The report as an aligned table.
#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string_view>

#include "loadtest/report.hpp"

namespace parley::load {
namespace {

class Table {
public:
    void heading(const std::string& name) { out_ << "\n" << name << "\n"; }
    void row(const char* name, const std::string& value, const std::string& note = {}) {
        char line[96];
        std::snprintf(line, sizeof line, "  %-26s %14s", name, value.c_str());
        out_ << line;
        if (!note.empty()) out_ << "   " << note;
        out_ << "\n";
    }
    void text(const std::string& line) { out_ << line << "\n"; }
    // A sentence, indented and broken at spaces.
    void sentence(const std::string& words) {
        constexpr std::size_t columns = 96;
        std::string_view rest = words;
        for (const char* indent = "  "; !rest.empty(); indent = "    ") {
            std::size_t cut = rest.size() <= columns ? rest.size() : rest.rfind(' ', columns);
            if (cut == std::string_view::npos) cut = rest.size();
            out_ << indent << rest.substr(0, cut) << "\n";
            rest.remove_prefix(std::min(rest.size(), cut + 1));
        }
    }
    [[nodiscard]] std::string str() const { return out_.str(); }

private:
    std::ostringstream out_;
};

std::string number(std::uint64_t value) {
    const std::string digits = std::to_string(value);
    std::string grouped;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) grouped.push_back(',');
        grouped.push_back(digits[i]);
    }
    return grouped;
}

std::string decimal(double value, int places) {
    char text[48];
    std::snprintf(text, sizeof text, "%.*f", places, value);
    return text;
}

std::string duration(std::uint64_t ns) {
    const auto value = static_cast<double>(ns);
    if (value < 1e6) return decimal(value / 1e3, 1) + " us";
    if (value < 1e9) return decimal(value / 1e6, 2) + " ms";
    return decimal(value / 1e9, 3) + " s";
}

void add_percentiles(Table& table, const Histogram& histogram) {
    table.row("p50", duration(histogram.percentile(50)));
    table.row("p90", duration(histogram.percentile(90)));
    table.row("p99", duration(histogram.percentile(99)));
    table.row("p99.9", duration(histogram.percentile(99.9)));
    table.row("p99.99", duration(histogram.percentile(99.99)));
    table.row("max", duration(histogram.max()));
}

void add_deliveries(Table& table, const DeliveryCounts& counts) {
    table.row("expected", number(counts.expected));
    table.row("received", number(counts.received));
    table.row("lost", number(counts.lost));
    table.row("lost, announced", number(counts.announced));
    table.row("duplicate", number(counts.duplicate));
    table.row("out of order", number(counts.out_of_order));
    if (counts.stray > 0) table.row("stray", number(counts.stray));
}

void add_connections(Table& table, const Report& report) {
    const Tally& t = report.tally;
    table.heading("connections");
    table.row("asked", number(report.scenario.connections));
    table.row("opened", number(t.opened));
    table.row("failed", number(t.failed));
    table.row("ended by the other side", number(t.dropped));
    for (const auto& [code, times] : t.closes) {
        table.row(("  close code " + std::to_string(code)).c_str(), number(times));
    }
    if (report.scenario.churn_per_s > 0) {
        table.row("left and rejoined", number(t.churned), number(t.rejoined) + " rejoined");
    }
    table.heading("handshake (connect until joined)");
    add_percentiles(table, t.handshake);
}

void add_costs(Table& table, const Report& report) {
    table.heading("generator");
    table.row("CPU", decimal(report.generator.cpu_cores, 2), "cores");
    table.row("busiest thread", decimal(report.generator.busiest_share * 100, 0) + " %");
    table.row("kept waiting, at most",
              decimal(report.generator.longest_wait_share * 100, 0) + " %");
    table.row("sent late, p99", duration(report.tally.pacing_lag.percentile(99)));
    if (!report.server) return;
    const ServerCost& s = *report.server;
    table.heading("server");
    table.row("CPU",
              decimal((s.at_window_end.cpu_s - s.at_window_start.cpu_s) /
                          (report.window_s > 0 ? report.window_s : 1),
                      2),
              "cores");
    if (const auto us = report.server_us_per_delivery()) {
        table.row("CPU per delivery", decimal(*us, 3) + " us");
    }
    table.row("memory before the ramp", number(s.before_ramp.pss_kib) + " KiB");
    table.row("memory with all connected", number(s.at_window_start.pss_kib) + " KiB");
    table.row("memory at the end", number(s.at_window_end.pss_kib) + " KiB");
}

}  // namespace

std::string format_table(const Report& report) {
    const Scenario& s = report.scenario;
    const Tally& t = report.tally;
    Table table;
    table.text("parley-load: " + report.url + " (" + report.target + "), " +
               std::to_string(s.connections) + " connections, " + std::to_string(s.rooms) +
               (s.rooms == 1 ? " room, " : " rooms, ") + decimal(s.rate_per_s, 1) +
               " messages/s of " + std::to_string(s.payload_bytes) + " bytes, " +
               decimal(report.window_s, 1) + " s measured");
    add_connections(table, report);

    table.heading("messages (whole run)");
    table.row("published", number(t.published));
    table.row("refused by the server", number(t.refused));
    table.row("could not be sent", number(t.withheld));
    table.heading("deliveries (whole run)");
    add_deliveries(table, t.steady);
    if (s.slow_readers() > 0) {
        table.heading("deliveries to " + std::to_string(s.slow_readers()) + " slow readers");
        add_deliveries(table, t.slow);
        for (const auto& [code, times] : t.slow_closes) {
            table.row(("ended with code " + std::to_string(code)).c_str(), number(times));
        }
    }
    table.heading("rates (measured window)");
    if (report.window_s > 0) {
        table.row("messages/s",
                  decimal(static_cast<double>(t.published_in_window) / report.window_s, 1));
    }
    table.row("deliveries/s", decimal(report.throughput_per_s(), 1));
    table.heading(report.generator_limited()
                      ? "latency OF THE GENERATOR, not the server's (intended send to receipt)"
                      : "latency (intended send to receipt, each receiver)");
    add_percentiles(table, t.latency);
    add_costs(table, report);
    table.heading("verdict");
    for (const std::string& remark : report.remarks()) table.sentence(remark);
    return table.str();
}

}  // namespace parley::load
