#include "loadtest/report_charts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "loadtest/json_view.hpp"
#include "loadtest/server_watch.hpp"
#include "loadtest/svg_chart.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;
using Column = std::vector<std::optional<double>>;

std::string trimmed(double value, const char* unit) {
    char text[48];
    std::snprintf(text, sizeof text, "%.4g%s", value, unit);
    return text;
}

std::string format_s(double seconds) {
    return trimmed(seconds, " s");
}

std::string format_mib(double mib) {
    return trimmed(mib, "");
}

Axis linear(std::string (*format)(double)) {
    Axis axis;
    axis.format = format;
    return axis;
}

Axis logarithmic(std::string (*format)(double)) {
    Axis axis = linear(format);
    axis.logarithmic = true;
    return axis;
}

std::vector<double> plain(const Column& column) {
    std::vector<double> out;
    for (const auto& value : column) out.push_back(value.value_or(0));
    return out;
}

struct LineOf {
    const char* name;
    const char* column;
};

// A chart over the seconds at `table`'s at_s, of those of its columns that are there.
SvgChart over_time(const json::value& result, const std::string& table, const char* title,
                   std::initializer_list<LineOf> lines, Axis y) {
    SvgChart chart;
    chart.title = title;
    chart.x = plain(json_column(result, table + "/at_s"));
    chart.x_axis = linear(format_s);
    chart.y_axis = std::move(y);
    for (const auto& [name, column] : lines) {
        Column values = json_column(result, table + "/" + column);
        if (values.size() == chart.x.size()) chart.lines.push_back({name, std::move(values)});
    }
    const auto window = plain(json_column(result, "time_series/window_s"));
    if (window.size() == 2) chart.shaded = {window[0], window[1]};
    return chart;
}

// Counts by the logarithm of the value.
struct Bins {
    static constexpr double parts_a_doubling = 4;
    std::vector<double> edges;
    Column counts;
};

Bins bin(const std::vector<double>& uppers, const std::vector<double>& counts) {
    Bins bins;
    const auto index_of = [](double us) {
        return static_cast<long>(
            std::floor(std::log2(std::max(us, 0.001)) * Bins::parts_a_doubling));
    };
    if (uppers.empty() || uppers.size() != counts.size()) return bins;
    const long first = index_of(uppers.front());
    const long last = index_of(uppers.back());
    bins.counts.assign(static_cast<std::size_t>(last - first) + 2, std::nullopt);
    for (std::size_t i = 0; i < bins.counts.size(); ++i) {
        bins.edges.push_back(
            std::exp2(static_cast<double>(first + static_cast<long>(i)) / Bins::parts_a_doubling));
    }
    for (std::size_t i = 0; i < uppers.size(); ++i) {
        auto& counted = bins.counts[static_cast<std::size_t>(index_of(uppers[i]) - first)];
        counted = counted.value_or(0) + counts[i];
    }
    return bins;
}

}  // namespace

std::string format_us(double us) {
    if (us < 1000) return trimmed(us, " us");
    if (us < 1e6) return trimmed(us / 1e3, " ms");
    return trimmed(us / 1e6, " s");
}

std::string format_count(double value) {
    if (std::abs(value) < 1000) return trimmed(value, "");
    if (std::abs(value) < 1e6) return trimmed(value / 1e3, " k");
    if (std::abs(value) < 1e9) return trimmed(value / 1e6, " M");
    return trimmed(value / 1e9, " G");
}

std::string latency_over_time(const json::value& result) {
    return over_time(result, "time_series", "Latency over time",
                     {{"p50", "p50_us"},
                      {"p90", "p90_us"},
                      {"p99", "p99_us"},
                      {"p99.9", "p99_9_us"},
                      {"max", "max_us"}},
                     logarithmic(format_us))
        .draw();
}

