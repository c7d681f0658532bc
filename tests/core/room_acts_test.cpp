// Acts upon others and upon rooms, as sessions meet them.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/room_acts_fixture.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::Joined;
using protocol::Kick;
using protocol::Message;
using protocol::Removed;
using protocol::RolePush;
using protocol::SetRole;
using protocol::SetTopic;
using std::chrono::minutes;
using test::FakeRecords;
using test::TestSession;

// ---- acts upon others ------------------------------------------------------------------------

TEST(RoomActs, AMuteHoldsOnEveryShardOnceItIsAcked) {
    Acts f(3);
    const std::string room = f.hub.room_at(0, "public.m");
    TestSession& root = f.enter("root");
    std::deque<TestSession*> anns;
    for (std::size_t i = 0; i < 3; ++i) anns.push_back(&f.enter("ann", i));
    TestSession& bob = f.guest("bob", 2);
    ASSERT_EQ(f.join(root, room), "");
    ASSERT_EQ(f.join(bob, room), "");
    for (auto* ann : anns) {
        ASSERT_EQ(f.join(*ann, room), "");
        ASSERT_EQ(f.send(*ann, room), "");
    }
    ASSERT_EQ(f.make(root, room, "ann", Role::muted), "") << f.why;
    for (auto* ann : anns) {
        EXPECT_EQ(f.send(*ann, room), "forbidden");
        EXPECT_EQ(f.why, "you are muted here");
        EXPECT_EQ(f.code(*ann, protocol::Typing{room, true}), "forbidden");
        EXPECT_EQ(f.code(*ann, protocol::History{room, {}, {}, 5}), "");
    }
    EXPECT_EQ(f.send(bob, room), "");
    ASSERT_EQ(f.make(root, room, "ann", Role::none), "");
    for (auto* ann : anns) EXPECT_EQ(f.send(*ann, room), "");
}

