#include "core/presence.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace parley::core {
namespace {

using Change = Presence::Change;
using std::chrono::seconds;

const TimePoint start = TimePoint{} + seconds(100);

UserPtr user(const std::string& id) {
    return UserPtr(new User({id, id}));
}

TEST(Presence, CountsAUserOnceHoweverManySessions) {
    Presence presence;
    EXPECT_EQ(presence.join(user("ann")), Change::joined);
    EXPECT_EQ(presence.join(user("ann")), Change::none);
    EXPECT_EQ(presence.join(user("bob")), Change::joined);
    EXPECT_EQ(presence.count(), 2u);
    EXPECT_EQ(presence.leave(user("ann")), Change::none);
    EXPECT_EQ(presence.count(), 2u);
    EXPECT_EQ(presence.leave(user("ann")), Change::left);
    EXPECT_EQ(presence.count(), 1u);
}

TEST(Presence, IgnoresTheLeavingOfSomebodyWhoIsNotThere) {
    Presence presence;
    EXPECT_EQ(presence.leave(user("ann")), Change::none);
    presence.linger(user("ann"), start);
    EXPECT_EQ(presence.count(), 0u);
    EXPECT_EQ(presence.next_expiry(), std::nullopt);
}

TEST(Presence, KeepsALostUserForTheGrace) {
    Presence presence;
    static_cast<void>(presence.join(user("ann")));
    presence.linger(user("ann"), start + seconds(10));
    EXPECT_EQ(presence.count(), 1u);
    EXPECT_EQ(presence.next_expiry(), start + seconds(10));
    bool left = true;
    EXPECT_EQ(presence.expire(start + seconds(9), left), std::nullopt);
    EXPECT_EQ((*presence.expire(start + seconds(10), left))->who.id, "ann");
    EXPECT_TRUE(left);
    EXPECT_EQ(presence.count(), 0u);
    EXPECT_EQ(presence.next_expiry(), std::nullopt);
}

TEST(Presence, TakesAReturnWithinTheGraceForNothing) {
    Presence presence;
    static_cast<void>(presence.join(user("ann")));
    presence.linger(user("ann"), start + seconds(10));
    EXPECT_EQ(presence.join(user("ann")), Change::none);
    bool left = true;
    EXPECT_NE(presence.expire(start + seconds(10), left), std::nullopt);
    EXPECT_FALSE(left);
    EXPECT_EQ(presence.count(), 1u);
    EXPECT_EQ(presence.leave(user("ann")), Change::left);
}

TEST(Presence, KeepsAUserWhoseOtherSessionSaidGoodbyeForTheGraceOfTheLostOne) {
    Presence presence;
    static_cast<void>(presence.join(user("ann")));
    static_cast<void>(presence.join(user("ann")));
    presence.linger(user("ann"), start + seconds(10));
    EXPECT_EQ(presence.leave(user("ann")), Change::none);
    bool left = false;
    EXPECT_NE(presence.expire(start + seconds(10), left), std::nullopt);
    EXPECT_TRUE(left);
}

TEST(Presence, ListsNoMoreThanAskedFor) {
    Presence presence;
    for (int i = 0; i < 10; ++i) static_cast<void>(presence.join(user(std::to_string(i))));
    for (std::size_t most = 0; most < 12; ++most) {
        EXPECT_EQ(presence.list(most).size(), std::min<std::size_t>(most, 10));
    }
}

TEST(Presence, AgreesWithACountOfSessionsWhateverHappens) {
    struct Expected {
        int sessions = 0;
        int lingering = 0;
    };
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        std::mt19937_64 random(seed);
        Presence presence;
        std::map<std::string, Expected> expected;
        std::vector<std::pair<TimePoint, std::string>> ends;
        TimePoint now = start;
        for (int step = 0; step < 300; ++step) {
            const std::string id(1, static_cast<char>('a' + random() % 4));
            auto& entry = expected[id];
            const bool here = entry.sessions + entry.lingering > 0;
            switch (random() % 4) {
                case 0:
                    EXPECT_EQ(presence.join(user(id)), here ? Change::none : Change::joined);
                    ++entry.sessions;
                    break;
                case 1:
                    if (entry.sessions == 0) break;
                    --entry.sessions;
                    EXPECT_EQ(presence.leave(user(id)),
                              entry.sessions + entry.lingering > 0 ? Change::none : Change::left);
                    break;
                case 2:
                    if (entry.sessions == 0) break;
                    --entry.sessions;
                    ++entry.lingering;
                    presence.linger(user(id), now + seconds(10));
                    ends.emplace_back(now + seconds(10), id);
                    break;
                case 3:
                    now += seconds(random() % 8);
                    bool left = false;
                    while (const auto gone = presence.expire(now, left)) {
                        ASSERT_EQ((*gone)->who.id, ends.front().second);
                        ASSERT_LE(ends.front().first, now);
                        auto& theirs = expected[ends.front().second];
                        --theirs.lingering;
                        EXPECT_EQ(left, theirs.sessions + theirs.lingering == 0);
                        ends.erase(ends.begin());
                    }
                    break;
            }
            std::size_t present = 0;
            for (const auto& [name, e] : expected) present += e.sessions + e.lingering > 0 ? 1 : 0;
            ASSERT_EQ(presence.count(), present) << "seed " << seed;
            ASSERT_EQ(presence.next_expiry(),
                      ends.empty() ? std::nullopt : std::optional(ends.front().first));
        }
    }
}

}  // namespace
}  // namespace parley::core