std::string throughput_over_time(const json::value& result) {
    const bool handshakes = json_text(result, "kind") == "handshakes";
    SvgChart chart = over_time(result, "time_series", "Throughput over time",
                               {{"sent", "sent_per_s"},
                                {"delivered", "delivered_per_s"},
                                {handshakes ? "handshakes" : "answered", "answered_per_s"}},
                               logarithmic(format_count));
    chart.unit = "a second";
    // A line that is nothing but zero says that there was nothing to be counted.
    std::erase_if(chart.lines, [](const SvgChart::Line& line) {
        return std::ranges::all_of(line.y, [](const auto& y) { return !y || *y == 0; });
    });
    return chart.draw();
}

std::string connections_over_time(const json::value& result) {
    SvgChart chart =
        over_time(result, "time_series", "Connections",
                  {{"open", "open"}, {"failed or ended", "ended"}}, linear(format_count));
    if (chart.x.empty()) return {};
    // From none when the ramp began.
    chart.x.insert(chart.x.begin(), 0);
    for (auto& line : chart.lines) line.y.insert(line.y.begin(), 0.0);
    return chart.draw();
}

std::string server_cpu_over_time(const json::value& result) {
    SvgChart chart = over_time(result, "server_series", "Server's processor time",
                               {{"cores", "cpu_cores"}}, linear(format_count));
    chart.unit = "cores";
    return chart.draw();
}

std::string server_memory_over_time(const json::value& result) {
    SvgChart chart = over_time(result, "server_series", "Server's resident memory",
                               {{"MiB", "resident_kib"}}, linear(format_mib));
    chart.unit = "MiB";
    for (auto& line : chart.lines) {
        for (auto& y : line.y) y = y ? std::optional(*y / 1024) : y;
    }
    return chart.draw();
}

std::string server_counters_over_time(const json::value& result) {
    std::string out;
    for (const WatchedCounter& counter : watched_counters) {
        const std::string column =
            "counters/" + std::string(counter.key) + (counter.grows ? "_per_s" : "");
        const std::string title = "Server: " + std::string(counter.title);
        SvgChart chart = over_time(result, "server_series", title.c_str(),
                                   {{"value", column.c_str()}}, linear(format_count));
        const bool silent =
            chart.lines.empty() ||
            std::ranges::all_of(chart.lines.front().y, [](const auto& y) { return !y || *y == 0; });
        if (!silent) out += chart.draw();
    }
    return out;
}

std::string latency_histogram(const json::value& result) {
    const Bins bins = bin(plain(json_column(result, "latency_buckets/upper_us")),
                          plain(json_column(result, "latency_buckets/count")));
    if (bins.edges.empty()) return {};
    SvgChart chart;
    chart.title = "Latency histogram";
    chart.unit = "values; both axes logarithmic";
    chart.x = bins.edges;
    chart.lines.push_back({"values", bins.counts, true});
    chart.x_axis = logarithmic(format_us);
    chart.y_axis = logarithmic(format_count);
    chart.y_axis.least = 0.7;  // so that one value is seen
    return chart.draw();
}

std::string percentile_curve(const json::value& result) {
    const auto uppers = plain(json_column(result, "latency_buckets/upper_us"));
    const auto counts = plain(json_column(result, "latency_buckets/count"));
    double total = 0;
    for (const double count : counts) total += count;
    if (total == 0 || uppers.size() != counts.size()) return {};
    SvgChart chart;
    chart.title = "Latency by percentile";
    chart.x_axis.logarithmic = true;
    chart.x_axis.ticks = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7};
    chart.x_axis.format = [](double part) {
        // One of `part` values is above.
        char text[32];
        const int digits = std::max(0, static_cast<int>(std::ceil(std::log10(part) - 2 - 1e-9)));
        std::snprintf(text, sizeof text, "%.*f%%", digits, 100 * (1 - 1 / part));
        return std::string(text);
    };
    chart.y_axis = logarithmic(format_us);
    SvgChart::Line line{"latency", {}};
    double below = 0;
    for (std::size_t i = 0; i < uppers.size(); ++i) {
        // A value stands for those from the percentile where the ones below it end.
        chart.x.push_back(total / (total - below));
        line.y.emplace_back(uppers[i]);
        below += counts[i];
    }
    chart.lines.push_back(std::move(line));
    return chart.draw();
}

}  // namespace parley::load
