#include "auth/guess_guard.hpp"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

using namespace std::chrono_literals;
using core::Duration;
using core::TimePoint;

constexpr TimePoint first{std::chrono::hours(1)};

GuessConfig config() {
    GuessConfig guesses;
    guesses.free = 3;
    guesses.longest = 60s;
    return guesses;
}

TEST(GuessGuard, LetsTheFirstThroughAndThenEachWaitsTwiceAsLong) {
    GuessGuard guard(config());
    TimePoint now = first;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(guard.admit("ann", now), 0s);
    Duration delay = 1s;
    for (int i = 0; i < 12; ++i) {
        EXPECT_EQ(guard.admit("ann", now), 0s) << i;
        EXPECT_EQ(guard.admit("ann", now), delay) << i;
        EXPECT_EQ(guard.admit("ann", now + delay - 1ms), 1ms) << "asking makes it no longer";
        now += delay;
        delay = std::min<Duration>(delay * 2, 60s);
    }
}

TEST(GuessGuard, SlowsHalfAMillionGuessesADayToHundreds) {
    GuessGuard guard(config());
    int made = 0;
    for (TimePoint now = first; now < first + 24h; now += 200ms) {
        if (guard.admit("ann", now) == 0s) ++made;
    }
    EXPECT_LT(made, 24 * 60 + 20);
}

TEST(GuessGuard, CountsWhatIsAskedAtOnce) {
    GuessGuard guard(config());
    int made = 0;
    for (int i = 0; i < 1000; ++i) made += guard.admit("ann", first) == 0s ? 1 : 0;
    EXPECT_EQ(made, 4) << "before any of them was judged";
}

TEST(GuessGuard, FreeGuessesNeedNotComeInTheOrderOfTheirTimes) {
    GuessGuard guard(config());
    EXPECT_EQ(guard.admit("ann", first + 1ms), 0s);
    EXPECT_EQ(guard.admit("ann", first), 0s) << "of a shard whose turn began earlier";
}

TEST(GuessGuard, KeysAreCountedApart) {
    GuessGuard guard(config());
    for (int i = 0; i < 4; ++i) static_cast<void>(guard.admit("ann", first));
    EXPECT_GT(guard.admit("ann", first), 0s);
    EXPECT_EQ(guard.admit("bob", first), 0s);
}

TEST(GuessGuard, ForgivesAfterARightOneAndAfterAnHour) {
    GuessGuard guard(config());
    for (int i = 0; i < 4; ++i) static_cast<void>(guard.admit("ann", first));
    guard.forget("ann");
    EXPECT_EQ(guard.admit("ann", first), 0s);
    EXPECT_EQ(guard.size(), 1u);
    for (int i = 0; i < 3; ++i) static_cast<void>(guard.admit("ann", first));
    EXPECT_GT(guard.admit("ann", first), 0s);
    EXPECT_EQ(guard.admit("bob", first + 61min), 0s);
    EXPECT_EQ(guard.size(), 1u) << "ann's are forgotten";
}

TEST(GuessGuard, TakesBackOneAtATime) {
    GuessGuard guard(config());
    for (int i = 0; i < 4; ++i) static_cast<void>(guard.admit("ann", first));
    guard.take_back("ann");
    EXPECT_EQ(guard.admit("ann", first), 0s) << "the fourth again";
    EXPECT_EQ(guard.admit("ann", first), 1s);
    guard.take_back("nobody");
    static_cast<void>(guard.admit("bob", first));
    guard.take_back("bob");
    EXPECT_EQ(guard.size(), 1u);
}

TEST(GuessGuard, ForgetsWhoTriedLongestAgoWhereThereAreTooMany) {
    GuessConfig small = config();
    small.entries_max = 3;
    GuessGuard guard(small);
    for (int i = 0; i < 4; ++i) static_cast<void>(guard.admit("ann", first));
    static_cast<void>(guard.admit("b", first + 1s));
    static_cast<void>(guard.admit("c", first + 2s));
    EXPECT_EQ(guard.admit("ann", first + 3s), 0s) << "tried again: the newest";
    static_cast<void>(guard.admit("d", first + 4s));
    EXPECT_EQ(guard.size(), 3u);
    EXPECT_EQ(guard.forgotten_early(), 1u);
    EXPECT_GT(guard.admit("ann", first + 4s), 0s) << "it was b that went";
}

TEST(KnownPlaces, AreKnownForTheirTimeAndAsManyAsAreTold) {
    KnownPlaces places(std::chrono::hours(1), 2);
    core::TimePoint now{};
    places.note("ann here", now);
    EXPECT_TRUE(places.has("ann here", now + std::chrono::minutes(59)));
    EXPECT_FALSE(places.has("ann there", now));
    EXPECT_FALSE(places.has("ann here", now + std::chrono::hours(1)));
    places.note("bob here", now);
    places.note("ann here", now + std::chrono::minutes(1));
    places.note("carl here", now + std::chrono::minutes(2));
    EXPECT_EQ(places.size(), 2u);
    EXPECT_TRUE(places.has("ann here", now + std::chrono::minutes(2)));
    EXPECT_FALSE(places.has("bob here", now + std::chrono::minutes(2))) << "noted longest ago";
}

}  // namespace
}  // namespace parley::auth
