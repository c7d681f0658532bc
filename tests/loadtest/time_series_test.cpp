#include "loadtest/time_series.hpp"

#include <gtest/gtest.h>

#include <random>

#include "loadtest/tally.hpp"

namespace parley::load {
namespace {

constexpr std::int64_t begin_ns = 1000 * ns_per_s;

std::uint64_t measured(const TimeSeries& series) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < series.size(); ++i) sum += series[i].latency.count();
    return sum;
}

TimeSeries started() {
    TimeSeries series;
    series.start(begin_ns);
    return series;
}

SeriesCounts published(std::uint64_t count) {
    SeriesCounts counts;
    counts.published = count;
    return counts;
}

TEST(TimeSeries, BeforeItIsStartedNothingIsKept) {
    TimeSeries series;
    series.record(begin_ns, 5);
    series.count(begin_ns, published(1));
    EXPECT_EQ(series.size(), 0u);
}

TEST(TimeSeries, EveryLatencyCountsInItsSecond) {
    TimeSeries series = started();
    for (std::int64_t second = 0; second < 10; ++second) {
        for (std::int64_t n = 0; n <= second; ++n) {
            series.record(begin_ns + second * ns_per_s + n, (second + 1) * ns_per_ms);
        }
    }
    ASSERT_EQ(series.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(series[i].latency.count(), i + 1);
        EXPECT_EQ(series[i].latency.max(), (i + 1) * ns_per_ms);
    }
}

TEST(TimeSeries, BothEndsOfAnIntervalBelongWhereTheyShould) {
    TimeSeries series = started();
    series.record(begin_ns, 1);
    series.record(begin_ns + ns_per_s - 1, 1);
    EXPECT_EQ(series.size(), 1u);
    series.record(begin_ns + ns_per_s, 1);
    ASSERT_EQ(series.size(), 2u);
    EXPECT_EQ(series[0].latency.count(), 2u);
    // What is older counts in the interval at hand.
    series.record(begin_ns + 5, 1);
    series.record(begin_ns - 5, 1);
    EXPECT_EQ(series[1].latency.count(), 3u);
}

TEST(TimeSeries, CountsStayAsTheyWereWhereNothingIsHeard) {
    TimeSeries series = started();
    series.count(begin_ns + 1, published(7));
    series.count(begin_ns + 2, published(9));
    series.record(begin_ns + 5 * ns_per_s, 1);
    ASSERT_EQ(series.size(), 6u);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(series[i].counts.published, 9u);
}

// Whatever the length, nothing is lost and the row stays bounded.
TEST(TimeSeries, FoldingKeepsEveryLatencyAndTheCountsAtEachEnd) {
    for (const std::int64_t seconds : {1, 2, 599, 600, 601, 1199, 1200, 1201, 2400, 2401, 86400}) {
        TimeSeries series = started();
        for (std::int64_t s = 0; s < seconds; ++s) {
            series.record(begin_ns + s * ns_per_s, (s + 1) * 1000);
            series.count(begin_ns + s * ns_per_s, published(static_cast<std::uint64_t>(s + 1)));
        }
        const std::int64_t width_s = series.width_ns() / ns_per_s;
        EXPECT_LE(series.size(), TimeSeries::points_max);
        EXPECT_EQ(series.size(), static_cast<std::size_t>((seconds + width_s - 1) / width_s));
        EXPECT_EQ(width_s == 1, seconds <= 600) << seconds;
        EXPECT_EQ(measured(series), static_cast<std::uint64_t>(seconds));
        for (std::size_t i = 0; i < series.size(); ++i) {
            const std::int64_t end =
                std::min((static_cast<std::int64_t>(i) + 1) * width_s, seconds);
            ASSERT_EQ(series[i].counts.published, static_cast<std::uint64_t>(end)) << i;
            ASSERT_EQ(series[i].latency.max(), static_cast<std::uint64_t>(end) * 1000) << i;
        }
    }
}

TEST(TimeSeries, ALeapOverManyDoublingsIsOneStep) {
    TimeSeries series = started();
    series.record(begin_ns, 3);
    series.record(begin_ns + 24 * 3600 * ns_per_s, 4);
    EXPECT_LE(series.size(), TimeSeries::points_max);
    EXPECT_EQ(measured(series), 2u);
    EXPECT_EQ(series[0].latency.count(), 1u);
    EXPECT_EQ(series[series.size() - 1].latency.count(), 1u);
}

// Threads see the same run for different times; their sum is what one thread would have seen.
TEST(TimeSeries, MergingIsRecordingEverythingInOne) {
    const std::int64_t lengths[] = {1, 600, 601, 2500};
    for (const std::int64_t first : lengths) {
        for (const std::int64_t second : lengths) {
            TimeSeries one = started(), other = started(), all = started();
            for (std::int64_t s = 0; s < std::max(first, second); ++s) {
                const std::int64_t now = begin_ns + s * ns_per_s;
                if (s < first) one.record(now, s);
                if (s < second) other.record(now, 2 * s);
                if (s < first) all.record(now, s);
                if (s < second) all.record(now, 2 * s);
                if (s < first) one.count(now, published(static_cast<std::uint64_t>(s + 1)));
                if (s < second) other.count(now, published(static_cast<std::uint64_t>(s + 1)));
                all.count(now, published(static_cast<std::uint64_t>(std::min(s + 1, first) +
                                                                    std::min(s + 1, second))));
            }
            TimeSeries sum;
            sum.merge(one);
            sum.merge(other);
            ASSERT_EQ(sum.size(), all.size()) << first << " " << second;
            EXPECT_EQ(sum.width_ns(), all.width_ns());
            for (std::size_t i = 0; i < all.size(); ++i) {
                ASSERT_EQ(sum[i].latency.count(), all[i].latency.count()) << i;
                ASSERT_EQ(sum[i].latency.max(), all[i].latency.max()) << i;
                ASSERT_EQ(sum[i].latency.percentile(90), all[i].latency.percentile(90)) << i;
                ASSERT_EQ(sum[i].counts.published, all[i].counts.published) << i;
            }
        }
    }
}

TEST(TimeSeries, MergingOneThatWasNotStartedChangesNothing) {
    TimeSeries series = started();
    series.record(begin_ns, 1);
    series.merge(TimeSeries());
    EXPECT_EQ(measured(series), 1u);
}

TEST(TimeSeries, TakesFromATallyWhoIsThere) {
    Tally tally;
    tally.opened = 10;
    tally.rejoined = 2;
    tally.churned = 3;
    tally.left = 1;
    tally.dropped = 1;
    tally.failed = 4;
    tally.slow_closes[4108] = 2;
    tally.steady.received = 100;
    tally.slow.received = 5;
    tally.steady.duplicate = 1;
    tally.slow.stray = 1;
    const SeriesCounts counts = series_counts(tally);
    EXPECT_EQ(counts.open, 5u);
    EXPECT_EQ(counts.ended, 5u);
    EXPECT_EQ(counts.received, 105u);
    EXPECT_EQ(counts.faulty, 2u);
}

TEST(TimeSeries, WhoLeavesInAnotherTallyThanItCameInIsNotThere) {
    Tally came;
    came.opened = 10;
    Tally went;
    went.left = 4;
    SeriesCounts counts = series_counts(went);
    counts.add(series_counts(came));
    EXPECT_EQ(counts.open, 6u);
}

}  // namespace
}  // namespace parley::load
