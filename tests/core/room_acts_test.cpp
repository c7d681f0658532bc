// Who may do what, as sessions meet it: the matrix over every kind, role and act; acts upon others;
// what ends by itself; what is kept.
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/at_home.hpp"
#include "core/question.hpp"
#include "support/fake_accounts.hpp"
#include "support/fake_records.hpp"
#include "support/fake_store.hpp"
#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::AskRoom;
using protocol::Joined;
using protocol::Kick;
using protocol::Message;
using protocol::Removed;
using protocol::RolePush;
using protocol::RoomInfo;
using protocol::SetRole;
using protocol::SetTopic;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::FakeAccounts;
using test::FakeRecords;
using test::TestHub;
using test::TestSession;

constexpr std::array kinds{RoomKind::open, RoomKind::members, RoomKind::read_only,
                           RoomKind::hidden};
constexpr std::array all_roles{Role::banned, Role::muted,     Role::none,
                               Role::member, Role::moderator, Role::owner};

std::string room_of(RoomKind kind) {
    return std::string(name_of(kind)) + ".r";
}

Config with_kinds(std::uint32_t shards) {
    Config config = test::unlimited_config(shards);
    for (const RoomKind kind : kinds) {
        RoomRule rule;
        rule.match = std::string(name_of(kind)) + ".*";
        rule.kind = kind;
        rule.owners = {"root"};
        config.rooms.push_back(rule);
        rule.match = "own-" + std::string(name_of(kind)) + ".*";
        rule.owners.clear();
        config.rooms.push_back(rule);
    }
    return config;
}

struct Acts {
    explicit Acts(std::uint32_t shards = 1, FakeRecords* records = nullptr,
                  HistoryStore* store = nullptr, Config config = {})
        : hub(config.rooms.empty() ? with_kinds(shards) : std::move(config), 1, store) {
        hub.hub().set_accounts(&accounts);
        hub.hub().set_records(records);
        hub.hub().set_audit_log([this](const AuditRecord& record) {
            audit.push_back(std::string(name_of(record.act)) + ' ' +
                            std::string(name_of(record.outcome)) + ' ' +
                            (record.by ? record.by->name : std::string("-")) + ' ' +
                            std::string(record.user_name.empty() ? record.user : record.user_name) +
                            ' ' + std::string(record.role));
            causes.emplace_back(record.cause);
        });
    }
    // Somebody who has signed in, on that shard.
    TestSession& enter(const std::string& name, std::size_t shard = 0, Grant grant = {}) {
        accounts.add("token of " + name, name, std::move(grant));
        TestSession& session = sessions.emplace_back(hub, shard, std::nullopt);
        session.say(protocol::Hello{std::nullopt, "token of " + name});
        hub.settle();
        session.forget();
        return session;
    }
    // Has an account, and is not here.
    void know(const std::string& name) { accounts.add("token of " + name, name); }
    TestSession& guest(const std::string& name, std::size_t shard = 0) {
        return sessions.emplace_back(hub, shard, name);
    }
    // The code that it was answered with; empty: an ack, or what was asked for.
    std::string code(TestSession& session, protocol::Command command) {
        session.forget();
        session.say(std::move(command), std::int64_t{7});
        hub.settle();
        std::string found = "no answer";
        for (const auto& frame : session.heard()) {
            if (frame.id != protocol::CommandId(std::int64_t{7})) continue;
            const auto* error = std::get_if<protocol::Error>(&frame.message);
            found = error ? error->code : std::string();
            why = error ? error->message : std::string();
        }
        return found;
    }
    std::string join(TestSession& session, const std::string& room) {
        return code(session, protocol::Join{room, std::nullopt, 50, false});
    }
    std::string send(TestSession& session, const std::string& room, const std::string& key = {}) {
        return code(session, protocol::Send{room, {protocol::Body::Kind::text, "hi"}, key, {}});
    }
    std::string make(TestSession& by, const std::string& room, const std::string& user, Role role,
                     std::optional<std::uint64_t> for_ms = {}) {
        return code(by, SetRole{room, user, role, for_ms, "because"});
    }
    RoomInfo info(TestSession& session, const std::string& room) {
        EXPECT_EQ(code(session, AskRoom{room}), "") << why;
        return session.last<RoomInfo>().value_or(RoomInfo{});
    }

    FakeAccounts accounts;
    TestHub hub;
    std::deque<TestSession> sessions;
    std::vector<std::string> audit;
    std::vector<std::string> causes;
    std::string why;  // the message of the last refusal
};

// ---- the matrix ------------------------------------------------------------------------------

// Everything that a session can do, by every role in every kind of room, from a shard that is the
// room's home and from one that is not, with and without a key: it is as may() says.
TEST(RoomActs, EverySessionMayWhatTheMatrixSays) {
    for (const std::uint32_t shards : {1U, 2U}) {
        Acts f(shards);
        TestSession& root = f.enter("root");
        f.know("target");
        for (const RoomKind kind : kinds) {
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
    for (const RoomKind kind : kinds) {
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

// ---- claims, and what is kept ----------------------------------------------------------------

TEST(RoomActs, TheFirstWithAnAccountOwnsARoomThatIsNotOpen) {
    for (const RoomKind kind : kinds) {
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
    for (const RoomKind kind : kinds) ASSERT_EQ(f.join(root, room_of(kind)), "");
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
