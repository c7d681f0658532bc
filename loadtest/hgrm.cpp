#include "loadtest/hgrm.hpp"

#include <cmath>
#include <cstdio>
#include <vector>

namespace parley::load {
namespace {

constexpr double ns_per_unit = 1e6;  // values are printed in milliseconds
constexpr double rows_a_halving = 5;

struct Step {
    std::uint64_t upper_edge_ns;
    std::uint64_t count;
};

template <typename... Values>
void append(std::string& out, const char* format, Values... values) {
    char line[160];
    std::snprintf(line, sizeof line, format, values...);
    out += line;
}

// The percentile that follows: the distance to the next power of 1/2 is walked in equal steps.
double next_percent(double percent) {
    const double halvings = std::floor(std::log2(100.0 / (100.0 - percent))) + 1;
    return percent + 100.0 / (rows_a_halving * std::exp2(halvings));
}

double milliseconds(double ns) {
    return ns / ns_per_unit;
}

void append_rows(std::string& out, const std::vector<Step>& steps, std::uint64_t total) {
    double percent = 0;
    std::uint64_t seen = 0;
    for (const Step& step : steps) {
        seen += step.count;
        const double reached = 100.0 * static_cast<double>(seen) / static_cast<double>(total);
        while (reached >= percent) {
            append(out, "%12.3f %2.12f %10llu %14.2f\n",
                   milliseconds(static_cast<double>(step.upper_edge_ns)), percent / 100,
                   static_cast<unsigned long long>(seen), 1 / (1 - percent / 100));
            percent = next_percent(percent);
            if (seen == total) break;  // the rest of the way is the last row
        }
    }
    if (steps.empty()) return;
    append(out, "%12.3f %2.12f %10llu\n",
           milliseconds(static_cast<double>(steps.back().upper_edge_ns)), 1.0,
           static_cast<unsigned long long>(total));
}

}  // namespace

std::string to_hgrm(const Histogram& histogram) {
    std::vector<Step> steps;
    double squares = 0;
    histogram.each_bucket([&](std::uint64_t lower, std::uint64_t upper, std::uint64_t count) {
        const double middle = (static_cast<double>(lower) + static_cast<double>(upper)) / 2;
        squares +=
            (middle - histogram.mean()) * (middle - histogram.mean()) * static_cast<double>(count);
        steps.push_back({upper, count});
    });
    const double count = static_cast<double>(histogram.count());
    std::string out;
    append(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    append_rows(out, steps, histogram.count());
    append(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", milliseconds(histogram.mean()),
           milliseconds(count > 0 ? std::sqrt(squares / count) : 0));
    append(out, "#[Max     = %12.3f, Total count    = %12llu]\n",
           milliseconds(static_cast<double>(histogram.max())),
           static_cast<unsigned long long>(histogram.count()));
    // In its terms, where neighbouring buckets share half of their parts.
    append(out, "#[Buckets = %12u, SubBuckets     = %12u]\n", Histogram::octaves - 1,
           2 * Histogram::sub_buckets);
    return out;
}

}  // namespace parley::load
