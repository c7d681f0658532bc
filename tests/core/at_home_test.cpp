// What requests without a session ask of a room's home, and how the answers travel.
#include "core/at_home.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/cross_shard_fixture.hpp"
#include "core/question.hpp"

namespace parley::core {
namespace {

using protocol::PresencePush;
using std::chrono::hours;
using std::chrono::seconds;
using test::away;
using test::home;
using test::TestHub;
using test::TestSession;
using test::TwoShards;
using test::unlimited_config;

protocol::Send saying(const std::string& room, std::string text, std::string key = {}) {
    return {room, {protocol::Body::Kind::text, std::move(text)}, std::move(key), {}};
}

// What a home answers at once, as it does where what is said is kept in memory alone.
AckAnswer send_at_home(Shard& there, const UserPtr& user, protocol::Send&& send) {
    return core::send_at_home(there, user, std::move(send), {}).value();
}
PageAnswer history_at_home(Shard& there, const protocol::History& asked) {
    return core::history_at_home(there, asked, {}).value();
}
PageAnswer page_at_home(Shard& there, const protocol::History& asked) {
    return core::page_at_home(there, asked, {}).value();
}

std::vector<std::string> names(const std::vector<protocol::ListedRoom>& rooms) {
    std::vector<std::string> found;
    for (const auto& room : rooms) found.push_back(room.room);
    return found;
}

TEST(AtHome, ASendMakesTheRoomAndItGoesWhenItMayBeForgotten) {
    TestHub hub;
    const UserPtr ann = hub.hub().user_named("10.0.0.1", "ann");
    const auto first = send_at_home(hub.shard(), ann, saying("r", "a", "k"));
    const auto again = send_at_home(hub.shard(), ann, saying("r", "a", "k"));
    ASSERT_TRUE(first && again);
    EXPECT_EQ(*first, *again);
    EXPECT_EQ(send_at_home(hub.shard(), ann, saying("r", "b"))->cursor.offset, 2u);
    hub.settle();
    EXPECT_EQ(page_at_home(hub.shard(), {"r", {}, {}, 50})->messages.size(), 2u);
    hub.pass(hours(1) - seconds(1));
    EXPECT_EQ(hub.shard().room_count(), 1u);
    hub.pass(seconds(2));
    EXPECT_EQ(hub.shard().room_count(), 0u);
    EXPECT_EQ(rooms_at_home(hub.shard(), "", 10).size(), 0u);
}

TEST(AtHome, WhatOnlyAsksMakesNoRoom) {
    TestHub hub;
    const UserPtr ann = hub.hub().user_named("10.0.0.1", "ann");
    EXPECT_EQ(history_at_home(hub.shard(), {"r", {}, {}, 50}).error().code, "not_found");
    EXPECT_EQ(page_at_home(hub.shard(), {"r", {}, {}, 50}).error().code, "not_found");
    EXPECT_EQ(members_at_home(hub.shard(), "r").error().code, "not_found");
    EXPECT_EQ(push_at_home(hub.shard(), "r", PublicationKind::typing,
                           protocol::TypingPush{"r", ann->who, true})
                  .error()
                  .code,
              "not_found");
    end_visit_at_home(hub.shard(), "r", ann);
    EXPECT_EQ(hub.total(Metric::rooms_created), 0u);
}

TEST(AtHome, ARoomTooManyIsRefusedWhateverWouldMakeIt) {
    Config config = unlimited_config();
    config.limits.rooms = 1;
    TestHub hub(config);
    const UserPtr ann = hub.hub().user_named("10.0.0.1", "ann");
    EXPECT_TRUE(visit_at_home(hub.shard(), "r", ann));
    EXPECT_EQ(visit_at_home(hub.shard(), "s", ann).error().code, "unavailable");
    EXPECT_EQ(send_at_home(hub.shard(), ann, saying("s", "a")).error().code, "unavailable");
    end_visit_at_home(hub.shard(), "r", ann);
    hub.settle();
    EXPECT_TRUE(visit_at_home(hub.shard(), "s", ann)) << "the first was empty and has gone";
}

TEST(AtHome, APageSaysWhetherItIsWhatFollowed) {
    Config config = unlimited_config();
    config.history.messages = 3;
    TestHub hub(config);
    const UserPtr ann = hub.hub().user_named("10.0.0.1", "ann");
    protocol::Cursor last;
    for (int i = 0; i < 5; ++i) last = send_at_home(hub.shard(), ann, saying("r", "a"))->cursor;
    const auto page = [&](std::uint64_t offset, std::uint32_t limit = 50) {
        return *page_at_home(hub.shard(),
                             {"r", std::nullopt, protocol::Cursor{last.epoch, offset}, limit});
    };
    for (std::uint64_t offset = 0; offset < 8; ++offset) {
        const HistoryReply reply = page(offset);
        const bool retained = offset >= 2 && offset <= 5;
        EXPECT_EQ(reply.recovered, retained) << offset;
        EXPECT_EQ(reply.messages.size(), retained ? 5 - offset : 3u) << offset;
        EXPECT_EQ(reply.cursor, last);
    }
    EXPECT_TRUE(page(2, 1).more);
    EXPECT_FALSE(page_at_home(hub.shard(), {"r", {}, {}, 50})->recovered);
    const protocol::Cursor other{*protocol::Epoch::parse("zz"), 3};
    EXPECT_FALSE(page_at_home(hub.shard(), {"r", {}, other, 50})->recovered);
    EXPECT_EQ(page_at_home(hub.shard(), {"r", other, {}, 50}).error().code, "not_found");
}

// ---- visits ----------------------------------------------------------------------------------

struct Visits : testing::Test {
    Visits() {
        watcher.join("r", true);
        hub.settle();
        watcher.forget();
    }
    // What the watcher was told since it was last asked: +ann for a join, -ann for a leave.
    std::string told() {
        hub.settle();
        std::string all;
        for (const auto& push : watcher.all<PresencePush>()) {
            all += push.action == PresencePush::Action::join ? " +" : " -";
            all += push.user->name + std::to_string(push.count);
        }
        watcher.forget();
        return all;
    }
    void visit(const UserPtr& user) {
        EXPECT_EQ(visit_at_home(hub.shard(), "r", user)->ttl_ms, 30'000U);
    }

    TestHub hub;
    TestSession watcher{hub, 0, "watcher"};
    UserPtr ann = hub.hub().user_named("127.0.0.1", "ann");
    UserPtr bob = hub.hub().user_named("127.0.0.1", "bob");
};

TEST_F(Visits, LastThirtySecondsFromTheirLastRenewal) {
    visit(ann);
    EXPECT_EQ(told(), " +ann2");
    hub.pass(seconds(20));
    visit(ann);
    hub.pass(seconds(29));
    EXPECT_EQ(told(), "");
    EXPECT_EQ(members_at_home(hub.shard(), "r")->count, 2u);
    hub.pass(seconds(1));
    EXPECT_EQ(told(), " -ann1");
    EXPECT_EQ(members_at_home(hub.shard(), "r")->count, 1u);
}

TEST_F(Visits, EndInTheOrderOfTheirLastRenewal) {
    visit(ann);
    hub.pass(seconds(10));
    visit(bob);
    hub.pass(seconds(10));
    visit(ann);
    EXPECT_EQ(told(), " +ann2 +bob3");
    hub.pass(seconds(20));
    EXPECT_EQ(told(), " -bob2");
    hub.pass(seconds(10));
    EXPECT_EQ(told(), " -ann1");
}

TEST_F(Visits, EndAtOnceWhereTheVisitorSaysSo) {
    visit(ann);
    end_visit_at_home(hub.shard(), "r", ann);
    EXPECT_EQ(told(), " +ann2 -ann1");
    end_visit_at_home(hub.shard(), "r", ann);
    hub.pass(seconds(60));
    EXPECT_EQ(told(), "");
}

TEST_F(Visits, CountOnceWithTheSessionsOfTheSameUser) {
    TestSession session(hub, 0, "ann");
    session.join("r");
    EXPECT_EQ(told(), " +ann2");
    visit(ann);
    session.say(protocol::Leave{"r"});
    EXPECT_EQ(told(), "") << "the visit is left";
    hub.pass(seconds(30));
    EXPECT_EQ(told(), " -ann1");
    visit(ann);
    session.join("r");
    hub.pass(seconds(31));
    EXPECT_EQ(told(), " +ann2") << "the session is left";
}

TEST_F(Visits, OutliveTheGraceOfALostSessionAndTheOtherWayRound) {
    TestSession session(hub, 0, "ann");
    session.join("r");
    visit(ann);
    hub.pass(seconds(25));
    session.end(close_reasons::heartbeat_missed);
    hub.pass(seconds(9));
    EXPECT_EQ(told(), " +ann2") << "the grace holds them";
    hub.pass(seconds(1));
    EXPECT_EQ(told(), " -ann1");
}

TEST_F(Visits, LeaveNoRoomBehind) {
    visit(ann);
    EXPECT_TRUE(visit_at_home(hub.shard(), "empty", bob));
    watcher.say(protocol::Leave{"r"});
    hub.pass(seconds(31));
    EXPECT_EQ(hub.shard().room_count(), 0u);
    EXPECT_EQ(hub.total(Metric::rooms_created), hub.total(Metric::rooms_dropped));
}

// ---- from shard to shard ---------------------------------------------------------------------

TEST(Question, IsAnsweredOnTheShardThatAsked) {
    TwoShards f;
    std::optional<std::uint32_t> answered;
    ask_shard(
        f.hub.shard(away), f.hub.shard(home), [](Shard& shard) { return shard.index(); },
        [&](std::uint32_t index) { answered = index; });
    EXPECT_FALSE(answered);
    f.hub.run(away);
    f.hub.run(home);
    EXPECT_FALSE(answered);
    f.hub.run(away);
    EXPECT_EQ(answered, home);
}

TEST(Question, IsForgottenWhereTheServerEndsFirst) {
    const auto held = std::make_shared<int>(1);
    {
        TwoShards f;
        ask_shard(
            f.hub.shard(away), f.hub.shard(home), [held](Shard&) { return 1; }, [held](int) {});
        EXPECT_GT(held.use_count(), 1);
    }
    {
        TwoShards f;
        ask_shard(
            f.hub.shard(away), f.hub.shard(home), [held](Shard&) { return 1; }, [held](int) {});
        f.hub.run(home);
    }
    EXPECT_EQ(held.use_count(), 1);
}

TEST(Question, GoesRoundAllShardsOnce) {
    for (std::uint32_t shards = 1; shards <= 4; ++shards) {
        for (std::uint32_t from = 0; from < shards; ++from) {
            TestHub hub(unlimited_config(shards));
            std::vector<std::uint32_t> visited;
            Shard& here = hub.shard(from);
            ask_every_shard(
                here, here, std::vector<std::uint32_t>(),
                [](Shard& shard, std::vector<std::uint32_t>& all) { all.push_back(shard.index()); },
                [&](std::vector<std::uint32_t>&& all) { visited = std::move(all); });
            hub.settle();
            std::vector<std::uint32_t> expected;
            for (std::uint32_t i = 0; i < shards; ++i) expected.push_back((from + i) % shards);
            EXPECT_EQ(visited, expected);
        }
    }
}

TEST(Rooms, AreListedByNameAndFromAName) {
    TestHub hub;
    const UserPtr ann = hub.hub().user_named("10.0.0.1", "ann");
    for (const std::string room : {"c", "a", "b", "B", "a-1"}) {
        ASSERT_TRUE(send_at_home(hub.shard(), ann, saying(room, "x")));
    }
    ASSERT_TRUE(visit_at_home(hub.shard(), "a", ann));
    EXPECT_EQ(names(rooms_at_home(hub.shard(), "", 10)),
              (std::vector<std::string>{"B", "a", "a-1", "b", "c"}));
    EXPECT_EQ(names(rooms_at_home(hub.shard(), "a", 2)), (std::vector<std::string>{"a-1", "b"}));
    EXPECT_EQ(names(rooms_at_home(hub.shard(), "c", 2)), std::vector<std::string>{});
    const auto a = rooms_at_home(hub.shard(), "B", 1).at(0);
    EXPECT_EQ(a.members, 1u);
    EXPECT_EQ(a.last_offset, 1u);
}

}  // namespace
}  // namespace parley::core
