#include "loadtest/compare.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "loadtest/json_view.hpp"
#include "loadtest/table.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

// Two runs of one thing differ by so much whatever their seconds say.
constexpr double least_noise = 0.01;
// A search ends when what was borne and what was refused are so far apart.
constexpr double least_search_noise = 0.03;
// Where an allocator's pages lie by chance.
constexpr double least_memory_noise = 0.05;
// Fewer seconds than these say nothing of their spread.
constexpr std::size_t seconds_min = 5;
// A difference beyond two standard errors is hardly chance (about 5 % of the time).
constexpr double errors_wide = 2;

struct Measure {
    const char* path;
    const char* name;
    const char* unit;
    bool less_is_better;
    bool judged;
    // The column of its seconds; "": none. Of answers beside deliveries the series tells nothing; the
    // seconds of the deliveries stand for them, which wait for the same server.
    const char* over_time;
    double noise_min = least_noise;
};

constexpr std::array measures{
    Measure{"deliveries_per_s", "deliveries", "/s", false, true, "time_series/delivered_per_s"},
    Measure{"messages_per_s", "messages", "/s", false, true, "time_series/sent_per_s"},
    Measure{"answers_per_s", "answers", "/s", false, true, "time_series/answered_per_s"},
    Measure{"handshakes_per_s", "handshakes", "/s", false, true, "time_series/answered_per_s"},
    Measure{"latency_us/p50", "latency p50", "us", true, true, "time_series/p50_us"},
    Measure{"latency_us/p90", "latency p90", "us", true, true, "time_series/p90_us"},
    Measure{"latency_us/p99", "latency p99", "us", true, true, "time_series/p99_us"},
    Measure{"latency_us/p99_9", "latency p99.9", "us", true, true, "time_series/p99_9_us"},
    Measure{"latency_us/p99_99", "latency p99.99", "us", true, false, ""},
    Measure{"latency_us/max", "latency, longest", "us", true, false, ""},
    Measure{"answer_us/p50", "answers p50", "us", true, true, "time_series/p50_us"},
    Measure{"answer_us/p99", "answers p99", "us", true, true, "time_series/p99_us"},
    Measure{"answer_us/p99_9", "answers p99.9", "us", true, true, "time_series/p99_9_us"},
    Measure{"answer_us/max", "answers, longest", "us", true, false, ""},
    Measure{"time_us/p50", "handshake p50", "us", true, true, "time_series/p50_us"},
    Measure{"time_us/p99", "handshake p99", "us", true, true, "time_series/p99_us"},
    Measure{"time_us/max", "handshake, longest", "us", true, false, ""},
    Measure{"deliveries/lost", "lost", "", true, true, ""},
    Measure{"deliveries/announced", "lost, announced", "", true, true, ""},
    Measure{"deliveries/duplicate", "duplicate", "", true, true, ""},
    Measure{"deliveries/out_of_order", "out of order", "", true, true, ""},
    Measure{"connections/failed", "connections failed", "", true, true, ""},
    Measure{"connections/dropped", "connections ended", "", true, true, ""},
    Measure{"failed", "handshakes failed", "", true, true, ""},
    Measure{"server/cpu_us_per_delivery", "server CPU a delivery", "us", true, true,
            "server_series/cpu_cores"},
    Measure{"server/cpu_us_per_answer", "server CPU a message", "us", true, true,
            "server_series/cpu_cores"},
    Measure{"server/cpu_us_per_handshake", "server CPU a handshake", "us", true, true,
            "server_series/cpu_cores"},
    Measure{"server/pss_kib_connected", "server memory, connected", "KiB", true, true, "",
            least_memory_noise},
    Measure{"server/pss_kib_end", "server memory at the end", "KiB", true, true, "",
            least_memory_noise},
    Measure{"generator/cpu_cores", "generator CPU", "cores", true, false, ""},
};

// What of a scenario may differ: where it ran and from where, not what was asked of the server.
bool may_differ(std::string_view key) {
    static const std::set<std::string_view> keys{"url",    "target",      "threads",  "source_ips",
                                                 "ramp_s", "room_prefix", "processes"};
    return keys.contains(key);
}

std::string told(const json::value* value) {
    return value == nullptr ? std::string("nothing") : json_text(*value, "");
}

