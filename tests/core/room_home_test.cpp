// What a room's home decides: who is present, and when the room goes.
#include "core/room_home.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Joined;
using protocol::PresencePush;
using std::chrono::hours;
using std::chrono::seconds;
using test::TestHub;
using test::TestSession;
using test::unlimited_config;

struct HomeFixture {
    explicit HomeFixture(Config config = unlimited_config()) : hub(std::move(config)) {
        watcher.join("r", true);
        hub.settle();
    }
    [[nodiscard]] std::vector<PresencePush> pushes(TestSession& session) {
        hub.settle();
        auto found = session.all<PresencePush>();
        session.forget();
        return found;
    }
    [[nodiscard]] std::vector<PresencePush> pushes() { return pushes(watcher); }

    TestHub hub;
    TestSession watcher{hub, 0, "watcher"};
};

PresencePush came(const protocol::User& user, std::uint64_t count) {
    return {"r", PresencePush::Action::join, user, count};
}
PresencePush went(const protocol::User& user, std::uint64_t count) {
    return {"r", PresencePush::Action::leave, user, count};
}
PresencePush counted(std::uint64_t count) {
    return {"r", PresencePush::Action::count, std::nullopt, count};
}

Config with_roster(std::size_t roster_max) {
    Config config = unlimited_config();
    config.presence.roster_max = roster_max;
    return config;
}

TEST(RoomHome, TellsWhoComesAndGoesToThoseWhoAsked) {
    HomeFixture f;
    TestSession plain(f.hub, 0, "plain");
    plain.join("r");
    EXPECT_EQ(f.pushes(), std::vector{came(plain.user(), 2)});
    TestSession ann(f.hub, 0, "ann");
    ann.join("r", true);
    EXPECT_EQ(f.pushes(), std::vector{came(ann.user(), 3)});
    ann.say(protocol::Leave{"r"});
    EXPECT_EQ(f.pushes(), std::vector{went(ann.user(), 2)});
    EXPECT_TRUE(f.pushes(plain).empty());
    EXPECT_TRUE(f.pushes(ann).empty());
}

TEST(RoomHome, DoesNotTellANewcomerOfItsOwnComing) {
    HomeFixture f;
    TestSession ann(f.hub, 0, "ann");
    ann.join("r", true);
    f.hub.settle();
    EXPECT_EQ(ann.last<PresencePush>(), std::nullopt);
    EXPECT_EQ(ann.last<Joined>()->count, 2u);
    EXPECT_EQ(ann.last<Joined>()->members->size(), 2u);
}

TEST(RoomHome, PublishesNoPresenceWhereNobodyAsked) {
    TestHub hub;
    TestSession ann(hub, 0, "ann");
    TestSession bob(hub, 0, "bob");
    ann.join("r");
    bob.join("r");
    bob.say(protocol::Leave{"r"});
    hub.settle();
    EXPECT_EQ(hub.total(Metric::transients_published), 0u);
    EXPECT_EQ(hub.total(Metric::deliveries_due), 0u);
}

TEST(RoomHome, PublishesNoPresenceOnceTheLastWhoAskedHasGone) {
    HomeFixture f;
    TestSession ann(f.hub, 0, "ann");
    ann.join("r", true);
    ann.say(protocol::Leave{"r"});
    f.watcher.say(protocol::Leave{"r"});
    const auto published = f.hub.total(Metric::transients_published);
    ann.join("r");
    f.hub.settle();
    EXPECT_EQ(f.hub.total(Metric::transients_published), published);
}

TEST(RoomHome, TellsOfAUserOnceHoweverManySessions) {
    HomeFixture f;
    std::deque<TestSession> sessions;
    for (int i = 0; i < 4; ++i) sessions.emplace_back(f.hub, 0, "ann").join("r");
    EXPECT_EQ(f.pushes(), std::vector{came(sessions[0].user(), 2)});
    for (int i = 0; i < 3; ++i) {
        sessions.back().say(protocol::Leave{"r"});
        sessions.pop_back();
        EXPECT_TRUE(f.pushes().empty());
    }
    sessions[0].say(protocol::Leave{"r"});
    EXPECT_EQ(f.pushes(), std::vector{went(sessions[0].user(), 1)});
}

