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

TEST(Presence, FindsAUserByTheirId) {
    Presence presence;
    const auto ann = user("ann");
    EXPECT_FALSE(presence.find(ann->who.id));
    static_cast<void>(presence.join(ann));
    EXPECT_EQ(presence.find(ann->who.id), ann);
    static_cast<void>(presence.leave(ann));
    EXPECT_FALSE(presence.find(ann->who.id));
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
        bool visiting = false;
        [[nodiscard]] bool here() const { return sessions + lingering > 0 || visiting; }
    };
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        std::mt19937_64 random(seed);
        Presence presence;
        std::map<std::string, Expected> expected;
        using Ends = std::vector<std::pair<TimePoint, std::string>>;
        Ends ends;
        Ends visits;
        const auto forget_visit = [&visits](const std::string& id) {
            std::erase_if(visits, [&id](const auto& visit) { return visit.second == id; });
        };
        TimePoint now = start;
        for (int step = 0; step < 300; ++step) {
            const std::string id(1, static_cast<char>('a' + random() % 4));
            auto& entry = expected[id];
            const bool here = entry.here();
            switch (random() % 6) {
                case 0:
                    EXPECT_EQ(presence.join(user(id)), here ? Change::none : Change::joined);
                    ++entry.sessions;
                    break;
                case 1:
                    if (entry.sessions == 0) break;
                    --entry.sessions;
                    EXPECT_EQ(presence.leave(user(id)), entry.here() ? Change::none : Change::left);
                    break;
                case 2:
                    if (entry.sessions == 0) break;
                    --entry.sessions;
                    ++entry.lingering;
                    presence.linger(user(id), now + seconds(10));
                    ends.emplace_back(now + seconds(10), id);
                    break;
                case 3: {
                    now += seconds(random() % 8);
                    bool left = false;
                    while (const auto gone = presence.expire(now, left)) {
                        // Lingering ones first, each kind in the order of its ends.
                        auto& due = !ends.empty() && ends.front().first <= now ? ends : visits;
                        ASSERT_FALSE(due.empty());
                        ASSERT_EQ((*gone)->who.id, due.front().second);
                        ASSERT_LE(due.front().first, now);
                        auto& theirs = expected[due.front().second];
                        if (&due == &visits) {
                            theirs.visiting = false;
                        } else {
                            --theirs.lingering;
                        }
                        EXPECT_EQ(left, !theirs.here());
                        due.erase(due.begin());
                    }
                    break;
                }
                case 4:
                    EXPECT_EQ(presence.visit(user(id), now + seconds(30)),
                              here ? Change::none : Change::joined);
                    forget_visit(id);
                    entry.visiting = true;
                    visits.emplace_back(now + seconds(30), id);
                    break;
                case 5:
                    forget_visit(id);
                    entry.visiting = false;
                    EXPECT_EQ(presence.end_visit(user(id)),
                              here && !entry.here() ? Change::left : Change::none);
                    break;
            }
            std::size_t present = 0;
            for (const auto& [name, e] : expected) present += e.here() ? 1U : 0U;
            ASSERT_EQ(presence.count(), present) << "seed " << seed;
            std::optional<TimePoint> next;
            if (!ends.empty()) next = ends.front().first;
            if (!visits.empty()) next = std::min(next.value_or(TimePoint::max()), visits[0].first);
            ASSERT_EQ(presence.next_expiry(), next);
        }
    }
}

}  // namespace
}  // namespace parley::core
