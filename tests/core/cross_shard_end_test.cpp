// What ends while something of it is under way between shards leaves nothing behind.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/cross_shard_fixture.hpp"

namespace parley::core {
namespace {

using protocol::Joined;
using test::away;
using test::home;
using test::TestHub;
using test::TestSession;
using test::TwoShards;
using test::unlimited_config;

TEST(CrossShard, ARefusedOrLostJoinHoldsNothingBack) {
    TwoShards f;
    TestSession ann(f.hub, home, "ann");
    TestSession bob(f.hub, away, "bob");
    ann.join(f.room);
    bob.join(f.room);
    f.hub.settle();
    TestSession eve(f.hub, away, "eve");
    eve.join(f.room);
    for (int i = 0; i < 5; ++i) bob.send(f.room, "x");
    f.hub.run(away);
    eve.end(close_reasons::vanished);
    EXPECT_EQ(f.hub.shard(away).find_audience(f.room)->window().size(), 5u);
    f.hub.settle();
    EXPECT_EQ(f.hub.shard(away).find_audience(f.room)->window().size(), 0u);
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
