// What ends by itself, and what crosses on the way.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/room_acts_fixture.hpp"

namespace parley::core {
namespace {

using protocol::Message;
using protocol::Removed;
using protocol::RolePush;
using protocol::SetRole;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::FakeRecords;
using test::TestSession;

// ---- what ends by itself ---------------------------------------------------------------------

TEST(RoomActs, AMuteAndABanEndByThemselves) {
    Acts f(2);
    const std::string room = f.hub.room_at(0, "members.e");
    TestSession& root = f.enter("root", 0);
    TestSession& ann = f.enter("ann", 1);
    TestSession& bob = f.enter("bob", 1);
    ASSERT_EQ(f.join(root, room), "");
    for (const char* const name : {"ann", "bob"}) {
        f.know(name);
        ASSERT_EQ(f.make(root, room, name, Role::member), "");
    }
    for (TestSession* session : {&ann, &bob}) ASSERT_EQ(f.join(*session, room), "");
    ASSERT_EQ(f.make(root, room, "ann", Role::muted, 600'000), "");
    ASSERT_EQ(f.make(root, room, "bob", Role::banned, 1'200'000), "");
    f.hub.pass(minutes(10) - seconds(1));
    EXPECT_EQ(f.send(ann, room), "forbidden");
    ann.forget();
    f.hub.pass(seconds(2));
    ASSERT_TRUE(ann.last<RolePush>());
    EXPECT_EQ(ann.last<RolePush>()->role, Role::member) << "what they were before";
    EXPECT_FALSE(ann.last<RolePush>()->by);
    EXPECT_EQ(f.send(ann, room), "");
    EXPECT_EQ(f.join(bob, room), "forbidden");
    f.hub.pass(minutes(10));
    EXPECT_EQ(f.join(bob, room), "");
    EXPECT_EQ(f.send(bob, room), "");
}

TEST(RoomActs, WhatEndsWhileSomethingElseIsKeptDoesNotUndoIt) {
    FakeRecords records;
    Acts f(2, &records);
    const std::string room = f.hub.room_at(0, "public.u");
    TestSession& root = f.enter("root", 0);
    TestSession& bob = f.guest("bob", 1);
    ASSERT_EQ(f.join(root, room), "");
    ASSERT_EQ(f.join(bob, room), "");
    ASSERT_EQ(f.make(root, room, "bob", Role::muted, 60'000), "");
    records.by_itself = false;
    root.say(SetRole{room, "bob", Role::banned, {}, {}}, std::int64_t{1});
    f.hub.pass(minutes(2));
    records.by_itself = true;
    records.work();
    f.hub.settle();
    ASSERT_EQ(records.rooms[room].roles.size(), 1u);
    EXPECT_EQ(records.rooms[room].roles.front().role, Role::banned);
    EXPECT_EQ(f.join(bob, room), "forbidden");
}

TEST(RoomActs, AMembershipForATimeEndsWithTheSessionOut) {
    Acts f(2);
    const std::string room = f.hub.room_at(0, "private.e");
    TestSession& root = f.enter("root", 0);
    TestSession& ann = f.enter("ann", 1);
    ASSERT_EQ(f.join(root, room), "");
    f.know("ann");
    ASSERT_EQ(f.make(root, room, "ann", Role::member, 48ULL * 3'600'000), "");
    ASSERT_EQ(f.join(ann, room), "");
    f.hub.pass(hours(47));
    EXPECT_EQ(f.send(ann, room), "");
    f.hub.pass(hours(2));
    ASSERT_TRUE(ann.last<Removed>());
    EXPECT_EQ(ann.last<Removed>()->action, Removed::Action::kick);
    EXPECT_EQ(f.join(ann, room), "forbidden");
}

// ---- races -----------------------------------------------------------------------------------

// Ann says something on another shard in every turn while she is muted: nothing of hers follows the
// push that says so, in the order that everybody hears.
TEST(RoomActs, NothingOfTheMutedFollowsTheWordOfIt) {
    for (int turns = 0; turns < 12; ++turns) {
        Acts f(3);
        const std::string room = f.hub.room_at(0, "public.race");
        TestSession& root = f.enter("root", 1);
        TestSession& ann = f.enter("ann", 2);
        TestSession& ear = f.guest("ear", 1);
        for (TestSession* session : {&root, &ann, &ear}) ASSERT_EQ(f.join(*session, room), "");
        ear.forget();
        root.say(SetRole{room, "ann", Role::muted, {}, {}}, std::int64_t{1});
        for (int turn = 0; turn < 40; ++turn) {
            if (turn >= turns) f.hub.run(static_cast<std::size_t>(turn) % 3);
            if (ann.subscriber().ready()) ann.send(room, std::to_string(turn));
        }
        f.hub.settle();
        bool muted = false;
        std::size_t before = 0;
        for (const auto& frame : ear.heard()) {
            if (std::holds_alternative<RolePush>(frame.message)) muted = true;
            if (!std::holds_alternative<Message>(frame.message)) continue;
            EXPECT_FALSE(muted);
            ++before;
        }
        EXPECT_TRUE(muted);
        EXPECT_GE(before, 1u);
        EXPECT_EQ(f.send(ann, room), "forbidden");
    }
}

TEST(RoomActs, WhoJoinsWhileTheyAreBannedIsNotIn) {
    for (int turns = 0; turns < 12; ++turns) {
        Acts f(3);
        const std::string room = f.hub.room_at(0, "public.race");
        TestSession& root = f.enter("root", 1);
        TestSession& ann = f.enter("ann", 2);
        ASSERT_EQ(f.join(root, room), "");
        f.know("ann");
        root.say(SetRole{room, "ann", Role::banned, {}, {}}, std::int64_t{1});
        for (int turn = 0; turn < turns; ++turn) f.hub.run(static_cast<std::size_t>(turn) % 3);
        ann.join(room);
        f.hub.settle();
        EXPECT_EQ(f.send(ann, room), "not_joined");
        EXPECT_TRUE(ann.last<Removed>() || ann.error() == "not_joined");
        EXPECT_EQ(f.info(root, room).count, 1u);
    }
}

TEST(RoomActs, ASessionThatEndsWhileItsActIsUnderWayHarmsNobody) {
    FakeRecords records;
    Acts f(2, &records);
    const std::string room = f.hub.room_at(0, "public.gone");
    TestSession& bob = f.guest("bob", 1);
    ASSERT_EQ(f.join(bob, room), "");
    {
        TestSession& root = f.enter("root", 1);
        records.by_itself = false;
        root.say(SetRole{room, "bob", Role::muted, {}, {}}, std::int64_t{1});
        f.hub.settle();
        root.end(close_reasons::vanished);
    }
    EXPECT_EQ(records.asked(), 1u);
    records.work();
    f.hub.settle();
    EXPECT_EQ(f.send(bob, room), "forbidden");
}

}  // namespace
}  // namespace parley::core
