// Who may do what, over every kind, role and act; by grants; and what is written down of it.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/room_acts_fixture.hpp"

namespace parley::core {
namespace {

using protocol::AskRoom;
using protocol::Kick;
using protocol::RoomInfo;
using protocol::SetRole;
using protocol::SetTopic;
using std::chrono::minutes;
using test::FakeRecords;
using test::TestSession;

// ---- the matrix ------------------------------------------------------------------------------

// Everything that a session can do, by every role in every kind of room, from a shard that is the
// room's home and from one that is not, with and without a key: it is as may() says.
TEST(RoomActs, EverySessionMayWhatTheMatrixSays) {
    for (const std::uint32_t shards : {1U, 2U}) {
        Acts f(shards);
        TestSession& root = f.enter("root");
        f.know("target");
        for (const RoomKind kind : room_kinds) {
            const std::string room = room_of(kind);
            for (const Role role : all_roles) {
                for (std::size_t at = 0; at < shards; ++at) {
                    SCOPED_TRACE(std::string(name_of(role)) + " in " + room + " from shard " +
                                 std::to_string(at));
                    const std::string name =
                        std::string(name_of(role)) + std::to_string(at) + room.substr(0, 3);
                    const auto expected = [&](Act act) {
                        return may(role, act, kind) ? "" : "forbidden";
                    };
                    TestSession& who = f.enter(name, at);
                    ASSERT_EQ(f.make(root, room, name, role == Role::muted ? Role::member : role),
                              "")
                        << f.why;
                    if (role == Role::muted) {
                        ASSERT_EQ(f.make(root, room, name, Role::muted), "") << f.why;
                    }
                    EXPECT_EQ(f.code(who, AskRoom{room}), expected(Act::read));
                    EXPECT_EQ(f.join(who, room), expected(Act::read));
                    const bool in = may(role, Act::read, kind);
                    const auto in_room = [&](Act act) { return in ? expected(act) : "not_joined"; };
                    EXPECT_EQ(f.send(who, room), in_room(Act::send));
                    EXPECT_EQ(f.send(who, room, "key"), in_room(Act::send));
                    EXPECT_EQ(f.code(who, protocol::Typing{room, true}), in_room(Act::send));
                    EXPECT_EQ(f.code(who, protocol::Read{room, 1}), in_room(Act::read));
                    EXPECT_EQ(f.code(who, protocol::History{room, {}, {}, 5}), expected(Act::read));
                    EXPECT_EQ(f.code(who, protocol::Members{room}), expected(Act::read));
                    EXPECT_EQ(f.code(who, SetTopic{room, "about"}), expected(Act::set_topic));
                    f.know("t");
                    EXPECT_EQ(f.code(who, SetRole{room, "target", Role::member, {}, {}}),
                              expected(Act::invite));
                    EXPECT_EQ(f.code(who, Kick{room, "target", {}}), expected(Act::moderate));
                    EXPECT_EQ(f.code(who, SetRole{room, "target", Role::moderator, {}, {}}),
                              expected(Act::appoint));
                    ASSERT_EQ(f.make(root, room, "target", Role::none), "") << f.why;
                }
            }
        }
    }
}

TEST(RoomActs, TheReplyToRoomSaysWhatOneMayDo) {
    Acts f;
    TestSession& root = f.enter("root");
    TestSession& ann = f.enter("ann");
    for (const RoomKind kind : room_kinds) {
        const std::string room = room_of(kind);
        ASSERT_EQ(f.join(root, room), "");
        ASSERT_EQ(f.code(root, SetTopic{room, "all"}), "");
        f.know("ann");
        ASSERT_EQ(f.make(root, room, "ann", Role::member), "") << f.why;
        const RoomInfo info = f.info(ann, room);
        EXPECT_EQ(info.kind, kind);
        EXPECT_EQ(info.topic, "all");
        EXPECT_EQ(info.count, 1u);
        EXPECT_EQ(info.role, Role::member);
        EXPECT_FALSE(info.roles);
        std::vector<std::string> expected;
        for (std::size_t i = 0; i < act_names.size(); ++i) {
            if (may(Role::member, static_cast<Act>(i), kind)) {
                expected.emplace_back(act_names[i]);
            }
        }
        EXPECT_EQ(info.may, expected);
        const RoomInfo whole = f.info(root, room);
        EXPECT_EQ(whole.role, Role::owner);
        ASSERT_TRUE(whole.roles);
        ASSERT_EQ(whole.roles->size(), 1u);
        EXPECT_EQ(whole.roles->front().user.name, "ann");
    }
    EXPECT_EQ(f.code(ann, AskRoom{"nowhere"}), "not_found");
}

// ---- by grants, and the log ------------------------------------------------------------------

TEST(RoomActs, WhoseTokenModeratesDoesSoWhereItIsGood) {
    Acts f;
    Grant grant;
    grant.kind = Grant::Kind::jwt;
    grant.moderates = true;
    grant.all_rooms = false;
    grant.rooms = {"public.*"};
    TestSession& mod = f.enter("mod", 0, grant);
    TestSession& bob = f.guest("bob");
    for (const char* const room : {"public.j", "plain.j"}) ASSERT_EQ(f.join(bob, room), "");
    ASSERT_EQ(f.join(mod, "public.j"), "");
    EXPECT_EQ(f.make(mod, "public.j", "bob", Role::muted), "");
    EXPECT_EQ(f.make(mod, "plain.j", "bob", Role::muted), "forbidden");
    EXPECT_EQ(f.make(mod, "public.j", "mod", Role::none), "conflict") << "their token says it";
    grant.writes = false;
    TestSession& reader = f.enter("reader", 0, grant);
    EXPECT_EQ(f.make(reader, "public.j", "bob", Role::none), "forbidden");
}

TEST(RoomActs, EachIsWrittenDownAndCountedRefusedOnesToo) {
    FakeRecords records;
    Acts f(1, &records);
    const std::string room = "own-read-only.l";
    TestSession& ann = f.enter("ann");
    TestSession& bob = f.guest("bob");
    ASSERT_EQ(f.join(ann, room), "");
    ASSERT_EQ(f.join(bob, room), "");
    ASSERT_EQ(f.make(ann, room, "bob", Role::muted, 60'000), "");
    EXPECT_EQ(f.make(bob, room, "ann", Role::none), "forbidden");
    EXPECT_EQ(f.code(bob, SetTopic{room, "t"}), "forbidden");
    records.works = false;
    EXPECT_EQ(f.make(ann, room, "bob", Role::banned), "unavailable");
    records.works = true;
    ASSERT_EQ(f.code(ann, Kick{room, "bob", {}}), "");
    ASSERT_EQ(f.code(ann, SetTopic{room, "t"}), "");
    f.hub.pass(minutes(2));
    EXPECT_EQ(f.audit,
              (std::vector<std::string>{"claim done - ann owner", "role done ann bob muted",
                                        "role refused bob ann none", "topic refused bob  ",
                                        "role failed ann bob banned", "kick done ann bob ",
                                        "topic done ann  ", "expiry done - bob none"}));
    EXPECT_EQ(f.causes,
              (std::vector<std::string>{"", "", "only moderators of this room may do that",
                                        "only moderators may set the topic of this room",
                                        "the disk is on fire", "", "", ""}));
    const auto& metrics = f.hub.shard().metrics();
    EXPECT_EQ(metrics.acts(AuditAct::role, AuditOutcome::done), 1u);
    EXPECT_EQ(metrics.acts(AuditAct::role, AuditOutcome::refused), 1u);
    EXPECT_EQ(metrics.acts(AuditAct::role, AuditOutcome::failed), 1u);
    EXPECT_EQ(metrics.acts(AuditAct::kick, AuditOutcome::done), 1u);
    EXPECT_EQ(metrics.acts(AuditAct::topic, AuditOutcome::done), 1u);
    EXPECT_EQ(metrics.acts(AuditAct::topic, AuditOutcome::refused), 1u);
    EXPECT_EQ(metrics.acts(AuditAct::claim, AuditOutcome::done), 1u);
    EXPECT_EQ(metrics.acts(AuditAct::expiry, AuditOutcome::done), 1u);
}

TEST(RoomActs, WhatIsRefusedLeavesNothingBehind) {
    Acts f;
    TestSession& eve = f.guest("eve");
    EXPECT_EQ(f.make(eve, "plain.empty", "eve", Role::none), "forbidden");
    EXPECT_EQ(f.make(eve, "plain.empty", "bob", Role::banned), "forbidden");
    EXPECT_EQ(f.code(eve, SetTopic{"plain.empty", "t"}), "forbidden");
    EXPECT_EQ(f.hub.shard().room_count(), 0u);
    ASSERT_EQ(f.join(eve, "plain.there"), "");
    EXPECT_EQ(f.make(eve, "plain.there", "eve", Role::none), "forbidden");
    EXPECT_FALSE(f.hub.shard().find_audience("plain.there")->room()->governed());
    EXPECT_EQ(f.audit.size(), 4u);
}

// The room is gone once nothing is under way in it, and nothing of it is asked for afterwards.
TEST(RoomActs, TwoThatAreRefusedInOneTurnLeaveNoRoomBehind) {
    FakeRecords records;
    Acts f(1, &records);
    const std::string room = "own-" + room_of(RoomKind::hidden);
    Grant grant;
    grant.moderates = true;
    TestSession& ann = f.enter("ann", 0, grant);
    TestSession& bob = f.enter("bob", 0, grant);
    ann.say(Kick{room, "ann", {}}, std::int64_t{1});
    bob.say(Kick{room, "bob", {}}, std::int64_t{2});
    f.hub.settle();
    EXPECT_TRUE(ann.last<protocol::Error>());
    EXPECT_TRUE(bob.last<protocol::Error>());
    EXPECT_EQ(f.hub.shard().room_count(), 0u);
}

}  // namespace
}  // namespace parley::core