TEST(RoomHome, LetsAUserGoAtOnceAfterAGoodbyeAndAfterTheGraceOtherwise) {
    for (const auto& reason : all_close_reasons) {
        HomeFixture f;
        TestSession ann(f.hub, 0, "ann");
        ann.join("r");
        const auto user = ann.user();
        static_cast<void>(f.pushes());
        ann.end(reason);
        const bool stays = may_reconnect(reason);
        EXPECT_EQ(f.pushes().size(), stays ? 0u : 1u) << reason.code;
        f.hub.pass(milliseconds(9'999));
        EXPECT_TRUE(f.pushes().empty());
        f.hub.pass(milliseconds(1));
        EXPECT_EQ(f.pushes(), stays ? std::vector{went(user, 1)} : std::vector<PresencePush>())
            << reason.code;
    }
}

TEST(RoomHome, TakesAReconnectWithinTheGraceForNeitherLeavingNorJoining) {
    HomeFixture f;
    for (int round = 0; round < 3; ++round) {
        TestSession ann(f.hub, 0, "ann");
        ann.join("r");
        static_cast<void>(f.pushes());
        ann.end(close_reasons::vanished);
        f.hub.pass(seconds(9));
        TestSession again(f.hub, 0, "ann");
        again.join("r");
        EXPECT_EQ(again.last<Joined>()->count, 2u);
        f.hub.pass(seconds(100));
        EXPECT_TRUE(f.pushes().empty());
        again.say(protocol::Leave{"r"});
        EXPECT_EQ(f.pushes().size(), 1u);
    }
}

TEST(RoomHome, GivesCountsOnlyInARoomAboveTheRoster) {
    HomeFixture f(with_roster(3));
    std::deque<TestSession> crowd;
    const auto one_more = [&]() -> TestSession& {
        crowd.emplace_back(f.hub, 0, "user-" + std::to_string(crowd.size())).join("r", true);
        return crowd.back();
    };
    EXPECT_EQ(one_more().last<Joined>()->members->size(), 2u);
    EXPECT_EQ(one_more().last<Joined>()->members->size(), 3u);
    static_cast<void>(f.pushes());
    f.hub.pass(seconds(1));
    EXPECT_FALSE(one_more().last<Joined>()->members);
    EXPECT_EQ(crowd.back().last<Joined>()->count, 4u);
    EXPECT_EQ(f.pushes(), std::vector{counted(4)});
    crowd[0].say(protocol::Members{"r"});
    EXPECT_EQ(crowd[0].last<protocol::MemberList>()->members.size(), 3u);
    EXPECT_EQ(crowd[0].last<protocol::MemberList>()->count, 4u);
}

TEST(RoomHome, GivesAtMostOneCountASecondAndAlwaysTheLast) {
    HomeFixture f(with_roster(3));
    std::deque<TestSession> crowd;
    std::vector<PresencePush> seen;
    for (int tenth = 0; tenth < 60; ++tenth) {
        if (tenth < 45) crowd.emplace_back(f.hub, 0, "u" + std::to_string(tenth)).join("r");
        for (const auto& push : f.pushes()) {
            if (push.action == PresencePush::Action::count) seen.push_back(push);
        }
        f.hub.pass(milliseconds(100));
    }
    // 45 joins in 4.5 seconds.
    EXPECT_GE(seen.size(), 4u);
    EXPECT_LE(seen.size(), 6u);
    EXPECT_EQ(seen.back(), counted(46));
}

TEST(RoomHome, DropsARoomAtOnceWhereNothingWasSaid) {
    TestHub hub;
    {
        TestSession ann(hub, 0, "ann");
        ann.join("r");
        hub.settle();
        EXPECT_EQ(hub.shard().room_count(), 1u);
    }
    hub.settle();
    EXPECT_EQ(hub.shard().room_count(), 0u);
    EXPECT_EQ(hub.total(Metric::rooms_created), 1u);
    EXPECT_EQ(hub.total(Metric::rooms_dropped), 1u);
    EXPECT_EQ(hub.total(Metric::audiences_dropped), 1u);
    EXPECT_EQ(hub.shard().timers().next_due(), std::nullopt);
}

TEST(RoomHome, KeepsARoomForThoseWhoMayReturn) {
    TestHub hub;
    TestSession ann(hub, 0, "ann");
    ann.join("r");
    ann.end(close_reasons::vanished);
    hub.pass(milliseconds(9'999));
    EXPECT_EQ(hub.shard().room_count(), 1u);
    hub.pass(milliseconds(2));
    EXPECT_EQ(hub.shard().room_count(), 0u);
}

TEST(RoomHome, KeepsWhatWasSaidForItsTimeAndThenBeginsAnotherEpoch) {
    TestHub hub;
    protocol::Cursor cursor;
    {
        TestSession ann(hub, 0, "ann");
        ann.join("r");
        ann.send("r", "hello");
        cursor = ann.last<protocol::Ack>()->cursor;
    }
    hub.pass(hours(1) - milliseconds(1));
    EXPECT_EQ(hub.shard().room_count(), 1u);
    {
        TestSession bob(hub, 0, "bob");
        bob.say(protocol::Join{"r", cursor, 50, false});
        EXPECT_TRUE(bob.last<Joined>()->recovered);
    }
    // Whoever came by has started its time anew.
    hub.pass(hours(1) - milliseconds(1));
    EXPECT_EQ(hub.shard().room_count(), 1u);
    hub.pass(milliseconds(2));
    EXPECT_EQ(hub.shard().room_count(), 0u);
    TestSession eve(hub, 0, "eve");
    eve.say(protocol::Join{"r", cursor, 50, false});
    const auto joined = *eve.last<Joined>();
    EXPECT_FALSE(joined.recovered);
    EXPECT_NE(joined.cursor.epoch, cursor.epoch);
    EXPECT_EQ(joined.cursor.offset, 0u);
    EXPECT_TRUE(joined.history.empty());
}

TEST(RoomHome, ForgetsAlsoWhatWasSaidByOneWhoLeftInTheSameBreath) {
    TestHub hub;
    TestSession ann(hub, 0, "ann");
    ann.join("r");
    ann.send("r", "hello");
    ann.say(protocol::Leave{"r"});
    hub.pass(hours(1) - milliseconds(1));
    EXPECT_EQ(hub.shard().room_count(), 1u);
    hub.pass(milliseconds(2));
    EXPECT_EQ(hub.shard().room_count(), 0u);
}

TEST(RoomHome, StaysWhileSomebodyListensHoweverQuietly) {
    TestHub hub;
    TestSession ann(hub, 0, "ann");
    ann.join("r");
    ann.send("r", "hello");
    const auto cursor = ann.last<protocol::Ack>()->cursor;
    hub.pass(hours(30));
    ann.say(protocol::History{"r", {}, {}, 10});
    EXPECT_EQ(ann.last<protocol::HistoryPage>()->cursor, cursor);
}

}  // namespace
}  // namespace parley::core
