#include "core/user_sessions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "support/test_session.hpp"

namespace parley::core {
namespace {

using test::TestHub;
using test::TestSession;

TEST(UserSessions, FindAllOfAUserByIdAndByName) {
    TestHub hub;
    TestSession one(hub, 0, "ann");
    TestSession two(hub, 0, "ann");
    TestSession elsewhere(hub, 0, "ann", "127.0.0.2");
    UserSessions sessions;
    EXPECT_TRUE(sessions.with_id("x").empty());
    EXPECT_FALSE(sessions.remove(one.subscriber()));
    for (auto* session : {&one, &two, &elsewhere}) sessions.add(session->subscriber());
    EXPECT_EQ(sessions.with_id(one.user().id).size(), 2U);
    EXPECT_EQ(sessions.with_id(elsewhere.user().id).size(), 1U);
    EXPECT_EQ(sessions.with_name("ann").size(), 3U);
    EXPECT_TRUE(sessions.with_name("bob").empty());
    EXPECT_TRUE(sessions.remove(two.subscriber()));
    EXPECT_FALSE(sessions.remove(two.subscriber()));
    EXPECT_EQ(sessions.with_name("ann").size(), 2U);
    EXPECT_EQ(sessions.with_id(one.user().id).front(), &one.subscriber());
}

// Against a map, through growing and shrinking.
TEST(UserSessions, AreThoseThatWereAddedAndNotRemoved) {
    TestHub hub;
    std::mt19937_64 random(7);
    UserSessions sessions;
    std::vector<std::unique_ptr<TestSession>> known;
    std::multimap<std::string, Subscriber*> by_name;
    const auto check = [&] {
        EXPECT_EQ(sessions.size(), known.size());
        for (int i = 0; i < 40; ++i) {
            const std::string name = "user-" + std::to_string(i);
            const auto [first, last] = by_name.equal_range(name);
            std::set<Subscriber*> expected;
            for (auto at = first; at != last; ++at) expected.insert(at->second);
            const auto found = sessions.with_name(name);
            EXPECT_EQ(std::set<Subscriber*>(found.begin(), found.end()), expected);
            EXPECT_EQ(found.size(), expected.size());
        }
    };
    for (int round = 0; round < 4; ++round) {
        const bool grows = round % 2 == 0;
        for (int step = 0; step < 700; ++step) {
            if (known.empty() || (random() % 4 != 0) == grows) {
                const std::string name = "user-" + std::to_string(random() % 40);
                known.push_back(std::make_unique<TestSession>(hub, 0, name));
                sessions.add(known.back()->subscriber());
                by_name.emplace(name, &known.back()->subscriber());
            } else {
                const std::size_t at = random() % known.size();
                Subscriber& gone = known[at]->subscriber();
                EXPECT_TRUE(sessions.remove(gone));
                std::erase_if(by_name, [&](const auto& entry) { return entry.second == &gone; });
                known.erase(known.begin() + static_cast<std::ptrdiff_t>(at));
            }
            if (step % 50 == 0) check();
        }
        check();
    }
}

}  // namespace
}  // namespace parley::core
