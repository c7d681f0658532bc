#include "loadtest/hgrm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "loadtest/clock.hpp"

namespace parley::load {
namespace {

struct Row {
    double value, percentile;
    std::uint64_t count;
};

std::vector<Row> rows_of(const std::string& text) {
    std::vector<Row> rows;
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        std::istringstream cells(line);
        Row row{};
        if (!line.starts_with('#') && cells >> row.value >> row.percentile >> row.count) {
            rows.push_back(row);
        }
    }
    return rows;
}

// The percentiles and counts are those that HdrHistogram itself prints for three equal steps; the
// values are the upper edges of this histogram's buckets.
TEST(Hgrm, ThreeValuesArePrintedAsHdrHistogramPrintsThem) {
    Histogram histogram;
    for (const int ms : {25, 50, 75}) histogram.record(ms * ns_per_ms);
    EXPECT_EQ(to_hgrm(histogram),
              "       Value     Percentile TotalCount 1/(1-Percentile)\n"
              "\n"
              "      25.035 0.000000000000          1           1.00\n"
              "      25.035 0.100000000000          1           1.11\n"
              "      25.035 0.200000000000          1           1.25\n"
              "      25.035 0.300000000000          1           1.43\n"
              "      50.070 0.400000000000          2           1.67\n"
              "      50.070 0.500000000000          2           2.00\n"
              "      50.070 0.550000000000          2           2.22\n"
              "      50.070 0.600000000000          2           2.50\n"
              "      50.070 0.650000000000          2           2.86\n"
              "      75.000 0.700000000000          3           3.33\n"
              "      75.000 1.000000000000          3\n"
              "#[Mean    =       50.000, StdDeviation   =       20.420]\n"
              "#[Max     =       75.000, Total count    =            3]\n"
              "#[Buckets =           36, SubBuckets     =          256]\n");
}

TEST(Hgrm, AnEmptyHistogramHasNoRows) {
    EXPECT_EQ(to_hgrm(Histogram()),
              "       Value     Percentile TotalCount 1/(1-Percentile)\n"
              "\n"
              "#[Mean    =        0.000, StdDeviation   =        0.000]\n"
              "#[Max     =        0.000, Total count    =            0]\n"
              "#[Buckets =           36, SubBuckets     =          256]\n");
}

TEST(Hgrm, OfAUniformDistributionEveryRowTellsTheTruth) {
    constexpr std::uint64_t values = 100'000;
    Histogram histogram;
    for (std::uint64_t i = 1; i <= values; ++i)
        histogram.record(static_cast<std::int64_t>(i) * 1000);
    const auto rows = rows_of(to_hgrm(histogram));
    ASSERT_GT(rows.size(), 40u);
    double last = -1;
    for (const Row& row : rows) {
        EXPECT_GT(row.percentile, last);
        last = row.percentile;
        const double exact = std::max(row.percentile * values, 1.0) / 1000;  // in ms
        EXPECT_GE(row.value, exact * (1 - 1e-9) - 0.0005) << row.percentile;
        EXPECT_LE(row.value, exact * 1.01 + 0.001) << row.percentile;
        EXPECT_GE(static_cast<double>(row.count), row.percentile * values * (1 - 1e-12));
    }
    EXPECT_EQ(rows.back().percentile, 1.0);
    EXPECT_EQ(rows.back().count, values);
    EXPECT_EQ(rows.back().value, 100.0);
}

TEST(Hgrm, OfAnExponentialDistributionTheTailIsThere) {
    Histogram histogram;
    constexpr int values = 200'000;
    for (int i = 0; i < values; ++i) {
        const double u = (i + 0.5) / values;
        histogram.record(static_cast<std::int64_t>(-std::log(1 - u) * 1e6));
    }
    for (const Row& row : rows_of(to_hgrm(histogram))) {
        if (row.percentile == 0 || row.percentile > 0.9999) continue;
        const double exact = -std::log(1 - row.percentile);
        EXPECT_NEAR(row.value, exact, exact * 0.012 + 0.0006) << row.percentile;
    }
}

}  // namespace
}  // namespace parley::load
