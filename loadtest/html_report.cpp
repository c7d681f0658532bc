#include "loadtest/html_report.hpp"

#include <array>
#include <boost/json.hpp>
#include <utility>

#include "loadtest/html_page.hpp"
#include "loadtest/json_view.hpp"
#include "loadtest/report_charts.hpp"
#include "loadtest/table.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;
using Row = std::vector<std::string>;

std::string count_at(const json::value& root, std::string_view path) {
    const auto value = json_number(root, path);
    return value ? format_number(static_cast<std::uint64_t>(*value)) : std::string("–");
}

std::string us_at(const json::value& root, const std::string& path) {
    const auto value = json_number(root, path);
    return value ? format_us(*value) : std::string("–");
}

void add_verdict(HtmlPage& page, const json::value& result) {
    const auto code = json_number(result, "exit_code").value_or(0);
    const char* const kind = code == 0 ? "good" : code == 2 ? "warn" : "bad";
    const json::value* const remarks = json_at(result, "remarks");
    if (remarks == nullptr || !remarks->is_array()) return;
    for (const json::value& remark : remarks->get_array()) {
        if (remark.is_string()) page.sentence(std::string_view(remark.get_string()), kind);
    }
}

// Where the histogram of the values lies that this kind of run is about.
std::string latency_key(const json::value& result) {
    if (json_text(result, "kind") == "handshakes") return "time_us";
    return json_text(result, "latency_of") == "answers" ? "answer_us" : "latency_us";
}

void add_summary(HtmlPage& page, const json::value& result) {
    std::vector<HtmlPage::Tile> tiles;
    const auto rate = [&](const char* key, const char* name) {
        const auto value = json_number(result, key);
        if (value && *value > 0) tiles.push_back({format_count(*value), name, {}});
    };
    rate("handshakes_per_s", "handshakes a second");
    rate("messages_per_s", "messages a second");
    rate("deliveries_per_s", "deliveries a second");
    rate("answers_per_s", "answers a second");
    const std::string key = latency_key(result);
    tiles.push_back({us_at(result, key + "/p50"), "median", {}});
    tiles.push_back({us_at(result, key + "/p99"), "99 %", {}});
    tiles.push_back({us_at(result, key + "/max"), "longest", {}});
    const auto lost = json_number(result, "deliveries/lost").value_or(0) +
                      json_number(result, "deliveries/announced").value_or(0);
    if (json_at(result, "deliveries") != nullptr) {
        tiles.push_back({format_count(lost), "deliveries lost", lost > 0 ? "bad" : "good"});
    }
    for (const auto& [path, name] : std::initializer_list<std::pair<const char*, const char*>>{
             {"server/cpu_us_per_delivery", "us of server CPU a delivery"},
             {"server/cpu_us_per_answer", "us of server CPU a message"},
             {"server/cpu_us_per_handshake", "us of server CPU a handshake"}}) {
        if (const auto us = json_number(result, path)) {
            tiles.push_back({format_decimal(*us, 2), name, {}});
        }
    }
    page.tiles(tiles);
}

void add_percentiles(HtmlPage& page, const json::value& result) {
    std::vector<Row> rows{{"", "values", "p50", "p90", "p99", "p99.9", "p99.99", "longest"}};
    const auto row = [&](const std::string& name, const json::value& of, const std::string& key) {
        if (json_number(of, key + "/count").value_or(0) == 0) return;
        rows.push_back({name, count_at(of, key + "/count"), us_at(of, key + "/p50"),
                        us_at(of, key + "/p90"), us_at(of, key + "/p99"), us_at(of, key + "/p99_9"),
                        us_at(of, key + "/p99_99"), us_at(of, key + "/max")});
    };
    row("deliveries", result, "latency_us");
    row("answers to publishers", result, "answer_us");
    row("until a connection was ready", result, "handshake_us");
    row("handshakes", result, "time_us");
    const json::value* const parts = json_at(result, "by_transport");
    if (parts != nullptr && parts->is_object() && parts->get_object().size() > 1) {
        for (const auto& part : parts->get_object()) {
            row("deliveries: " + std::string(part.key()), part.value(), "latency_us");
        }
    }
    row("sent late by the generator", result, "generator/sent_late_us");
    row("begun late by the generator", result, "generator/begun_late_us");
    page.heading("Times");
    page.table(rows);
}