// 100 and 100.0 are the same: other programs write results too, such as jq.
bool same(const json::value& a, const json::value& b) {
    if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
    if (!a.is_object() || !b.is_object()) return a == b;
    return a.get_object().size() == b.get_object().size() &&
           std::ranges::all_of(a.get_object(), [&b](const auto& entry) {
               const json::value* const other = b.get_object().if_contains(entry.key());
               return other != nullptr && same(entry.value(), *other);
           });
}

// Both have searched the highest rate: each has come to a rate and a length of its own.
bool searches(const json::value& before, const json::value& after) {
    return json_at(before, "find_max") != nullptr && json_at(after, "find_max") != nullptr;
}

bool of_the_search(std::string_view key) {
    return key == "rate_per_s" || key == "duration_s";
}

// Where one of them does not tell, it is older than the question.
void compare_scenarios(const json::value& before, const json::value& after, Comparison& out) {
    const auto differ = [&](std::string_view name, const json::value* a, const json::value* b) {
        if (a == nullptr || b == nullptr || same(*a, *b)) return;
        out.differences.push_back(std::string(name) + ": " + told(a) + " and " + told(b));
    };
    const bool handshakes = json_at(before, "handshake_kind") != nullptr;
    if (handshakes != (json_at(after, "handshake_kind") != nullptr)) {
        out.differences.emplace_back("kind: one is of handshakes, the other of messages");
        return;
    }
    for (const char* const key : {"handshake_kind", "rate_per_s", "at_once", "latency_of"}) {
        differ(key, json_at(before, key), json_at(after, key));
    }
    const json::value* const scenario = json_at(before, "scenario");
    if (scenario == nullptr || !scenario->is_object()) return;
    for (const auto& entry : scenario->get_object()) {
        if (may_differ(entry.key())) continue;
        if (searches(before, after) && of_the_search(entry.key())) continue;
        const std::string path = "scenario/" + std::string(entry.key());
        differ(entry.key(), json_at(before, path), json_at(after, path));
    }
}

// Those of the seconds that lie in the measured window whole. A server's looks are seconds too.
std::vector<double> in_window(const json::value& result, const std::string& column) {
    std::vector<double> values;
    const auto window = json_column(result, "time_series/window_s");
    const auto at = json_column(result, column.substr(0, column.find('/')) + "/at_s");
    const auto all = json_column(result, column);
    if (window.size() != 2 || !window[0] || !window[1] || at.size() != all.size()) return values;
    for (std::size_t i = 1; i < all.size(); ++i) {
        const bool inside = at[i - 1] && at[i] && *at[i - 1] >= *window[0] && *at[i] <= *window[1];
        if (inside && all[i]) values.push_back(*all[i]);
    }
    return values;
}

// The standard error of the mean of the run's seconds, as a share of that mean.
std::optional<double> relative_error(const json::value& result, const std::string& column) {
    if (column.empty()) return std::nullopt;
    const std::vector<double> values = in_window(result, column);
    if (values.size() < seconds_min) return std::nullopt;
    const auto n = static_cast<double>(values.size());
    double mean = 0;
    for (const double value : values) mean += value / n;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    if (mean <= 0) return std::nullopt;
    return std::sqrt(squares / (n - 1) / n) / mean;
}

void judge(Change& change) {
    const double worse =
        change.less_is_better ? change.after - change.before : change.before - change.after;
    if (std::abs(worse) <= change.noise * change.before) {
        change.word = Change::Word::within_noise;
    } else if (worse < 0) {
        change.word = Change::Word::better;
    } else {
        change.word = Change::Word::worse;
        change.worse_percent = change.before > 0 ? worse / change.before * 100
                                                 : std::numeric_limits<double>::infinity();
    }
}

std::optional<Change> change_of(const Measure& measure, const json::value& before,
                                const json::value& after) {
    const auto first = json_number(before, measure.path);
    const auto second = json_number(after, measure.path);
    if (!first || !second || (*first == 0 && *second == 0)) return std::nullopt;
    Change change;
    change.name = measure.name;
    change.unit = measure.unit;
    change.before = *first;
    change.after = *second;
    change.less_is_better = measure.less_is_better;
    if (!measure.judged) return change;
    const auto a = relative_error(before, measure.over_time);
    const auto b = relative_error(after, measure.over_time);
    if (a && b) {
        const double spread = *b * *second;
        const double error = std::hypot(*a * *first, spread);
        change.noise = *first > 0 ? errors_wide * error / *first : 0;
        change.noise_measured = true;
    }
    change.noise = std::max(change.noise, measure.noise_min);
    judge(change);
    return change;
}

