#include "loadtest/series_json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <string>

#include "loadtest/clock.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

constexpr std::int64_t rate_ns_min = ns_per_s / 2;

struct RateColumn {
    const char* name;
    std::uint64_t SeriesCounts::*count;
};
constexpr RateColumn rate_columns[] = {
    {"sent_per_s", &SeriesCounts::published},    {"delivered_per_s", &SeriesCounts::received},
    {"answered_per_s", &SeriesCounts::answered}, {"withheld_per_s", &SeriesCounts::withheld},
    {"refused_per_s", &SeriesCounts::refused},
};
struct CountColumn {
    const char* name;
    std::uint64_t SeriesCounts::*count;
};
constexpr CountColumn count_columns[] = {{"open", &SeriesCounts::open},
                                         {"ended", &SeriesCounts::ended},
                                         {"faulty", &SeriesCounts::faulty}};
struct PercentileColumn {
    const char* name;
    double percent;
};
constexpr PercentileColumn percentile_columns[] = {
    {"p50_us", 50}, {"p90_us", 90}, {"p99_us", 99}, {"p99_9_us", 99.9}, {"max_us", 100.0}};

void push(json::object& columns, std::string_view name, json::value value) {
    auto& column = columns[name];
    if (!column.is_array()) column.emplace_array();
    column.as_array().push_back(std::move(value));
}

void push_optional(json::object& columns, std::string_view name, std::optional<double> value) {
    push(columns, name, value ? json::value(*value) : json::value(nullptr));
}

// A column of nothing but nulls tells nothing.
void drop_unknown(json::object& columns) {
    for (auto it = columns.begin(); it != columns.end();) {
        const bool known =
            !it->value().is_array() ||
            std::ranges::any_of(it->value().as_array(), [](const auto& v) { return !v.is_null(); });
        it = known ? it + 1 : columns.erase(it);
    }
}

// The growth of what only grows; a smaller value than before means that the server was restarted.
std::optional<double> growth_per_s(std::optional<double> before, std::optional<double> after,
                                   double lasted_s) {
    if (!before || !after || *after < *before || lasted_s <= 0) return std::nullopt;
    return (*after - *before) / lasted_s;
}

}  // namespace

json::object json_series(const TimeSeries& series, WindowNs window, std::int64_t end_ns) {
    const double origin = in_seconds(series.origin_ns());
    json::object out{
        {"interval_s", in_seconds(series.width_ns())},
        {"window_s", {in_seconds(window.from) - origin, in_seconds(window.to) - origin}}};
    SeriesCounts before;
    for (std::size_t i = 0; i < series.size(); ++i) {
        const TimeSeries::Point& point = series[i];
        const std::int64_t from =
            series.origin_ns() + static_cast<std::int64_t>(i) * series.width_ns();
        const std::int64_t to = std::clamp(end_ns, from, from + series.width_ns());
        const double lasted = in_seconds(to - from);
        push(out, "at_s", in_seconds(to - series.origin_ns()));
        for (const auto& [name, count] : count_columns) push(out, name, point.counts.*count);
        for (const auto& [name, count] : rate_columns) {
            const auto grown = static_cast<double>(point.counts.*count - before.*count);
            push(out, name, lasted > 0 ? grown / lasted : 0.0);
        }
        push(out, "measured", point.latency.count());
        for (const auto& [name, percent] : percentile_columns) {
            const bool any = point.latency.count() > 0;
            push_optional(out, name,
                          any ? std::optional(in_microseconds(point.latency.percentile(percent)))
                              : std::nullopt);
        }
        before = point.counts;
    }
    return out;
}

json::value json_server_series(const ServerWatch::Seen& seen, std::int64_t origin_ns) {
    if (seen.points.size() < 2) return nullptr;
    json::object out{{"scrapes_failed", seen.scrapes_failed}};
    if (!seen.last_failure.empty()) out["last_failure"] = seen.last_failure;
    json::object counters;
    std::size_t last = 0;
    for (std::size_t i = 1; i < seen.points.size(); ++i) {
        const ServerPoint& before = seen.points[last];
        const ServerPoint& after = seen.points[i];
        // Over a moment between two looks a rate says little of the server and much of the kernel's
        // clock ticks.
        if (after.at_ns - before.at_ns < rate_ns_min) continue;
        last = i;
        const double lasted = in_seconds(after.at_ns - before.at_ns);
        push(out, "at_s", in_seconds(after.at_ns - origin_ns));
        push_optional(out, "cpu_cores", growth_per_s(before.cpu_s, after.cpu_s, lasted));
        const auto kib = after.resident_kib;
        push(out, "resident_kib", kib ? json::value(*kib) : json::value(nullptr));
        for (std::size_t c = 0; c < watched_counters.size(); ++c) {
            const auto& [metric, key, title, grows] = watched_counters[c];
            const auto value = after.counters[c];
            push_optional(counters, std::string(key) + (grows ? "_per_s" : ""),
                          grows ? growth_per_s(before.counters[c], value, lasted) : value);
        }
    }
    drop_unknown(out);
    drop_unknown(counters);
    if (!counters.empty()) out["counters"] = std::move(counters);
    return out;
}

json::object json_buckets(const Histogram& histogram) {
    json::array uppers;
    json::array counts;
    histogram.each_bucket([&](std::uint64_t, std::uint64_t upper, std::uint64_t count) {
        uppers.emplace_back(in_microseconds(upper));
        counts.emplace_back(count);
    });
    return {{"upper_us", std::move(uppers)}, {"count", std::move(counts)}};
}

}  // namespace parley::load
