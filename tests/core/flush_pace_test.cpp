#include "core/flush_pace.hpp"

#include <gtest/gtest.h>

#include <random>

namespace parley::core {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds budget{100};

// A round of that length of which so many hundredths went by waiting, and into flushes that could be
// spared.
FlushPace::Round round_of(Duration whole, int waited, int sparable) {
    return {whole, whole * waited / 100, whole * sparable / 100};
}

// What the delay is once the same goes on for that long, in rounds of a millisecond.
Duration after(FlushPace& pace, milliseconds time, int waited, int sparable) {
    for (milliseconds t{0}; t < time; ++t) {
        static_cast<void>(pace.note(round_of(milliseconds(1), waited, sparable)));
    }
    return pace.delay();
}

TEST(FlushPace, HoldsNothingWhereTimeIsLeft) {
    for (int waited = 2; waited <= 100; ++waited) {
        for (int sparable = 0; sparable <= 100 - waited; ++sparable) {
            FlushPace pace(budget);
            EXPECT_EQ(after(pace, milliseconds(500), waited, sparable), Duration::zero());
        }
    }
}

TEST(FlushPace, HoldsNothingWhereHoldingSparesLittle) {
    for (int sparable = 0; sparable < 25; ++sparable) {
        FlushPace pace(budget);
        EXPECT_EQ(after(pace, milliseconds(500), 0, sparable), Duration::zero()) << sparable;
    }
}

TEST(FlushPace, GrowsToTheBudgetAndNotBeyondWithoutIdleTime) {
    for (const milliseconds max : {milliseconds(0), milliseconds(1), milliseconds(50), budget}) {
        FlushPace pace(max);
        Duration before{};
        for (int i = 0; i < 1000; ++i) {
            const bool changed = pace.note(round_of(milliseconds(1), 0, 90));
            EXPECT_EQ(changed, pace.delay() != before);
            EXPECT_GE(pace.delay(), before);
            EXPECT_LE(pace.delay(), max);
            before = pace.delay();
        }
        EXPECT_EQ(pace.delay(), max);
    }
}

TEST(FlushPace, TakesNoStepBeforeItCanSeeWhatTheLastOneDid) {
    FlushPace pace(budget);
    for (int i = 0; i < 1000; ++i) {
        const Duration before = pace.delay();
        Duration since{};
        do {
            since += milliseconds(1);
        } while (!pace.note(round_of(milliseconds(1), 0, 90)) && since < budget * 2);
        if (pace.delay() == budget && before == budget) break;
        EXPECT_GE(since, before);
        EXPECT_GE(since, FlushPace::span_min);
    }
    EXPECT_EQ(pace.delay(), budget);
}

TEST(FlushPace, ComesToRestWhereALittleTimeIsLeft) {
    for (int waited = 2; waited <= 6; ++waited) {
        FlushPace pace(budget);
        const Duration grown = after(pace, milliseconds(120), 0, 90);
        ASSERT_GT(grown, Duration::zero());
        EXPECT_EQ(after(pace, milliseconds(500), waited, 50), grown) << waited;
    }
}

TEST(FlushPace, ShrinksToNothingWithinFourBudgetsOfIdleTime) {
    for (int waited = 26; waited <= 100; ++waited) {
        FlushPace pace(budget);
        ASSERT_EQ(after(pace, milliseconds(1000), 0, 90), budget);
        EXPECT_EQ(after(pace, 4 * budget, waited, 0), Duration::zero()) << waited;
    }
}

TEST(FlushPace, HoldsNothingOnceNothingHappensForAsLong) {
    FlushPace pace(budget);
    ASSERT_EQ(after(pace, milliseconds(1000), 0, 90), budget);
    EXPECT_FALSE(pace.note({budget - milliseconds(1), budget - milliseconds(1), {}}) &&
                 pace.delay() == Duration::zero());
    EXPECT_TRUE(pace.note({budget, budget, {}}));
    EXPECT_EQ(pace.delay(), Duration::zero());
}

TEST(FlushPace, StaysWithinItsBudgetWhateverItIsTold) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        std::mt19937_64 random(seed);
        const milliseconds max(random() % 300);
        FlushPace pace(max);
        for (int i = 0; i < 500; ++i) {
            const Duration before = pace.delay();
            const auto round =
                round_of(std::chrono::microseconds(random() % 300'000),
                         static_cast<int>(random() % 101), static_cast<int>(random() % 101));
            const bool changed = pace.note(round);
            EXPECT_EQ(changed, pace.delay() != before);
            ASSERT_GE(pace.delay(), Duration::zero());
            ASSERT_LE(pace.delay(), max);
        }
    }
}

}  // namespace
}  // namespace parley::core
