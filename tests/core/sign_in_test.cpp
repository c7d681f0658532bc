// Sessions that act by a token: who they are, what it lets them do, and how it ends.
#include <gtest/gtest.h>

#include "core/signed_in.hpp"
#include "support/fake_accounts.hpp"
#include "support/test_session.hpp"

namespace parley::core {
namespace {

using std::chrono::seconds;
using test::FakeAccounts;
using test::TestHub;
using test::TestSession;

struct SignInFixture {
    explicit SignInFixture(Config config = test::unlimited_config()) : hub(std::move(config)) {
        hub.hub().set_accounts(&accounts);
    }
    Grant until(seconds left) {
        Grant grant;
        grant.expires = hub.now().wall + left;
        return grant;
    }
    FakeAccounts accounts;
    TestHub hub;
};

protocol::Hello token(const std::string& text) {
    return {std::nullopt, text};
}

TEST(SignIn, ATokenMakesTheSessionItsUserAtOnceOrLater) {
    for (const bool at_once : {true, false}) {
        SCOPED_TRACE(at_once);
        SignInFixture f;
        f.accounts.add("t", "ann");
        f.accounts.remember(at_once);
        TestSession session(f.hub, 0, std::nullopt);
        session.forget();
        session.say(token("t"));
        EXPECT_EQ(session.subscriber().ready(), at_once) << "nothing is handed over meanwhile";
        f.hub.settle();
        EXPECT_TRUE(session.subscriber().ready());
        EXPECT_EQ(session.user(), (protocol::User{"id-ann", "ann"}));
        ASSERT_TRUE(session.last<protocol::Welcome>());
        EXPECT_EQ(session.last<protocol::Welcome>()->user.name, "ann");
    }
}

TEST(SignIn, AWrongTokenIsUnauthorizedAndTheSessionStaysWhoItWas) {
    SignInFixture f;
    f.accounts.remember(false);
    TestSession session(f.hub, 0, "bob");
    session.say(token("forged"));
    f.hub.settle();
    EXPECT_EQ(session.error(), "unauthorized");
    EXPECT_EQ(session.user().name, "bob");
    EXPECT_FALSE(session.transport().closed_for);
}

TEST(SignIn, WithoutAccountsATokenIsUnauthorized) {
    TestHub hub;
    TestSession session(hub, 0, "bob");
    session.say(token("t"));
    EXPECT_EQ(session.error(), "unauthorized");
}

TEST(SignIn, ARegisteredNameIsForbiddenToEverybodyElse) {
    SignInFixture f;
    f.accounts.register_name("ann");
    TestSession opened(f.hub, 0, "ann");
    EXPECT_EQ(opened.error(), "forbidden");
    EXPECT_TRUE(opened.user().name.starts_with("guest-")) << opened.user().name;
    TestSession renamed(f.hub, 0, "bob");
    renamed.say(protocol::Hello{"ann", std::nullopt});
    EXPECT_EQ(renamed.error(), "forbidden");
    EXPECT_EQ(renamed.user().name, "bob");
    const auto refused = renamed.subscriber().take_name("ann");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, "forbidden");
}

TEST(SignIn, WhoIsSignedInGoesByNoOtherName) {
    SignInFixture f;
    f.accounts.add("t", "ann");
    TestSession session(f.hub, 0, std::nullopt);
    session.say(token("t"));
    session.say(protocol::Hello{"ann", std::nullopt});
    EXPECT_EQ(session.error(), "");
    session.say(protocol::Hello{"bob", std::nullopt});
    EXPECT_EQ(session.error(), "forbidden");
    EXPECT_TRUE(session.subscriber().take_name("bob"));
    EXPECT_FALSE(session.subscriber().take_name("ann"));
    EXPECT_EQ(session.user().name, "ann");
}

TEST(SignIn, TheSessionEndsWhenItsTokenExpires) {
    SignInFixture f;
    f.accounts.add("t", "ann", f.until(seconds(60)));
    TestSession session(f.hub, 0, std::nullopt);
    session.say(token("t"));
    f.hub.pass(seconds(59));
    EXPECT_FALSE(session.transport().closed_for);
    f.hub.pass(seconds(2));
    ASSERT_TRUE(session.transport().closed_for);
    EXPECT_EQ(session.transport().closed_for->code, 4001);
}

TEST(SignIn, AFreshTokenRenewsTheSessionWithItsRooms) {
    SignInFixture f;
    f.accounts.add("first", "ann", f.until(seconds(60)));
    TestSession session(f.hub, 0, std::nullopt);
    session.say(token("first"));
    session.join("lobby");
    f.hub.pass(seconds(50));
    f.accounts.add("second", "ann", f.until(seconds(60)));
    session.say(token("second"));
    EXPECT_EQ(session.error(), "");
    f.hub.pass(seconds(50));
    EXPECT_FALSE(session.transport().closed_for) << "the first would have ended it";
    EXPECT_EQ(session.subscriber().room_count(), 1u);
    EXPECT_EQ(f.hub.shard().signed_in().revoke(test::token_id("first"), f.hub.now().mono), 0u);
    f.hub.pass(seconds(20));
    EXPECT_TRUE(session.transport().closed_for);
}

TEST(SignIn, SomebodyElsesTokenIsAConflictOnceARoomIsJoined) {
    SignInFixture f;
    f.accounts.add("a", "ann");
    f.accounts.add("b", "bob");
    TestSession session(f.hub, 0, std::nullopt);
    session.say(token("a"));
    session.join("lobby");
    session.say(token("b"));
    EXPECT_EQ(session.error(), "conflict");
    EXPECT_EQ(session.user().name, "ann");
}

TEST(SignIn, RevokingEndsTheSessionsOfThatTokenAlone) {
    SignInFixture f;
    f.accounts.add("t", "ann");
    f.accounts.add("u", "ann");
    TestSession one(f.hub, 0, std::nullopt);
    TestSession two(f.hub, 0, std::nullopt);
    TestSession other(f.hub, 0, std::nullopt);
    one.say(token("t"));
    two.say(token("t"));
    other.say(token("u"));
    EXPECT_EQ(f.hub.shard().signed_in().size(), 3u);
    EXPECT_EQ(f.hub.shard().signed_in().revoke(test::token_id("t"), f.hub.now().mono), 2u);
    f.hub.settle();
    EXPECT_EQ(one.transport().closed_for->code, 4001);
    EXPECT_EQ(two.transport().closed_for->code, 4001);
    EXPECT_FALSE(other.transport().closed_for);
    other.end(close_reasons::normal);
    one.end(close_reasons::normal);
    two.end(close_reasons::normal);
    EXPECT_EQ(f.hub.shard().signed_in().size(), 0u) << "who goes takes itself off";
}

TEST(SignIn, RevokingEndsTheSessionThatIsOnItsWayToo) {
    SignInFixture f;
    f.accounts.add("t", "ann");
    f.accounts.add("u", "ann");
    SignedIn& all = f.hub.shard().signed_in();
    EXPECT_EQ(all.revoke(test::token_id("t"), f.hub.now().mono), 0u);
    TestSession late(f.hub, 0, std::nullopt);
    TestSession other(f.hub, 0, std::nullopt);
    late.say(token("t"));
    other.say(token("u"));
    f.hub.pass(std::chrono::milliseconds(1));
    ASSERT_TRUE(late.transport().closed_for);
    EXPECT_EQ(late.transport().closed_for->code, 4001);
    EXPECT_FALSE(other.transport().closed_for);
    f.hub.pass(SignedIn::revoked_known);
    TestSession later(f.hub, 0, std::nullopt);
    later.say(token("t"));
    f.hub.pass(seconds(1));
    EXPECT_FALSE(later.transport().closed_for) << "by then nobody takes it for good any more";
}

TEST(SignIn, AGuestLosesANameThatIsRegisteredMeanwhile) {
    SignInFixture f;
    TestSession ann(f.hub, 0, "ann");
    TestSession bob(f.hub, 0, "bob");
    ann.join("lobby");
    bob.join("lobby");
    f.accounts.register_name("ann");
    ann.say(protocol::Ping{});
    EXPECT_EQ(ann.error(), "forbidden");
    EXPECT_TRUE(ann.user().name.starts_with("guest-")) << ann.user().name;
    ann.forget();
    ann.send("lobby", "hi");
    bob.send("lobby", "hi");
    f.hub.settle();
    EXPECT_EQ(ann.error(), "") << "as a guest";
    EXPECT_EQ(bob.error(), "");
    EXPECT_EQ(bob.user().name, "bob");
}

TEST(SignIn, WhoRegistersTheirGuestNameMaySignInAtOnce) {
    SignInFixture f;
    TestSession ann(f.hub, 0, "ann");
    f.accounts.register_name("ann");
    f.accounts.add("t", "ann");
    ann.say(token("t"));
    EXPECT_EQ(ann.error(), "");
    EXPECT_EQ(ann.user().name, "ann");
}

TEST(SignIn, ATokenIsGoodForItsRoomsAndScopesAlone) {
    struct Row {
        bool reads, writes, all_rooms;
        std::string room;
        std::string join, send;  // the codes of refusals
    };
    for (const Row& row :
         {Row{true, true, true, "lobby", "", ""}, Row{true, true, false, "team.a", "", ""},
          Row{true, true, false, "lobby", "forbidden", "forbidden"},
          Row{true, false, true, "lobby", "", "forbidden"},
          Row{false, true, true, "lobby", "forbidden", ""}}) {
        SCOPED_TRACE(row.room + (row.reads ? " r" : " -") + (row.writes ? "w" : "-"));
        Grant grant;
        grant.reads = row.reads;
        grant.writes = row.writes;
        grant.all_rooms = row.all_rooms;
        grant.rooms = {"team.*"};
        const auto user = test::granted("1", "ann", grant);
        const auto code = [&user](protocol::Command command) {
            const auto refused = refuse_by_grant(*user, command);
            return refused ? refused->code : std::string();
        };
        EXPECT_EQ(code(protocol::Join{row.room, {}, 50, false}), row.join);
        EXPECT_EQ(code(protocol::History{row.room, {}, {}, 50}), row.join);
        EXPECT_EQ(code(protocol::Members{row.room}), row.join);
        EXPECT_EQ(code(protocol::Send{row.room, {}, {}, {}}), row.send);
        EXPECT_EQ(code(protocol::Typing{row.room, true}), row.send);
        EXPECT_EQ(code(protocol::Leave{row.room}), "") << "whoever is in may go";
        EXPECT_EQ(code(protocol::Ping{}), "");
    }
}

TEST(SignIn, ANarrowerTokenLeavesTheRoomsThatItIsNotGoodFor) {
    SignInFixture f;
    f.accounts.add("wide", "ann");
    Grant narrow;
    narrow.all_rooms = false;
    narrow.rooms = {"team.*"};
    f.accounts.add("narrow", "ann", narrow);
    TestSession session(f.hub, 0, std::nullopt);
    session.say(token("wide"));
    session.join("lobby");
    session.join("team.a");
    session.say(token("narrow"));
    f.hub.settle();
    EXPECT_EQ(session.subscriber().room_count(), 1u);
    ASSERT_TRUE(session.last<protocol::Left>());
    EXPECT_EQ(session.last<protocol::Left>()->room, "lobby");
}

TEST(SignIn, WithoutAnonymousUseAStrangerMayDoNothingButSignIn) {
    Config config = test::unlimited_config();
    config.access.anonymous = false;
    SignInFixture f(config);
    f.accounts.add("t", "ann");
    TestSession session(f.hub, 0, "bob");
    session.join("lobby");
    EXPECT_EQ(session.error(), "unauthorized");
    EXPECT_EQ(session.subscriber().room_count(), 0u);
    EXPECT_TRUE(refuse_overview(*session.subscriber().session().user()));
    session.say(protocol::Ping{});
    EXPECT_TRUE(session.last<protocol::Pong>());
    session.say(token("t"));
    session.join("lobby");
    EXPECT_EQ(session.subscriber().room_count(), 1u);
}

TEST(SignIn, AnAnswerThatComesAfterTheSessionEndedIsNobodys) {
    SignInFixture f;
    f.accounts.add("t", "ann");
    f.accounts.remember(false);
    TestSession session(f.hub, 0, "bob");
    session.say(token("t"));
    session.end(close_reasons::normal);
    f.hub.settle();
    EXPECT_EQ(f.hub.shard().signed_in().size(), 0u);
}

}  // namespace
}  // namespace parley::core
