// Sessions of several shards in one room: questions to a home elsewhere, and the ring between.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "core/cross_shard_fixture.hpp"
#include "core/limits.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::Joined;
using protocol::Message;
using test::away;
using test::home;
using test::TestHub;
using test::TestSession;
using test::TwoShards;
using test::unlimited_config;

TEST(CrossShard, AJoinIsAnsweredByTheHomeAndTheTransportResumed) {
    TwoShards f;
    TestSession ann(f.hub, away, "ann");
    ann.join(f.room);
    EXPECT_FALSE(ann.subscriber().ready());
    EXPECT_EQ(ann.last<Joined>(), std::nullopt);
    f.hub.run(home);
    EXPECT_FALSE(ann.subscriber().ready());
    f.hub.run(away);
    EXPECT_TRUE(ann.subscriber().ready());
    EXPECT_EQ(ann.transport().resumes, 1u);
    EXPECT_EQ(ann.last<Joined>()->count, 1u);
    EXPECT_EQ(f.hub.shard(home).room_count(), 1u);
    EXPECT_EQ(f.hub.shard(away).room_count(), 1u);
}

TEST(CrossShard, EverybodyHearsTheSameOrder) {
    TwoShards f(unlimited_config(4));
    std::deque<TestSession> sessions;
    for (std::size_t i = 0; i < 8; ++i) {
        sessions.emplace_back(f.hub, i % 4, "user-" + std::to_string(i)).join(f.room);
    }
    f.hub.settle();
    for (int round = 0; round < 10; ++round) {
        for (auto& session : sessions) session.send(f.room, session.user().name);
        f.hub.run(static_cast<std::size_t>(round % 4));
    }
    f.hub.settle();
    const auto first = sessions[0].all<Message>();
    EXPECT_EQ(first.size(), 80u);
    for (auto& session : sessions) EXPECT_EQ(session.all<Message>(), first);
}

TEST(CrossShard, NothingIsLostOrTwiceWhereAJoinMeetsPublishing) {
    // The shards' turns in every order of six steps, a message before each of them.
    for (unsigned order = 0; order < 64; ++order) {
        TwoShards f;
        TestSession ann(f.hub, home, "ann");
        TestSession bob(f.hub, away, "bob");
        ann.join(f.room);
        ann.send(f.room, "before");
        bob.join(f.room);
        for (unsigned step = 0; step < 6; ++step) {
            ann.send(f.room, std::to_string(step));
            f.hub.run((order >> step) & 1);
        }
        f.hub.settle();
        std::vector<std::uint64_t> offsets;
        const auto joined = *bob.last<Joined>();
        for (const auto& message : joined.history) offsets.push_back(message.cursor.offset);
        for (const auto& message : bob.all<Message>()) offsets.push_back(message.cursor.offset);
        EXPECT_EQ(offsets, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7})) << order;
    }
}

TEST(CrossShard, ASecondJoinFindsTheShardListening) {
    for (unsigned order = 0; order < 16; ++order) {
        TwoShards f;
        TestSession ann(f.hub, home, "ann");
        TestSession bob(f.hub, away, "bob");
        TestSession eve(f.hub, away, "eve");
        ann.join(f.room);
        bob.join(f.room);
        for (unsigned step = 0; step < 2; ++step) f.hub.run((order >> step) & 1);
        eve.join(f.room);
        ann.send(f.room, "one");
        for (unsigned step = 2; step < 4; ++step) f.hub.run((order >> step) & 1);
        ann.send(f.room, "two");
        f.hub.settle();
        for (auto* session : {&bob, &eve}) {
            auto heard = session->last<Joined>()->history.size() + session->all<Message>().size();
            EXPECT_EQ(heard, 2u) << order;
        }
    }
}

