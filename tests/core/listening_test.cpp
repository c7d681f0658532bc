// Sessions that only hear a room: they are not present in it, and keep it all the same.
#include <gtest/gtest.h>

#include <deque>
#include <limits>

#include "core/subscriber.hpp"
#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Joined;
using protocol::MemberList;
using protocol::Message;
using protocol::PresencePush;
using protocol::TypingPush;
using std::chrono::hours;
using std::chrono::seconds;
using test::TestHub;
using test::TestSession;
using test::unlimited_config;

constexpr Listening hearing{messages_only, false};

void listen(TestSession& session, const std::string& room,
            std::optional<protocol::Cursor> since = std::nullopt, const Listening& how = hearing) {
    protocol::Join join;
    join.room = room;
    join.since = since;
    session.subscriber().join(std::move(join), how);
}

class ListeningOn : public testing::TestWithParam<std::size_t> {
protected:
    [[nodiscard]] std::string room() const { return hub.room_at(0); }
    [[nodiscard]] std::size_t elsewhere() const { return GetParam(); }

    TestHub hub{unlimited_config(2)};
    TestSession ann{hub, 0, "ann"};
};

TEST_P(ListeningOn, HearsMessagesAndIsNotPresent) {
    ann.join(room(), true);
    hub.settle();
    TestSession ear(hub, elsewhere(), std::nullopt);
    listen(ear, room());
    hub.settle();
    ann.send(room(), "1");
    ann.say(protocol::Typing{room(), true});
    hub.settle();
    EXPECT_EQ(ear.texts(room()), std::vector<std::string>{"1"});
    EXPECT_TRUE(ear.all<TypingPush>().empty());
    EXPECT_EQ(ear.last<Joined>()->count, 1U);
    ann.say(protocol::Members{room()});
    EXPECT_EQ(ann.last<MemberList>()->count, 1U);
    ear.end(close_reasons::vanished);
    hub.pass(seconds(30));
    EXPECT_TRUE(ann.all<PresencePush>().empty()) << "nobody came, nobody went";
}

TEST_P(ListeningOn, HearsTheKindsThatItAskedFor) {
    ann.join(room());
    TestSession all(hub, elsewhere(), std::nullopt);
    TestSession most(hub, elsewhere(), std::nullopt);
    listen(all, room(), std::nullopt, {all_kinds, false});
    listen(most, room(), std::nullopt, {all_but_presence, false});
    hub.settle();
    TestSession bob(hub, 0, "bob");
    bob.join(room());
    bob.say(protocol::Typing{room(), true});
    bob.send(room(), "1");
    hub.settle();
    EXPECT_EQ(all.all<PresencePush>().size(), 1U);
    EXPECT_TRUE(most.all<PresencePush>().empty());
    for (TestSession* session : {&all, &most}) {
        EXPECT_EQ(session->all<TypingPush>().size(), 1U);
        EXPECT_EQ(session->texts(room()), std::vector<std::string>{"1"});
    }
    EXPECT_EQ(hub.total(Metric::deliveries_filtered), 2U) << "to ann and to most";
}

TEST_P(ListeningOn, KnowsItsCursorByWhatItWasHanded) {
    ann.join(room());
    TestSession ear(hub, elsewhere(), std::nullopt);
    EXPECT_FALSE(ear.subscriber().cursor_in(room()));
    listen(ear, room());
    hub.settle();
    for (std::uint64_t i = 0; i < 6; ++i) {
        EXPECT_EQ(ear.subscriber().cursor_in(room())->offset, i);
        ann.say(protocol::Typing{room(), true});
        ann.send(room(), "x");
        hub.settle();
    }
    ear.block();
    ann.send(room(), "y");
    hub.settle();
    EXPECT_EQ(ear.subscriber().cursor_in(room())->offset, 6U) << "not handed over yet";
    ear.unblock();
    EXPECT_EQ(ear.subscriber().cursor_in(room())->offset, 7U);
}

