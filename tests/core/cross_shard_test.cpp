// Sessions of several shards in one room: questions to a home elsewhere, and the ring between.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "core/limits.hpp"
#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::Joined;
using protocol::Message;
using std::chrono::seconds;
using test::TestHub;
using test::TestSession;
using test::unlimited_config;

constexpr std::size_t home = 0;
constexpr std::size_t away = 1;

struct TwoShards {
    explicit TwoShards(Config config = unlimited_config(2)) : hub(std::move(config)) {}

    void expect_nothing_left() {
        hub.pass(seconds(11));
        for (std::size_t i = 0; i < hub.shards(); ++i) {
            EXPECT_EQ(hub.shard(i).room_count(), 0u) << "shard " << i;
        }
        EXPECT_EQ(hub.total(Metric::rooms_created), hub.total(Metric::rooms_dropped));
        EXPECT_EQ(hub.total(Metric::audiences_created), hub.total(Metric::audiences_dropped));
    }

    TestHub hub;
    std::string room = hub.room_at(home);
};

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

TEST(CrossShard, ASessionThatEndsAtAnyStepOfItsJoinLeavesNothingBehind) {
    for (const auto& reason : {close_reasons::normal, close_reasons::vanished}) {
        for (unsigned order = 0; order < 16; ++order) {
            for (unsigned at = 0; at <= 4; ++at) {
                TwoShards f;
                TestSession ann(f.hub, away, "ann");
                ann.join(f.room, true);
                for (unsigned step = 0; step < 4; ++step) {
                    if (step == at) ann.end(reason);
                    f.hub.run((order >> step) & 1);
                }
                if (at == 4) ann.end(reason);
                f.expect_nothing_left();
            }
        }
    }
}

TEST(CrossShard, ASessionClosedWhileItsJoinIsUnderWayDoesNotJoin) {
    Config config = unlimited_config(2);
    config.limits.enabled = true;
    config.limits.errors_in_a_row = 1;
    TwoShards f(config);
    {
        TestSession ann(f.hub, away, "ann");
        ann.join(f.room);
        ann.subscriber().refuse(protocol::CommandId{}, errc::bad_request, "rubbish");
        f.hub.settle();
        EXPECT_TRUE(ann.transport().closed_for);
        EXPECT_EQ(ann.last<Joined>(), std::nullopt);
        EXPECT_EQ(ann.transport().resumes, 0u);
    }
    f.expect_nothing_left();
}

TEST(CrossShard, ASessionThatEndsBeforeAnAnswerIsNotAnswered) {
    TwoShards f;
    TestSession ann(f.hub, home, "ann");
    ann.join(f.room);
    for (int command = 0; command < 3; ++command) {
        TestSession bob(f.hub, away, "bob");
        bob.join(f.room);
        f.hub.settle();
        const auto resumes = bob.transport().resumes;
        if (command == 0) bob.send(f.room, "said all the same", "k");
        if (command == 1) bob.say(protocol::History{f.room, {}, {}, 10});
        if (command == 2) bob.say(protocol::Members{f.room});
        f.hub.run(home);
        bob.end(close_reasons::vanished);
        f.hub.settle();
        EXPECT_EQ(bob.transport().resumes, resumes);
    }
    EXPECT_EQ(ann.texts(f.room), std::vector<std::string>{"said all the same"});
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

TEST(CrossShard, TheHomeLetsARoomGoWhenTheLastShardHas) {
    TwoShards f;
    {
        TestSession ann(f.hub, away, "ann");
        ann.join(f.room);
        f.hub.settle();
        ann.say(protocol::Leave{f.room});
        EXPECT_EQ(ann.last<protocol::Left>()->room, f.room);
        f.hub.settle();
        EXPECT_EQ(f.hub.shard(home).room_count(), 0u);
        EXPECT_EQ(f.hub.shard(away).room_count(), 0u);
        // And it can be joined again at once.
        ann.join(f.room);
        f.hub.settle();
        EXPECT_EQ(ann.all<Joined>().size(), 2u);
    }
    f.expect_nothing_left();
}

TEST(CrossShard, LeavingAndJoiningAgainInAnyOrderOfTurnsKeepsTheRoomWhole) {
    for (unsigned order = 0; order < 64; ++order) {
        TwoShards f;
        TestSession ann(f.hub, away, "ann");
        ann.join(f.room);
        f.hub.settle();
        ann.say(protocol::Leave{f.room});
        for (unsigned step = 0; step < 3; ++step) f.hub.run((order >> step) & 1);
        ann.join(f.room);
        for (unsigned step = 3; step < 6; ++step) f.hub.run((order >> step) & 1);
        f.hub.settle();
        ann.send(f.room, "hello");
        f.hub.settle();
        EXPECT_EQ(ann.texts(f.room), std::vector<std::string>{"hello"}) << order;
    }
}

TEST(CrossShard, ARefusedJoinLeavesNoAudienceBehind) {
    Config config = unlimited_config(2);
    config.limits.rooms = 0;
    TwoShards f(config);
    TestSession ann(f.hub, away, "ann");
    ann.join(f.room);
    f.hub.settle();
    EXPECT_EQ(ann.error(), "unavailable");
    EXPECT_EQ(ann.transport().resumes, 1u);
    EXPECT_EQ(f.hub.shard(home).room_count(), 0u);
    EXPECT_EQ(f.hub.shard(away).room_count(), 0u);
}

TEST(CrossShard, TasksRunInTheOrderOfPosting) {
    TestHub hub(unlimited_config(2));
    std::vector<int> ran;
    for (int i = 0; i < 10; ++i) hub.shard(1).post([&ran, i](Shard&) { ran.push_back(i); });
    hub.settle();
    EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(CrossShard, WhatIsUnderWayWhenTheHubGoesIsFreed) {
    const auto witness = std::make_shared<int>(1);
    {
        TwoShards f;
        TestSession ann(f.hub, away, "ann");
        ann.join(f.room);
        f.hub.run(home);
        f.hub.shard(home).post([witness](Shard&) {});
    }
    EXPECT_EQ(witness.use_count(), 1);
}

}  // namespace
}  // namespace parley::core