TEST(RoomActs, EverybodyInTheRoomHearsOfARoleAndTheUserInAnyCase) {
    Acts f(2);
    const std::string room = f.hub.room_at(1, "public.p");
    TestSession& root = f.enter("root", 0);
    TestSession& bob = f.guest("bob", 1);
    TestSession& ann = f.enter("ann", 0);
    TestSession& elsewhere = f.enter("eve", 1);
    ASSERT_EQ(f.join(root, room), "");
    ASSERT_EQ(f.join(bob, room), "");
    bob.forget();
    f.know("ann");
    ASSERT_EQ(f.make(root, room, "ann", Role::moderator, 60'000), "") << f.why;
    for (TestSession* session : {&root, &bob, &ann}) {
        const auto push = session->last<RolePush>();
        ASSERT_TRUE(push);
        EXPECT_EQ(push->room, room);
        EXPECT_EQ(push->user, (protocol::User{"id-ann", "ann"}));
        EXPECT_EQ(push->role, Role::moderator);
        EXPECT_EQ(push->until, format_rfc3339(f.hub.now().wall + minutes(1)));
        EXPECT_EQ(push->by->name, "root");
        EXPECT_EQ(push->reason, "because");
        EXPECT_EQ(session->all<RolePush>().size(), 1u);
    }
    EXPECT_FALSE(elsewhere.last<RolePush>());
}

TEST(RoomActs, WhoIsBannedIsOutOnEverySessionAndTheConnectionLivesOn) {
    Acts f(2);
    const std::string room = f.hub.room_at(0, "public.b");
    TestSession& root = f.enter("root", 1);
    TestSession& one = f.enter("ann", 0);
    TestSession& two = f.enter("ann", 1);
    TestSession& bob = f.guest("bob", 0);
    for (TestSession* session : {&root, &one, &two, &bob}) ASSERT_EQ(f.join(*session, room), "");
    ASSERT_EQ(f.join(one, "elsewhere"), "");
    ASSERT_EQ(f.send(two, room), "");
    one.forget();
    ASSERT_EQ(f.make(root, room, "ann", Role::banned, 3'600'000), "");
    for (TestSession* session : {&one, &two}) {
        const auto removed = session->last<Removed>();
        ASSERT_TRUE(removed);
        EXPECT_EQ(removed->room, room);
        EXPECT_EQ(removed->action, Removed::Action::ban);
        EXPECT_EQ(removed->by->name, "root");
        EXPECT_EQ(removed->reason, "because");
        EXPECT_EQ(session->all<RolePush>().size(), 1u);
        EXPECT_FALSE(session->transport().closed_for);
        EXPECT_EQ(f.send(*session, room), "not_joined");
        EXPECT_EQ(f.join(*session, room), "forbidden");
        EXPECT_TRUE(f.why.starts_with("you are banned from this room until "));
        EXPECT_EQ(f.code(*session, protocol::Members{room}), "forbidden");
    }
    EXPECT_EQ(f.send(one, "elsewhere"), "");
    EXPECT_EQ(f.info(root, room).count, 2u);
    bob.forget();
    EXPECT_EQ(f.send(root, room), "");
    EXPECT_TRUE(two.texts(room).empty());
    EXPECT_EQ(bob.texts(room).size(), 1u);
}

TEST(RoomActs, WhoIsKickedMayComeBack) {
    Acts f(2);
    const std::string room = f.hub.room_at(1, "public.k");
    TestSession& root = f.enter("root", 0);
    TestSession& bob = f.guest("bob", 0);
    ASSERT_EQ(f.join(root, room), "");
    ASSERT_EQ(f.join(bob, room), "");
    bob.forget();
    ASSERT_EQ(f.code(root, Kick{room, "bob", "enough"}), "") << f.why;
    ASSERT_TRUE(bob.last<Removed>());
    EXPECT_EQ(bob.last<Removed>()->action, Removed::Action::kick);
    EXPECT_EQ(bob.last<Removed>()->reason, "enough");
    EXPECT_FALSE(bob.last<RolePush>());
    EXPECT_EQ(f.info(root, room).count, 1u);
    EXPECT_EQ(f.join(bob, room), "");
    EXPECT_EQ(f.send(bob, room), "");
}

TEST(RoomActs, AGuestIsBannedByTheIdOfAMessageWhoLeftAlready) {
    Acts f;
    const std::string room = "public.g";
    TestSession& root = f.enter("root");
    TestSession& spam = f.guest("spam");
    const std::string id = spam.user().id;
    ASSERT_EQ(f.join(root, room), "");
    ASSERT_EQ(f.join(spam, room), "");
    ASSERT_EQ(f.send(spam, room), "");
    ASSERT_EQ(f.code(spam, protocol::Leave{room}), "");
    ASSERT_EQ(f.make(root, room, id, Role::banned), "") << f.why;
    EXPECT_EQ(f.join(spam, room), "forbidden");
    EXPECT_EQ(f.make(root, room, "nobody at all", Role::banned), "not_found");
    ASSERT_EQ(f.make(root, room, "spam", Role::none), "");
    EXPECT_EQ(f.join(spam, room), "");
}

TEST(RoomActs, ANameThatSeveralHaveNeedsAnId) {
    Acts f;
    const std::string room = "public.n";
    TestSession& root = f.enter("root");
    ASSERT_EQ(f.join(root, room), "");
    TestSession one(f.hub, 0, "twin", "10.0.0.1");
    TestSession two(f.hub, 0, "twin", "10.0.0.2");
    ASSERT_EQ(f.join(one, room), "");
    ASSERT_EQ(f.join(two, room), "");
    EXPECT_EQ(f.make(root, room, "twin", Role::muted), "conflict");
    EXPECT_EQ(f.make(root, room, two.user().id, Role::muted), "");
    EXPECT_EQ(f.send(one, room), "");
    EXPECT_EQ(f.send(two, room), "forbidden");
}

// Who may act upon nobody else has nobody searched for, and means themselves by their name.
TEST(RoomActs, AMembersNameIsTheirOwnWhoeverElseGoesByIt) {
    Acts f;
    const std::string room = "members.o";
    TestSession& root = f.enter("root");
    ASSERT_EQ(f.join(root, room), "");
    TestSession& bob = f.enter("bob");
    ASSERT_EQ(f.make(root, room, "bob", Role::member), "");
    ASSERT_EQ(f.join(bob, room), "");
    TestSession twin(f.hub, 0, "bob");
    ASSERT_EQ(f.make(root, room, twin.user().id, Role::member), "not_found");
    ASSERT_EQ(f.join(twin, room), "forbidden");
    f.know("eve");
    EXPECT_EQ(f.make(bob, room, "eve", Role::none), "forbidden");
    EXPECT_EQ(f.make(bob, room, "bob", Role::none), "") << f.why;
    EXPECT_EQ(f.join(bob, room), "forbidden");
}

// Sessions of every way of listening are found by their user, under any name, until they end.
TEST(RoomActs, ReachWhoOnlyListens) {
    for (const std::uint32_t shards : {1U, 2U}) {
        Acts f(shards);
        const std::string room = f.hub.room_at(0, "public.s");
        TestSession& root = f.enter("root");
        ASSERT_EQ(f.join(root, room), "");
        UserSessions& listening = f.hub.shard(shards - 1).listening_sessions();
        const std::size_t before = listening.size();
        {
            TestSession ann(f.hub, shards - 1, "ann");
            TestSession ann_too(f.hub, shards - 1, "anna");
            TestSession ann_three(f.hub, shards - 1, "ann");
            EXPECT_EQ(listening.size(), before) << "in no room yet";
            for (TestSession* one : {&ann, &ann_too, &ann_three}) ASSERT_EQ(f.join(*one, room), "");
            ASSERT_EQ(f.join(ann, room + "x"), "");
            EXPECT_EQ(listening.size(), before + 3);
            ann_three.subscriber().take_directs();
            EXPECT_EQ(listening.size(), before + 2);
            ASSERT_FALSE(ann_too.subscriber().take_name("ann"));
            f.hub.settle();
            ASSERT_EQ(f.make(root, room, "ann", Role::banned), "") << f.why;
            for (TestSession* one : {&ann, &ann_too, &ann_three}) {
                EXPECT_EQ(one->all<Removed>().size(), 1u);
                EXPECT_FALSE(one->subscriber().listens_to(room));
            }
            EXPECT_TRUE(ann.subscriber().listens_to(room + "x"));
        }
        EXPECT_EQ(listening.size(), before);
    }
}

TEST(RoomActs, NobodyActsUponWhoIsAsHighAndTheLastOwnerStays) {
    Acts f;
    const std::string room = "own-members.o";
    TestSession& ann = f.enter("ann");
    TestSession& bob = f.enter("bob");
    TestSession& cyd = f.enter("cyd");
    ASSERT_EQ(f.join(ann, room), "") << "the first who has signed in owns it";
    EXPECT_EQ(f.join(bob, room), "forbidden");
    EXPECT_EQ(f.why, "only members may read this room; ask an owner or moderator to invite you");
    for (const char* const name : {"bob", "cyd"}) {
        f.know(name);
        ASSERT_EQ(f.make(ann, room, name, Role::moderator), "") << f.why;
    }
    EXPECT_EQ(f.make(bob, room, "cyd", Role::muted), "forbidden");
    EXPECT_EQ(f.make(bob, room, "ann", Role::member), "forbidden");
    EXPECT_EQ(f.code(bob, Kick{room, "cyd", {}}), "forbidden");
    EXPECT_EQ(f.make(bob, room, "bob", Role::owner), "forbidden");
    EXPECT_EQ(f.make(ann, room, "ann", Role::moderator), "conflict");
    EXPECT_EQ(f.why, "the last owner stays: make somebody else one first");
    EXPECT_EQ(f.make(ann, room, "ann", Role::banned), "forbidden");
    EXPECT_EQ(f.make(cyd, room, "cyd", Role::member), "") << "steps down";
    EXPECT_EQ(f.make(bob, room, "cyd", Role::none), "");
    ASSERT_EQ(f.make(ann, room, "bob", Role::owner), "");
    EXPECT_EQ(f.make(ann, room, "ann", Role::member), "") << f.why;
    EXPECT_EQ(f.info(ann, room).role, Role::member);
}

// Who is muted stands as high as they will again.
TEST(RoomActs, WhatAnOwnerDidToAModeratorNoOtherModeratorUndoes) {
    Acts f;
    const std::string room = "members.w";
    TestSession& root = f.enter("root");
    ASSERT_EQ(f.join(root, room), "");
    TestSession& one = f.enter("one");
    TestSession& two = f.enter("two");
    TestSession& low = f.enter("low");
    for (const char* name : {"one", "two"}) {
        ASSERT_EQ(f.make(root, room, name, Role::moderator), "");
    }
    ASSERT_EQ(f.make(root, room, "low", Role::member), "");
    for (TestSession* session : {&one, &two, &low}) ASSERT_EQ(f.join(*session, room), "");
    ASSERT_EQ(f.make(root, room, "one", Role::muted), "");
    for (const Role role : {Role::none, Role::member, Role::muted, Role::banned}) {
        EXPECT_EQ(f.make(two, room, "one", role), "forbidden");
        EXPECT_NE(f.why.find("own or a higher role"), std::string::npos) << f.why;
    }
    EXPECT_EQ(f.code(two, Kick{room, "one", {}}), "forbidden");
    ASSERT_EQ(f.make(root, room, "low", Role::muted), "");
    EXPECT_EQ(f.make(two, room, "low", Role::none), "") << f.why;
    EXPECT_EQ(f.make(root, room, "one", Role::none), "");
    EXPECT_EQ(f.info(one, room).role, Role::moderator);
    ASSERT_EQ(f.make(root, room, "one", Role::banned, 60'000), "");
    EXPECT_EQ(f.make(two, room, "one", Role::none), "forbidden");
}

// Each session is judged by its own token.
TEST(RoomActs, ATokenThatModeratesLiftsItsOwnSessionsAlone) {
    for (const bool first : {false, true}) {
        Acts f;
        TestSession& root = f.enter("root");
        Grant grant;
        grant.moderates = true;
        f.accounts.add("lifts", "ann", grant);
        f.accounts.add("plain", "ann");
        const auto come = [&f](const std::string& token) -> TestSession& {
            TestSession& session = f.sessions.emplace_back(f.hub, 0U, std::nullopt);
            session.say(protocol::Hello{std::nullopt, token});
            f.hub.settle();
            return session;
        };
        TestSession& one = come(first ? "lifts" : "plain");
        TestSession& two = come(first ? "plain" : "lifts");
        TestSession& lifted = first ? one : two;
        TestSession& plain = first ? two : one;
        for (const char* const room : {"read-only.t", "members.t"}) {
            ASSERT_EQ(f.join(root, room), "");
            ASSERT_EQ(f.make(root, room, one.user().id, Role::member), "") << f.why;
            ASSERT_EQ(f.join(one, room), "");
            ASSERT_EQ(f.join(two, room), "");
        }
        ASSERT_EQ(f.make(root, "read-only.t", one.user().id, Role::none), "") << f.why;
        EXPECT_EQ(f.send(lifted, "read-only.t"), "");
        EXPECT_EQ(f.send(plain, "read-only.t"), "forbidden");
        ASSERT_EQ(f.make(root, "members.t", one.user().id, Role::none), "") << f.why;
        EXPECT_TRUE(lifted.all<Removed>().empty());
        EXPECT_EQ(plain.all<Removed>().size(), 1u);
        EXPECT_EQ(f.send(lifted, "members.t"), "");
        EXPECT_EQ(f.send(plain, "members.t"), "not_joined");
        ASSERT_EQ(f.make(root, "members.t", one.user().id, Role::banned), "") << f.why;
        EXPECT_EQ(f.send(lifted, "members.t"), "not_joined") << "no token lifts above a ban";
    }
}

// A topic that could not be said is none.
TEST(RoomActs, ATopicThatIsRefusedDoesNotHold) {
    for (const bool keeps : {false, true}) {
        FakeRecords records;
        Config config = with_kinds(1);
        config.limits.enabled = true;
        config.limits.session = config.limits.user = config.limits.address = {1'000, 1'000};
        config.limits.room = {1, 2};
        Acts f(1, keeps ? &records : nullptr, nullptr, config);
        const std::string room = "public.q";
        TestSession& root = f.enter("root");
        root.subscriber().take_directs();
        ASSERT_EQ(f.join(root, room), "");
        ASSERT_EQ(f.code(root, SetTopic{room, "first"}), "") << f.why;
        ASSERT_EQ(f.send(root, room), "");
        EXPECT_EQ(f.code(root, SetTopic{room, "second"}), "rate_limited");
        EXPECT_EQ(f.info(root, room).topic, "first");
        if (keeps) {
            EXPECT_EQ(records.rooms[room].topic, "first");
        }
        // It is nothing to read, and not the last that was said.
        root.say(protocol::ListMyRooms{});
        f.hub.settle();
        const auto mine = root.last<protocol::MyRooms>();
        ASSERT_TRUE(mine);
        ASSERT_EQ(mine->rooms.size(), 1u);
        EXPECT_EQ(mine->rooms.front().unread, 1u);
        EXPECT_EQ(mine->rooms.front().last->body.content, "hi");
    }
}

TEST(RoomActs, WhoAsksForTwoThingsAtOnceIsJudgedOneAfterTheOther) {
    FakeRecords records;
    Acts f(2, &records);
    const std::string room = f.hub.room_at(0, "own-read-only.q");
    TestSession& ann = f.enter("ann", 0);
    TestSession& bob = f.enter("bob", 1);
    ASSERT_EQ(f.join(ann, room), "");
    f.know("bob");
    ASSERT_EQ(f.make(ann, room, "bob", Role::owner), "");
    records.by_itself = false;
    // Both step down: one of them has to stay.
    ann.say(SetRole{room, "ann", Role::none, {}, {}}, std::int64_t{1});
    bob.say(SetRole{room, "bob", Role::none, {}, {}}, std::int64_t{1});
    f.hub.settle();
    EXPECT_EQ(records.asked(), 1u);
    for (int i = 0; i < 3; ++i) {
        records.work();
        f.hub.settle();
    }
    const bool ann_stays = ann.error() == "conflict";
    EXPECT_NE(ann_stays, bob.error() == "conflict");
    EXPECT_EQ(f.info(ann, room).role, ann_stays ? Role::owner : Role::none);
}

TEST(RoomActs, WhoIsRenamedIsJudgedAsWhoTheyAreNow) {
    Acts f(2);
    const std::string room = f.hub.room_at(0, "public.w");
    TestSession& root = f.enter("root", 0);
    ASSERT_EQ(f.join(root, room), "");
    TestSession& bad = f.guest("bad", 1);
    TestSession& good = f.guest("good", 1);
    for (TestSession* session : {&bad, &good}) ASSERT_EQ(f.join(*session, room), "");
    ASSERT_EQ(f.make(root, room, "bad", Role::banned), "");
    EXPECT_FALSE(good.subscriber().take_name("bad")) << "a name is free to take";
    f.hub.settle();
    ASSERT_TRUE(good.last<Removed>());
    EXPECT_EQ(f.send(good, room), "not_joined");
}

// ---- topics ----------------------------------------------------------------------------------

TEST(RoomActs, ATopicIsAMessageWithAnOffsetAndOfTheRoom) {
    Acts f(2);
    const std::string room = f.hub.room_at(1, "public.t");
    TestSession& root = f.enter("root", 0);
    TestSession& bob = f.guest("bob", 1);
    ASSERT_EQ(f.join(root, room), "");
    ASSERT_EQ(f.join(bob, room), "");
    ASSERT_EQ(f.send(bob, room), "");
    bob.forget();
    ASSERT_EQ(f.code(root, SetTopic{room, "say \"hi\""}), "");
    EXPECT_EQ(root.last<Ack>()->cursor.offset, 2u);
    const auto said = bob.last<Message>();
    ASSERT_TRUE(said);
    EXPECT_EQ(said->cursor.offset, 2u);
    EXPECT_EQ(said->event, "topic");
    EXPECT_EQ(said->body.content, R"({"topic":"say \"hi\""})");
    EXPECT_EQ(said->from.name, "root");
    TestSession& late = f.guest("late", 0);
    ASSERT_EQ(f.join(late, room), "");
    EXPECT_EQ(late.last<Joined>()->topic, "say \"hi\"");
    ASSERT_EQ(f.code(root, SetTopic{room, ""}), "");
    EXPECT_EQ(f.info(root, room).topic, "");
    EXPECT_EQ(f.code(bob, SetTopic{room, "mine"}), "forbidden");
    EXPECT_EQ(f.why, "only moderators may set the topic of this room");
}

}  // namespace
}  // namespace parley::core