// What follows from the rate that was asked for; where the rates differ, it says nothing of the server.
bool follows_the_rate(std::string_view path) {
    return path.ends_with("_per_s") || path.starts_with("latency_us/") ||
           path.starts_with("answer_us/");
}

void compare_measures(const json::value& before, const json::value& after, Comparison& out) {
    for (Measure measure : measures) {
        if (searches(before, after) && follows_the_rate(measure.path)) measure.judged = false;
        if (auto change = change_of(measure, before, after)) out.changes.push_back(*change);
    }
}

// Deliveries a second by the bound of the p99 in milliseconds; 0 where no rate was found.
std::map<double, double> bounds_of(const json::value& result) {
    std::map<double, double> found;
    const json::value* const bounds = json_at(result, "find_max/bounds");
    if (bounds == nullptr || !bounds->is_array()) return found;
    for (const json::value& bound : bounds->get_array()) {
        const auto p99_max_ms = json_number(bound, "p99_max_ms");
        if (p99_max_ms) found[*p99_max_ms] = json_number(bound, "deliveries_per_s").value_or(0);
    }
    return found;
}

void compare_bounds(const json::value& before, const json::value& after, Comparison& out) {
    if (!searches(before, after)) return;
    const auto second = bounds_of(after);
    bool shared = false;
    for (const auto& [p99_max_ms, rate] : bounds_of(before)) {
        const auto other = second.find(p99_max_ms);
        if (other == second.end()) continue;
        shared = true;
        if (rate == 0 && other->second == 0) continue;
        Change change;
        change.name = "deliveries, p99 <= " + format_decimal(p99_max_ms, 1) + " ms";
        change.unit = "/s";
        change.before = rate;
        change.after = other->second;
        change.less_is_better = false;
        change.noise = least_search_noise;
        judge(change);
        out.changes.push_back(std::move(change));
    }
    if (!shared) out.differences.emplace_back("find_max: no bound is in both");
}

void add_remarks(const json::value& before, const json::value& after, Comparison& out) {
    const auto each = [&](const char* key, const char* words) {
        for (const auto& [result, name] :
             {std::pair(&before, "first"), std::pair(&after, "second")}) {
            if (json_truth(*result, key)) {
                out.remarks.push_back("The " + std::string(name) + " result: " + words);
            }
        }
    };
    each("generator_limited",
         "the generator was the bottleneck, its figures are not the server's.");
    each("interrupted", "the run was interrupted, its window is shorter.");
    for (const char* const key : {"machine/processor", "machine/processors", "machine/system",
                                  "server/memory", "version"}) {
        const std::string a = json_text(before, key);
        const std::string b = json_text(after, key);
        if (!a.empty() && !b.empty() && a != b) {
            out.remarks.push_back("Not the same " + std::string(key) + ": " + a + " and " + b +
                                  ".");
        }
    }
}

std::optional<Problem> unfit(const json::value& result, const char* which) {
    if (json_at(result, "exit_code") != nullptr && json_at(result, "window_s") != nullptr) {
        return std::nullopt;
    }
    return Problem{"the " + std::string(which) + " file is no result of parley-load --json"};
}

}  // namespace

std::string_view name_of(Change::Word word) {
    switch (word) {
        case Change::Word::better:
            return "better";
        case Change::Word::worse:
            return "worse";
        case Change::Word::within_noise:
            return "within noise";
        case Change::Word::not_judged:
            return "not judged";
    }
    return {};
}

std::vector<const Change*> Comparison::failing(double fail_over_percent) const {
    std::vector<const Change*> out;
    for (const Change& change : changes) {
        if (change.word == Change::Word::worse && change.worse_percent > fail_over_percent) {
            out.push_back(&change);
        }
    }
    return out;
}

Checked<Comparison> compare_results(const json::value& before, const json::value& after) {
    if (const auto problem = unfit(before, "first")) return *problem;
    if (const auto problem = unfit(after, "second")) return *problem;
    Comparison out;
    compare_scenarios(before, after, out);
    add_remarks(before, after, out);
    if (!out.differences.empty()) return out;
    compare_bounds(before, after, out);
    if (out.differences.empty()) compare_measures(before, after, out);
    return out;
}

CompareExit exit_of(const Comparison& comparison, double fail_over_percent) {
    if (!comparison.differences.empty()) return CompareExit::not_comparable;
    return comparison.failing(fail_over_percent).empty() ? CompareExit::within : CompareExit::worse;
}

}  // namespace parley::load
