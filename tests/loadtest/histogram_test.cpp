#include "loadtest/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace parley::load {
namespace {

constexpr double percents[] = {0, 1, 10, 50, 90, 99, 99.9, 99.99, 100};

// Values from a few nanoseconds to minutes, as many in each decade.
std::vector<std::uint64_t> random_values(std::uint64_t seed, std::size_t count) {
    std::mt19937_64 luck(seed);
    std::uniform_real_distribution<double> exponent(0, 11);
    std::vector<std::uint64_t> values;
    for (std::size_t i = 0; i < count; ++i) {
        values.push_back(static_cast<std::uint64_t>(std::pow(10.0, exponent(luck))));
    }
    return values;
}

Histogram histogram_of(const std::vector<std::uint64_t>& values) {
    Histogram histogram;
    for (const std::uint64_t value : values) histogram.record(static_cast<std::int64_t>(value));
    return histogram;
}

std::uint64_t exact_percentile(const std::vector<std::uint64_t>& sorted, double percent) {
    const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
    return sorted[std::max<std::size_t>(1, static_cast<std::size_t>(rank)) - 1];
}

TEST(Histogram, PercentilesAreWithinOnePercentAboveTheSortedValues) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        auto values = random_values(seed, 1 + seed * 37);
        const Histogram histogram = histogram_of(values);
        std::sort(values.begin(), values.end());
        for (const double percent : percents) {
            const auto exact = static_cast<double>(exact_percentile(values, percent));
            const auto found = static_cast<double>(histogram.percentile(percent));
            EXPECT_GE(found, exact) << "seed " << seed << ", percent " << percent;
            EXPECT_LE(found, exact * 1.01) << "seed " << seed << ", percent " << percent;
        }
        EXPECT_EQ(histogram.max(), values.back());
        EXPECT_EQ(histogram.min(), values.front());
        EXPECT_EQ(histogram.percentile(100), values.back());
    }
}

TEST(Histogram, MergingIsCountingEverythingInOne) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto values = random_values(seed, 500);
        const auto more = random_values(seed + 1000, 300);
        Histogram merged = histogram_of(values);
        merged.merge(histogram_of(more));
        auto all = values;
        all.insert(all.end(), more.begin(), more.end());
        const Histogram together = histogram_of(all);
        EXPECT_EQ(merged.count(), together.count());
        EXPECT_EQ(merged.min(), together.min());
        EXPECT_EQ(merged.max(), together.max());
        EXPECT_NEAR(merged.mean(), together.mean(), together.mean() * 1e-9);
        for (const double percent : percents) {
            EXPECT_EQ(merged.percentile(percent), together.percentile(percent));
        }
    }
}

TEST(Histogram, EveryOctavesBordersFallIntoTheirOwnBuckets) {
    for (unsigned bit = 0; bit < Histogram::value_bits; ++bit) {
        const std::int64_t power = std::int64_t{1} << bit;
        for (const std::int64_t value : {power - 1, power, power + 1}) {
            Histogram histogram;
            histogram.record(value);
            // A second, longer one keeps max() from hiding the bucket's edge.
            histogram.record(value * 2 + 10);
            const auto found = static_cast<double>(histogram.percentile(50));
            EXPECT_GE(found, static_cast<double>(value));
            EXPECT_LE(found, static_cast<double>(value) * (1 + 1.0 / 128));
        }
    }
}

TEST(Histogram, ValuesBeyondItsRangeKeepTheExactMaximum) {
    Histogram histogram;
    const auto beyond = static_cast<std::int64_t>(Histogram::value_max) * 3;
    histogram.record(-5);
    histogram.record(beyond);
    EXPECT_EQ(histogram.min(), 0u);
    EXPECT_EQ(histogram.max(), static_cast<std::uint64_t>(beyond));
    EXPECT_EQ(histogram.percentile(50), 0u);
    EXPECT_EQ(histogram.percentile(100), static_cast<std::uint64_t>(beyond));
}

TEST(Histogram, AnEmptyOneAnswersZero) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.max(), 0u);
    EXPECT_EQ(histogram.min(), 0u);
    EXPECT_EQ(histogram.mean(), 0.0);
    for (const double percent : percents) EXPECT_EQ(histogram.percentile(percent), 0u);
}

}  // namespace
}  // namespace parley::load