constexpr std::array<const char*, 6> fault_keys{"lost",         "announced", "duplicate",
                                                "out_of_order", "stray",     "received"};

// A row for each transport, and for slow readers apart, since what they lose is policy.
void add_deliveries(HtmlPage& page, const json::value& result) {
    std::vector<Row> rows{{"deliveries", "lost", "lost, announced", "duplicate", "out of order",
                           "stray", "received", "expected"}};
    std::vector<std::string> kinds;
    const auto row = [&](const std::string& name, const json::value* counts, bool policy) {
        if (counts == nullptr || json_number(*counts, "expected").value_or(0) == 0) return;
        Row cells{name};
        double faults = 0;
        for (const char* const key : fault_keys) {
            cells.push_back(count_at(*counts, key));
            const bool fault = key != std::string_view("received");
            const bool counted = !policy || (key != std::string_view("lost") &&
                                             key != std::string_view("announced"));
            if (fault && counted) faults += json_number(*counts, key).value_or(0);
        }
        cells.push_back(count_at(*counts, "expected"));
        rows.push_back(std::move(cells));
        kinds.emplace_back(faults > 0 ? "bad" : "");
    };
    row("all", json_at(result, "deliveries"), false);
    row("all, slow readers", json_at(result, "slow_deliveries"), true);
    const json::value* const parts = json_at(result, "by_transport");
    if (parts != nullptr && parts->is_object()) {
        for (const auto& part : parts->get_object()) {
            row(std::string(part.key()), json_at(part.value(), "deliveries"), false);
            row(std::string(part.key()) + ", slow readers",
                json_at(part.value(), "slow_deliveries"), true);
        }
    }
    if (rows.size() == 1) return;
    page.heading("Loss, duplicates and order, whole run");
    page.table(rows, kinds);
}

// Everything that was counted under a name of its own.
void add_causes(HtmlPage& page, const json::value& result) {
    struct Cause {
        const char* path;
        const char* name;
        bool bad;
    };
    constexpr Cause causes[] = {{"connections/failures", "failure", true},
                                {"connections/closes", "ended with close code", true},
                                {"connections/slow_closes", "slow reader ended with code", false},
                                {"connections/statuses", "answered with HTTP status", true},
                                {"messages/refusals", "message refused", true},
                                {"failures", "failure", true},
                                {"statuses", "answered with HTTP status", true}};
    std::vector<Row> rows{{"cause", "times"}};
    std::vector<std::string> kinds;
    const auto add = [&](const std::string& name, double times, bool bad) {
        if (times == 0) return;
        rows.push_back({name, format_number(static_cast<std::uint64_t>(times))});
        kinds.emplace_back(bad ? "bad" : "");
    };
    for (const auto& [path, name, bad] : causes) {
        const json::value* const found = json_at(result, path);
        if (found == nullptr || !found->is_object()) continue;
        for (const auto& entry : found->get_object()) {
            const double times = entry.value().is_number() ? entry.value().to_number<double>() : 0;
            add(std::string(name) + " " + std::string(entry.key()), times, bad);
        }
    }
    const auto number = [&](const char* path) { return json_number(result, path).value_or(0); };
    add("messages that could not be sent", number("messages/withheld"), true);
    add("messages that were never answered", number("messages/unanswered"), true);
    add("handshakes not begun: too many under way", number("withheld"), true);
    if (rows.size() == 1) return;
    page.heading("By cause");
    page.table(rows, kinds);
}

