// What is kept of sessions whose connection was lost.
#include "core/lost_sessions.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/test_hub.hpp"

namespace parley::core {
namespace {

using std::chrono::seconds;

struct LostSessionsFixture {
    void keep(const std::string& key, seconds window = seconds(120), std::size_t most = 3) {
        sessions.keep(key, {"/", "session of " + key, nullptr, {}, {}},
                      {hub.now().mono + window, most});
    }
    [[nodiscard]] bool takes(const std::string& key) {
        const auto taken = sessions.take(key);
        return taken && taken->session == "session of " + key;
    }
    [[nodiscard]] std::uint64_t level() { return hub.shard().metrics().read(Level::lost_sessions); }

    test::TestHub hub;
    LostSessions& sessions = hub.shard().lost_sessions();
};

TEST(LostSessions, GivesEachUpOnce) {
    LostSessionsFixture f;
    f.keep("a");
    f.keep("b");
    EXPECT_EQ(f.level(), 2u);
    EXPECT_TRUE(f.takes("a"));
    EXPECT_FALSE(f.takes("a"));
    EXPECT_TRUE(f.takes("b"));
    EXPECT_FALSE(f.takes("c"));
    EXPECT_EQ(f.level(), 0u);
    EXPECT_EQ(f.hub.total(Metric::lost_sessions_kept), 2u);
}

TEST(LostSessions, ForgetsWhoDoesNotComeBackInTime) {
    LostSessionsFixture f;
    f.keep("a");
    f.hub.pass(seconds(60));
    f.keep("b");
    f.hub.pass(seconds(59));
    EXPECT_EQ(f.sessions.size(), 2u);
    f.hub.pass(seconds(1));
    EXPECT_EQ(f.sessions.size(), 1u);
    EXPECT_FALSE(f.takes("a"));
    EXPECT_EQ(f.hub.total(Metric::lost_sessions_expired), 1u);
    f.hub.pass(seconds(59));
    EXPECT_TRUE(f.takes("b"));
    f.hub.pass(seconds(600));
    EXPECT_EQ(f.hub.total(Metric::lost_sessions_expired), 1u);
}

TEST(LostSessions, MakesRoomForNewOnesByTheOldest) {
    LostSessionsFixture f;
    for (const char* key : {"a", "b", "c", "d"}) f.keep(key);
    EXPECT_EQ(f.sessions.size(), 3u);
    EXPECT_EQ(f.hub.total(Metric::lost_sessions_dropped), 1u);
    EXPECT_FALSE(f.takes("a"));
    EXPECT_TRUE(f.takes("b"));
    EXPECT_TRUE(f.takes("d"));
    f.keep("e", seconds(120), 0);
    EXPECT_FALSE(f.takes("e"));
}

TEST(LostSessions, KeepsTheLatestOfOneKey) {
    LostSessionsFixture f;
    f.keep("a", seconds(10));
    f.keep("a", seconds(20));
    EXPECT_EQ(f.sessions.size(), 1u);
    f.hub.pass(seconds(15));
    EXPECT_TRUE(f.takes("a"));
}

TEST(LostSessions, AsksWhoeverLivesToGiveUp) {
    struct Held final : HeldSession {
        LostSession surrender() override {
            ++surrenders;
            return {"/", "session of a", nullptr, {}, {}};
        }
        int surrenders = 0;
    };
    LostSessionsFixture f;
    Held first;
    Held second;
    f.sessions.hold("a", first);
    EXPECT_TRUE(f.takes("a"));
    EXPECT_EQ(first.surrenders, 1);
    f.sessions.hold("a", second);
    f.sessions.let_go("a", first);  // late: it is another's
    EXPECT_TRUE(f.takes("a"));
    EXPECT_EQ(second.surrenders, 1);
    f.sessions.hold("a", second);
    f.sessions.let_go("a", second);
    EXPECT_FALSE(f.takes("a"));
}

}  // namespace
}  // namespace parley::core
