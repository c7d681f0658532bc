// Claims, and what is kept of who is what: by records, and without any.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/room_acts_fixture.hpp"
#include "support/fake_store.hpp"

namespace parley::core {
namespace {

using protocol::AskRoom;
using protocol::Joined;
using protocol::Kick;
using protocol::Removed;
using protocol::SetTopic;
using std::chrono::hours;
using std::chrono::minutes;
using test::FakeRecords;
using test::TestSession;

TEST(RoomActs, TheFirstWithAnAccountOwnsARoomThatIsNotOpen) {
    for (const RoomKind kind : room_kinds) {
        Acts f;
        const std::string room = "own-" + room_of(kind);
        const bool closed = kind == RoomKind::members || kind == RoomKind::hidden;
        TestSession& guest = f.guest("gus");
        EXPECT_EQ(f.join(guest, room), closed ? "forbidden" : "");
        TestSession& ann = f.enter("ann");
        EXPECT_EQ(f.join(ann, room), "");
        EXPECT_EQ(f.info(ann, room).role, kind == RoomKind::open ? Role::none : Role::owner);
        TestSession& bob = f.enter("bob");
        f.join(bob, room);
        EXPECT_EQ(f.code(bob, AskRoom{room}), closed ? "forbidden" : "");
    }
}

TEST(RoomActs, APrivateRoomIsNotListedAndIsNotToldFromOneThatIsNotThere) {
    Acts f;
    TestSession& root = f.enter("root");
    for (const RoomKind kind : room_kinds) ASSERT_EQ(f.join(root, room_of(kind)), "");
    std::vector<std::string> listed;
    for (const auto& room : rooms_at_home(f.hub.shard(), {}, 10)) listed.push_back(room.room);
    EXPECT_EQ(listed, (std::vector<std::string>{"members.r", "public.r", "read-only.r"}));
    TestSession& eve = f.enter("eve");
    for (const char* const room : {"private.r", "private.not-there"}) {
        EXPECT_EQ(f.code(eve, AskRoom{room}), "forbidden");
        const std::string said = f.why;
        EXPECT_EQ(f.join(eve, room), "forbidden");
        EXPECT_EQ(f.why, said);
        EXPECT_EQ(f.code(eve, protocol::Members{room}), "forbidden");
        EXPECT_EQ(f.code(eve, protocol::History{room, {}, {}, 5}), "forbidden");
        EXPECT_EQ(f.why, said);
    }
    EXPECT_EQ(f.hub.shard().find_audience("private.not-there"), nullptr);
}

TEST(RoomActs, WhatIsKeptIsThereWhenTheRoomOpensAgain) {
    for (const bool stores : {false, true}) {
        FakeRecords records;
        test::FakeStore store(Durability::sync);
        const auto begin = [&](std::optional<Acts>& f) {
            f.emplace(2, &records, stores ? &store : nullptr);
        };
        std::optional<Acts> f;
        begin(f);
        const std::string room = f->hub.room_at(1, "own-private.x");
        {
            TestSession& ann = f->enter("ann", 0);
            ASSERT_EQ(f->join(ann, room), "");
            f->know("bob");
            ASSERT_EQ(f->make(ann, room, "bob", Role::member), "");
            ASSERT_EQ(f->code(ann, SetTopic{room, "plans"}), "") << f->why;
        }
        f.reset();
        begin(f);
        TestSession& eve = f->enter("eve", 0);
        EXPECT_EQ(f->join(eve, room), "forbidden") << "it is owned";
        TestSession& bob = f->enter("bob", 0);
        EXPECT_EQ(f->join(bob, room), "");
        EXPECT_EQ(bob.last<Joined>()->topic, "plans");
        TestSession& ann = f->enter("ann", 1);
        EXPECT_EQ(f->info(ann, room).role, Role::owner);
        EXPECT_GE(records.loads, 1u);
    }
}

TEST(RoomActs, WhereRolesCanNotBeKeptActsAreUnavailableAndWhatIsKnownHolds) {
    FakeRecords records;
    Acts f(1, &records);
    const std::string room = "own-members.f";
    TestSession& ann = f.enter("ann");
    ASSERT_EQ(f.join(ann, room), "");
    f.know("bob");
    ASSERT_EQ(f.make(ann, room, "bob", Role::member), "");
    TestSession& bob = f.enter("bob");
    ASSERT_EQ(f.join(bob, room), "");
    records.works = false;
    EXPECT_EQ(f.make(ann, room, "bob", Role::banned), "unavailable");
    EXPECT_EQ(f.code(ann, SetTopic{room, "t"}), "unavailable");
    EXPECT_EQ(f.send(bob, room), "");
    EXPECT_EQ(f.info(ann, room).topic, "");
    EXPECT_EQ(f.code(ann, Kick{room, "bob", {}}), "") << "nothing is kept of that";
    records.rooms["own-members.unread"];
    EXPECT_EQ(f.join(bob, "own-members.unread"), "unavailable") << "it is not known who may";
    EXPECT_EQ(f.hub.total(Metric::records_unread), 1u);
    records.works = true;
    EXPECT_EQ(f.make(ann, room, "bob", Role::banned), "");
    EXPECT_EQ(f.join(bob, "own-members.unread"), "");
}

TEST(RoomActs, AClaimThatCanNotBeKeptIsNone) {
    FakeRecords records;
    Acts f(1, &records);
    records.works = false;
    TestSession& ann = f.enter("ann");
    ann.join("own-members.c");
    f.hub.settle();
    ASSERT_TRUE(ann.last<Removed>());
    EXPECT_NE(ann.last<Removed>()->reason.find("fire"), std::string::npos);
    records.works = true;
    TestSession& bob = f.enter("bob");
    EXPECT_EQ(f.join(bob, "own-members.c"), "");
    EXPECT_EQ(f.info(bob, "own-members.c").role, Role::owner);
}

// A claim that is refused takes nothing of what they were.
TEST(RoomActs, WhoseClaimIsRefusedStaysWhatTheyWere) {
    FakeRecords records;
    Acts f(1, &records);
    const std::string room = "own-members.c";
    TestSession& ann = f.enter("ann");
    records.rooms[room].roles.push_back({ann.user(), Role::member});
    records.by_itself = false;
    ann.join(room);
    f.hub.settle();
    for (int i = 0; i < 9 && records.loads == 0; ++i) {
        records.work();
        f.hub.settle();
    }
    ASSERT_EQ(records.asked(), 1u) << "the claim";
    records.works = false;
    records.work();
    records.works = true;
    records.by_itself = true;
    f.hub.settle();
    EXPECT_FALSE(ann.last<Removed>());
    EXPECT_EQ(f.send(ann, room), "");
    EXPECT_EQ(f.info(ann, room).role, Role::member);
}

// Who claims a room next must not be given what was said to its members.
TEST(RoomActs, WithoutRecordsARoomWithAHistoryIsNotGivenUp) {
    for (const bool said : {false, true}) {
        test::FakeStore store(Durability::sync);
        Acts f(1, nullptr, &store);
        const std::string room = "own-private.h";
        TestSession& ann = f.enter("ann");
        ASSERT_EQ(f.join(ann, room), "");
        if (said) {
            ASSERT_EQ(f.send(ann, room), "");
        }
        ASSERT_EQ(f.code(ann, protocol::Leave{room}), "");
        f.hub.pass(hours(3));
        EXPECT_EQ(f.hub.total(Metric::claims_given_up), said ? 0u : 1u);
        TestSession& eve = f.enter("eve");
        EXPECT_EQ(f.join(eve, room), said ? "forbidden" : "");
    }
}

TEST(RoomActs, WithoutRecordsABanOutlivesTheRoomsEmptiness) {
    Acts f;
    const std::string room = "public.z";
    TestSession& root = f.enter("root");
    TestSession& bob = f.guest("bob");
    ASSERT_EQ(f.join(root, room), "");
    ASSERT_EQ(f.join(bob, room), "");
    ASSERT_EQ(f.make(root, room, "bob", Role::banned, 7'200'000), "");
    ASSERT_EQ(f.code(root, protocol::Leave{room}), "");
    f.hub.pass(hours(1) + minutes(30));
    EXPECT_EQ(f.join(bob, room), "forbidden");
    f.hub.pass(hours(2));
    EXPECT_EQ(f.hub.shard().find_audience(room), nullptr) << "it has ended, and the room with it";
    EXPECT_EQ(f.join(bob, room), "");
}

TEST(RoomActs, WithoutRecordsOneOwnsSoManyRoomsAndNobodyForGood) {
    for (const std::uint32_t shards : {1U, 2U}) {
        Acts f(shards);
        TestSession& ann = f.enter("ann");
        const ClaimCounts& claims = f.hub.shard(shards - 1).claims();
        EXPECT_EQ(claims.most(), limits::rooms_owned_max / shards);
        std::string room;
        for (std::size_t i = 0, at = 0; at <= claims.most(); ++i) {
            room = "own-members." + std::to_string(i);
            if (f.hub.hub().home_of(room).index() != shards - 1) continue;
            if (at++ == claims.most()) break;
            ASSERT_EQ(f.join(ann, room), "");
            ASSERT_EQ(f.code(ann, SetTopic{room, "mine"}), "") << f.why;
            ASSERT_EQ(f.code(ann, protocol::Leave{room}), "");
        }
        ann.join(room);
        f.hub.settle();
        ASSERT_TRUE(ann.last<Removed>()) << "it is not hers";
        EXPECT_NE(ann.last<Removed>()->reason.find("own"), std::string::npos);
        TestSession& bob = f.enter("bob");
        EXPECT_EQ(f.join(bob, room), "");
        EXPECT_EQ(f.info(bob, room).role, Role::owner);
        EXPECT_EQ(claims.users(), 2u);
        ASSERT_EQ(f.make(bob, room, "ann", Role::owner), "");
        ASSERT_EQ(f.make(bob, room, "bob", Role::none), "") << "another owner remains";
        EXPECT_EQ(claims.users(), 2u) << "the room stays, and so does his claim";
        ASSERT_EQ(f.code(bob, protocol::Leave{room}), "not_joined") << "who stepped down is out";
        f.audit.clear();
        f.hub.pass(hours(1) + minutes(1));
        EXPECT_EQ(claims.users(), 1u);
        EXPECT_EQ(f.hub.total(Metric::claims_given_up), claims.most());
        ASSERT_EQ(f.audit.size(), claims.most());
        EXPECT_EQ(f.audit.front(), "expiry done - " + ann.user().id + " none");
        EXPECT_EQ(f.hub.shard(shards - 1).room_count(), 1u)
            << "what somebody was made for good is known nowhere else";
    }
}

}  // namespace
}  // namespace parley::core
