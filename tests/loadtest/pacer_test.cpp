#include "loadtest/pacer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "loadtest/clock.hpp"

namespace parley::load {
namespace {

constexpr std::int64_t start = 5 * ns_per_s;

PacerConfig config(double rate, std::uint32_t publishers, std::int64_t length_ns = ns_per_s) {
    return {start, start + length_ns, rate, publishers, 0, 1};
}

std::vector<Pacer::Tick> take_all(Pacer& pacer, std::int64_t now_ns) {
    std::vector<Pacer::Tick> ticks;
    while (const auto tick = pacer.take(now_ns)) ticks.push_back(*tick);
    return ticks;
}

TEST(Pacer, SpacesMessagesEvenlyAndPublishersTakeTurns) {
    Pacer pacer(config(1000, 3));
    const auto ticks = take_all(pacer, start + ns_per_s);
    ASSERT_EQ(ticks.size(), 1000u);
    for (std::size_t i = 0; i < ticks.size(); ++i) {
        EXPECT_EQ(ticks[i].intended_ns, start + static_cast<std::int64_t>(i) * ns_per_ms);
        EXPECT_EQ(ticks[i].publisher, i % 3);
    }
    EXPECT_EQ(pacer.next_ns(), never_ns);
}

TEST(Pacer, GivesNothingBeforeItsTime) {
    Pacer pacer(config(10, 1));
    EXPECT_FALSE(pacer.take(start - 1));
    EXPECT_TRUE(pacer.take(start));
    EXPECT_FALSE(pacer.take(start + 100 * ns_per_ms - 1));
    EXPECT_EQ(pacer.next_ns(), start + 100 * ns_per_ms);
    EXPECT_TRUE(pacer.take(start + 100 * ns_per_ms));
}

TEST(Pacer, ALateLoopGetsEverythingThatIsDueWithTheIntendedTimes) {
    Pacer pacer(config(100, 1));
    const auto late = take_all(pacer, start + 55 * ns_per_ms);
    ASSERT_EQ(late.size(), 6u);
    EXPECT_EQ(late.front().intended_ns, start);
    EXPECT_EQ(late.back().intended_ns, start + 50 * ns_per_ms);
}

TEST(Pacer, SharesTogetherAreTheWhole) {
    for (std::uint32_t publishers = 1; publishers <= 7; ++publishers) {
        Pacer whole(config(700, publishers));
        std::map<std::int64_t, std::uint32_t> expected;
        for (const auto& tick : take_all(whole, start + ns_per_s)) {
            expected[tick.intended_ns] = tick.publisher;
        }
        for (std::uint32_t shares = 1; shares <= 5; ++shares) {
            std::map<std::int64_t, std::uint32_t> found;
            for (std::uint32_t share = 0; share < shares; ++share) {
                auto part = config(700, publishers);
                part.share = share;
                part.shares = shares;
                Pacer pacer(part);
                for (const auto& tick : take_all(pacer, start + ns_per_s)) {
                    EXPECT_EQ(tick.publisher % shares, share);
                    EXPECT_TRUE(found.emplace(tick.intended_ns, tick.publisher).second);
                }
            }
            EXPECT_EQ(found, expected) << publishers << " publishers, " << shares << " shares";
        }
    }
}

TEST(Pacer, DoesNotDriftOverADay) {
    constexpr std::int64_t day_ns = 86'400 * ns_per_s;
    Pacer pacer(config(7, 1, day_ns));
    std::int64_t last = 0;
    std::uint64_t count = 0;
    for (; const auto tick = pacer.take(start + day_ns); ++count) last = tick->intended_ns;
    EXPECT_EQ(count, 7u * 86'400u);
    EXPECT_NEAR(static_cast<double>(last),
                static_cast<double>(start + day_ns) - static_cast<double>(ns_per_s) / 7, 1e3);
}

TEST(Pacer, AnEarlierEndCutsWhatIsNotYetDue) {
    Pacer pacer(config(10, 1));
    pacer.end_at(start + 250 * ns_per_ms);
    EXPECT_EQ(take_all(pacer, never_ns - 1).size(), 3u);
    pacer.end_at(start + ns_per_s);
    EXPECT_EQ(pacer.next_ns(), never_ns);
}

TEST(Pacer, RateZeroSendsNothing) {
    Pacer pacer(config(0, 1));
    EXPECT_EQ(pacer.next_ns(), never_ns);
    EXPECT_FALSE(pacer.take(never_ns - 1));
}

TEST(Pacer, AVeryLowRateSendsTheFirstMessageOnly) {
    Pacer pacer(config(1e-9, 1));
    EXPECT_EQ(take_all(pacer, start + ns_per_s).size(), 1u);
    EXPECT_EQ(pacer.next_ns(), never_ns);
}

}  // namespace
}  // namespace parley::load