TEST_P(ListeningOn, KeepsARoomAndItsHistoryAsLongAsItHears) {
    ann.join(room());
    ann.send(room(), "1");
    hub.settle();
    const protocol::Cursor cursor{hub.shard(0).find_audience(room())->room()->epoch(), 1};
    TestSession ear(hub, elsewhere(), std::nullopt);
    listen(ear, room());
    hub.settle();
    ann.end(close_reasons::normal);
    const auto ttl = hub.hub().config().history.idle_ttl;
    hub.pass(ttl + seconds(10));
    ear.end(close_reasons::normal);
    // The last ear went just now: what was said is still there for who comes back.
    hub.pass(ttl - seconds(10));
    TestSession late(hub, elsewhere(), std::nullopt);
    listen(late, room(), protocol::Cursor{cursor.epoch, 0});
    hub.settle();
    EXPECT_TRUE(late.last<Joined>()->recovered);
    EXPECT_EQ(late.last<Joined>()->history.size(), 1U);
    late.end(close_reasons::normal);
    hub.pass(ttl + seconds(10));
    EXPECT_EQ(hub.total(Metric::rooms_created), hub.total(Metric::rooms_dropped));
}

TEST_P(ListeningOn, AnEmptyRoomGoesWithItsLastEar) {
    TestSession one(hub, elsewhere(), std::nullopt);
    TestSession two(hub, 0, std::nullopt);
    listen(one, room());
    listen(two, room());
    hub.settle();
    one.end(close_reasons::vanished);
    hub.settle();
    EXPECT_EQ(hub.total(Metric::rooms_dropped), 0U);
    two.end(close_reasons::vanished);
    hub.settle();
    EXPECT_EQ(hub.total(Metric::rooms_dropped), 1U);
}

TEST_P(ListeningOn, GoneBeforeItsRoomAnsweredLeavesNothingBehind) {
    TestSession ear(hub, elsewhere(), std::nullopt);
    listen(ear, room());
    ear.end(close_reasons::vanished);
    hub.settle();
    EXPECT_EQ(hub.total(Metric::rooms_created), hub.total(Metric::rooms_dropped));
}

TEST_P(ListeningOn, ObeysTheRulesOfAJoin) {
    TestSession ear(hub, elsewhere(), std::nullopt);
    listen(ear, "-no name");
    EXPECT_EQ(ear.error(), "bad_request");
    listen(ear, room());
    hub.settle();
    listen(ear, room());
    EXPECT_EQ(ear.error(), "conflict");
}

INSTANTIATE_TEST_SUITE_P(, ListeningOn, testing::Values(std::size_t{0}, std::size_t{1}),
                         [](const auto& param) {
                             return param.param == 0 ? std::string("HomeShard")
                                                     : std::string("AnotherShard");
                         });

// Thousands wait for the same: each is handed it once, and nothing is left of them.
TEST(Listening, OfThousandsWhoAreHandedOneMessageAndGo) {
    constexpr std::size_t ears_max = 5'000;
    TestHub hub(unlimited_config(2));
    const std::string room = hub.room_at(0);
    TestSession ann(hub, 0, "ann");
    ann.join(room);
    hub.settle();
    for (int round = 1; round <= 3; ++round) {
        std::deque<TestSession> ears;
        for (std::size_t i = 0; i < ears_max; ++i) {
            listen(ears.emplace_back(hub, i % 2, std::nullopt), room);
        }
        hub.settle();
        ann.send(room, std::to_string(round));
        hub.settle();
        for (TestSession& ear : ears) {
            ASSERT_EQ(ear.texts(room), std::vector<std::string>{std::to_string(round)});
            ear.end(close_reasons::normal);
        }
        ears.clear();
        hub.settle();
        EXPECT_EQ(hub.shard(0).find_audience(room)->size(), 1U);
        EXPECT_EQ(hub.shard(1).find_audience(room), nullptr);
    }
}

}  // namespace
}  // namespace parley::core