void add_charts(HtmlPage& page, const json::value& result) {
    page.heading("Charts");
    if (json_at(result, "time_series") != nullptr) {
        const double every = json_number(result, "time_series/interval_s").value_or(1);
        page.sentence("Over time: seconds since the first connection; a point for each " +
                          format_decimal(every, 0) + " s; the measured window is shaded.",
                      "soft");
    }
    page.begin_charts();
    for (const auto chart : {latency_over_time, latency_histogram, percentile_curve,
                             throughput_over_time, connections_over_time, server_cpu_over_time,
                             server_memory_over_time, server_counters_over_time}) {
        page.add(chart(result));
    }
    page.end_charts();
}

void add_costs(HtmlPage& page, const json::value& result) {
    std::vector<std::pair<std::string, std::string>> facts;
    const auto decimal = [&](const char* name, const char* path, const char* unit, int places) {
        if (const auto value = json_number(result, path)) {
            facts.emplace_back(name, format_decimal(*value, places) + unit);
        }
    };
    decimal("generator", "generator/cpu_cores", " cores", 2);
    if (const auto share = json_number(result, "generator/busiest_thread")) {
        facts.emplace_back("its busiest thread", format_decimal(*share * 100, 0) + " %");
    }
    decimal("server, in the window", "server/cpu_s", " s of CPU", 2);
    const std::string memory =
        json_text(result, "server/memory") == "resident" ? " KiB resident" : " KiB (PSS)";
    decimal("its memory before the ramp", "server/pss_kib_before_ramp", memory.c_str(), 0);
    decimal("with all connected", "server/pss_kib_connected", memory.c_str(), 0);
    decimal("its memory before", "server/pss_kib_before", memory.c_str(), 0);
    decimal("at the end", "server/pss_kib_end", memory.c_str(), 0);
    const auto holes = json_number(result, "server_series/scrapes_failed").value_or(0);
    if (holes > 0) {
        facts.emplace_back(
            "scrapes that failed",
            format_decimal(holes, 0) + ": " + json_text(result, "server_series/last_failure"));
    }
    page.heading("Cost");
    page.facts(facts);
}

void add_origin(HtmlPage& page, const json::value& result) {
    std::vector<std::pair<std::string, std::string>> facts{
        {"command line", json_text(result, "command_line")},
        {"begun", json_text(result, "started_at")},
        {"program", json_text(result, "program") + " " + json_text(result, "version")},
        {"machine of the generator", json_text(result, "machine/processor") + ", " +
                                         json_text(result, "machine/processors") + " processors, " +
                                         count_at(result, "machine/memory_kib") + " KiB, " +
                                         json_text(result, "machine/system")}};
    page.heading("How it was measured");
    page.facts(facts);
    const json::value* const scenario = json_at(result, "scenario");
    if (scenario == nullptr || !scenario->is_object()) return;
    page.heading("Scenario");
    facts.clear();
    for (const auto& entry : scenario->get_object()) {
        facts.emplace_back(entry.key(), json_text(*scenario, entry.key()));
    }
    page.facts(facts);
}

}  // namespace

std::string html_report(const json::value& result) {
    const bool handshakes = json_text(result, "kind") == "handshakes";
    const std::string url = json_text(result, handshakes ? "url" : "scenario/url");
    HtmlPage page("parley-load: " + url);
    const auto window = json_number(result, "window_s").value_or(0);
    page.sentence((handshakes ? "handshakes (" + json_text(result, "handshake_kind") + "), "
                              : json_text(result, "scenario/target") + ", ") +
                      format_decimal(window, 1) + " s measured",
                  "soft");
    add_verdict(page, result);
    add_summary(page, result);
    add_charts(page, result);
    add_percentiles(page, result);
    add_deliveries(page, result);
    add_causes(page, result);
    add_costs(page, result);
    add_origin(page, result);
    return page.str();
}

}  // namespace parley::load
