#include "core/histogram.hpp"

#include <gtest/gtest.h>

#include "core/metrics.hpp"

namespace parley::core {
namespace {

TEST(HistogramShape, PutsEveryBoundIntoItsBucketAndWhatIsAboveIntoTheNext) {
    for (const MeasureRow& row : measure_rows) {
        const HistogramShape& shape = row.shape;
        for (std::size_t bucket = 0; bucket < shape.bounds(); ++bucket) {
            const std::uint64_t bound = shape.bound(bucket);
            EXPECT_EQ(shape.bucket_of(bound), bucket) << row.name << " at " << bound;
            EXPECT_EQ(shape.bucket_of(bound + 1), bucket + 1) << row.name << " above " << bound;
            if (bucket > 0) {
                EXPECT_GT(bound, shape.bound(bucket - 1)) << row.name;
            }
        }
        EXPECT_EQ(shape.bucket_of(0), 0U) << row.name;
        EXPECT_EQ(shape.bucket_of(~std::uint64_t{0}), shape.bounds()) << row.name;
    }
}

TEST(HistogramShape, HasBoundsAtPowersOfTwoAndEvenlyBetween) {
    constexpr HistogramShape shape{2, 5, 2};
    std::vector<std::uint64_t> bounds;
    for (std::size_t i = 0; i < shape.bounds(); ++i) bounds.push_back(shape.bound(i));
    EXPECT_EQ(bounds, (std::vector<std::uint64_t>{4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32}));
    // Every value against a search through the bounds.
    for (std::uint64_t value = 0; value <= 40; ++value) {
        std::size_t expected = 0;
        while (expected < bounds.size() && value > bounds[expected]) ++expected;
        EXPECT_EQ(shape.bucket_of(value), expected) << value;
    }
}

TEST(Histogram, CountsAndSumsWhatIsRecorded) {
    constexpr HistogramShape shape{0, 3, 0};  // 1, 2, 4, 8 and above
    Histogram histogram;
    for (const std::uint64_t value : {0U, 1U, 2U, 3U, 4U, 8U, 9U, 100U})
        histogram.record(shape, value, 1);
    EXPECT_EQ(histogram.read(0), 2U);
    EXPECT_EQ(histogram.read(1), 1U);
    EXPECT_EQ(histogram.read(2), 2U);
    EXPECT_EQ(histogram.read(3), 1U);
    EXPECT_EQ(histogram.read(4), 2U);
    EXPECT_EQ(histogram.sum(), 127U);
    histogram.record(shape, 3, 5);
    EXPECT_EQ(histogram.read(2), 7U);
    EXPECT_EQ(histogram.sum(), 142U);
}

}  // namespace
}  // namespace parley::core
