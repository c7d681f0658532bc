#include "loadtest/interval_histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace parley::load {
namespace {

constexpr double shares[] = {0, 1, 50, 90, 99, 99.9, 100};

std::vector<std::int64_t> random_times(std::uint64_t seed, std::size_t count) {
    std::mt19937_64 luck(seed);
    std::uniform_real_distribution<double> exponent(2, 11);
    std::vector<std::int64_t> values;
    for (std::size_t i = 0; i < count; ++i) {
        values.push_back(static_cast<std::int64_t>(std::pow(10.0, exponent(luck))));
    }
    return values;
}

TEST(IntervalHistogram, PercentilesAreWithinAThirtySecondAndAUnitAboveTheSortedValues) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        auto values = random_times(seed, 1 + seed * 29);
        IntervalHistogram histogram;
        for (const auto value : values) histogram.record(value);
        std::sort(values.begin(), values.end());
        for (const double percent : shares) {
            const double rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
            const auto exact = static_cast<double>(
                values[std::max<std::size_t>(1, static_cast<std::size_t>(rank)) - 1]);
            const auto found = static_cast<double>(histogram.percentile(percent));
            EXPECT_GE(found, exact) << "seed " << seed << ", percent " << percent;
            EXPECT_LE(found, exact * (1 + 1.0 / 32) + 1024) << "seed " << seed << ", " << percent;
        }
        EXPECT_EQ(histogram.max(), static_cast<std::uint64_t>(values.back()));
    }
}

TEST(IntervalHistogram, EveryPowerOfTwoAndItsNeighboursAreFoundAgain) {
    for (unsigned bit = 0; bit < 43; ++bit) {
        const std::int64_t power = std::int64_t{1} << bit;
        for (const std::int64_t value : {power - 1, power, power + 1}) {
            IntervalHistogram histogram;
            histogram.record(value);
            histogram.record(value * 4 + 8192);  // keeps max() from hiding the edge
            const auto found = static_cast<double>(histogram.percentile(50));
            EXPECT_GE(found, static_cast<double>(value));
            EXPECT_LE(found, static_cast<double>(value) * (1 + 1.0 / 32) + 1024) << value;
        }
    }
}

TEST(IntervalHistogram, MergingIsCountingEverythingInOne) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        IntervalHistogram one, other, all;
        for (const auto value : random_times(seed, 300)) {
            one.record(value);
            all.record(value);
        }
        for (const auto value : random_times(seed + 100, 200)) {
            other.record(value);
            all.record(value);
        }
        one.merge(other);
        EXPECT_EQ(one.count(), all.count());
        EXPECT_EQ(one.max(), all.max());
        for (const double percent : shares) {
            EXPECT_EQ(one.percentile(percent), all.percentile(percent));
        }
    }
}

TEST(IntervalHistogram, ValuesBeyondItsRangeKeepTheExactMaximum) {
    IntervalHistogram histogram;
    histogram.record(-5);
    histogram.record(std::int64_t{1} << 50);
    EXPECT_EQ(histogram.percentile(50), 1023u);
    EXPECT_EQ(histogram.percentile(100), std::uint64_t{1} << 50);
    EXPECT_EQ(IntervalHistogram().percentile(50), 0u);
    EXPECT_EQ(IntervalHistogram().max(), 0u);
}

}  // namespace
}  // namespace parley::load