TEST(CrossShard, ANewcomerIsOwedWhatItsShardTookInWhileTheAnswerWasUnderWay) {
    // Who speaks meanwhile: somebody elsewhere, the same where nobody here listens any more, or
    // somebody here.
    enum class Speaker : std::uint8_t { elsewhere, elsewhere_and_nobody_listens, here };
    for (const auto who :
         {Speaker::elsewhere, Speaker::elsewhere_and_nobody_listens, Speaker::here}) {
        TwoShards f;
        TestSession ann(f.hub, home, "ann");
        TestSession bob(f.hub, away, "bob");
        TestSession eve(f.hub, away, "eve");
        ann.join(f.room);
        bob.join(f.room);
        f.hub.settle();
        eve.join(f.room);
        bob.send(f.room, "in the history");
        if (who == Speaker::elsewhere_and_nobody_listens) bob.say(protocol::Leave{f.room});
        // In the middle of the shard's turn, behind its mail and before it drains, the home answers
        // and more is said.
        f.hub.shard(away).post([&](Shard&) {
            f.hub.run(home);
            auto& speaker = who == Speaker::here ? bob : ann;
            for (int i = 0; i < 5; ++i) speaker.send(f.room, std::to_string(i));
        });
        f.hub.run(away);
        EXPECT_EQ(eve.last<Joined>(), std::nullopt);
        f.hub.run(away);
        EXPECT_EQ(eve.last<Joined>()->history.size(), 1u);
        EXPECT_EQ(eve.texts(f.room), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
        EXPECT_EQ(f.hub.shard(away).find_audience(f.room)->window().size(), 0u);
        const auto& metrics = f.hub.shard(away).metrics();
        EXPECT_EQ(
            metrics.read(Metric::deliveries_due),
            metrics.read(Metric::deliveries_written) + metrics.read(Metric::deliveries_dropped));
    }
}

TEST(CrossShard, QuestionsAreAnsweredFromAfar) {
    TwoShards f;
    TestSession ann(f.hub, home, "ann");
    TestSession bob(f.hub, away, "bob");
    bob.say(protocol::History{f.room, {}, {}, 10});
    f.hub.settle();
    EXPECT_EQ(bob.error(), "not_found");
    bob.forget();
    bob.say(protocol::Members{f.room});
    f.hub.settle();
    EXPECT_EQ(bob.error(), "not_found");
    ann.join(f.room);
    ann.send(f.room, "hello");
    bob.say(protocol::History{f.room, {}, {}, 10});
    f.hub.settle();
    EXPECT_EQ(bob.last<protocol::HistoryPage>()->messages.size(), 1u);
    bob.say(protocol::Members{f.room});
    f.hub.settle();
    EXPECT_EQ(bob.last<protocol::MemberList>()->members, std::vector{ann.user()});
    EXPECT_EQ(bob.transport().resumes, 4u);
}

TEST(CrossShard, AKeyIsPublishedOnceFromWhateverShardItComes) {
    TwoShards f;
    TestSession one(f.hub, home, "ann");
    TestSession two(f.hub, away, "ann");
    one.join(f.room);
    two.join(f.room);
    f.hub.settle();
    two.send(f.room, "hello", "k");
    one.send(f.room, "hello", "k");
    f.hub.settle();
    EXPECT_EQ(one.last<Ack>()->cursor.offset, 1u);
    EXPECT_EQ(*two.last<Ack>(), *one.last<Ack>());
    EXPECT_EQ(one.all<Message>().size(), 1u);
    EXPECT_EQ(two.all<Message>(), one.all<Message>());
}

TEST(CrossShard, PresenceReachesThoseWhoAskedOnEveryShard) {
    TwoShards f;
    TestSession near(f.hub, home, "near");
    TestSession far(f.hub, away, "far");
    near.join(f.room, true);
    far.join(f.room, true);
    f.hub.settle();
    TestSession ann(f.hub, away, "ann");
    ann.join(f.room);
    f.hub.settle();
    ann.say(protocol::Leave{f.room});
    f.hub.settle();
    EXPECT_EQ(near.all<protocol::PresencePush>().size(), 3u);  // far came, ann came and went
    EXPECT_EQ(far.all<protocol::PresencePush>().size(), 2u);
    EXPECT_EQ(far.last<protocol::PresencePush>()->count, 2u);
}

TEST(CrossShard, AStalledShardMakesAPublisherUnavailableAndLosesNothing) {
    Config config = unlimited_config(2);
    config.window.messages = 2 * limits::room_ring_slots_max;
    config.window.bytes = std::size_t{1} << 30;
    for (const std::size_t stalled : {home, away}) {
        TwoShards f(config);
        TestSession ann(f.hub, 1 - stalled, "ann");
        TestSession bob(f.hub, stalled, "bob");
        ann.join(f.room);
        bob.join(f.room);
        f.hub.settle();
        for (std::uint32_t i = 0; i < limits::room_ring_slots_max; ++i) {
            ann.send(f.room, "x", {}, {});
            f.hub.run(1 - stalled);
        }
        EXPECT_EQ(ann.error(), "");
        ann.send(f.room, "too much");
        EXPECT_EQ(ann.error(), "unavailable");
        EXPECT_TRUE(ann.last<protocol::Error>()->temporary);
        EXPECT_TRUE(ann.last<protocol::Error>()->retry_after_ms);
        ann.say(protocol::Typing{f.room, true});
        EXPECT_EQ(f.hub.total(Metric::publish_refused), 2u);
        f.hub.settle();
        ann.send(f.room, "again");
        f.hub.settle();
        EXPECT_EQ(bob.all<Message>().size(), limits::room_ring_slots_max + 1);
        EXPECT_EQ(bob.all<Message>(), ann.all<Message>());
    }
}

TEST(CrossShard, AShardThatAloneSpeaksTakesItsOwnAndIsNeverFull) {
    TestHub hub;
    TestSession ann(hub, 0, "ann");
    ann.join("r");
    for (std::uint32_t i = 0; i < 3 * limits::room_ring_slots_max; ++i) {
        ann.send("r", "x", {}, {});
    }
    EXPECT_EQ(ann.error(), "");
    EXPECT_EQ(hub.total(Metric::publish_refused), 0u);
}

}  // namespace
}  // namespace parley::core
