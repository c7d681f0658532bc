// Sessions: how they begin, how long they last, and what ends them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/local_accounts_fixture.hpp"

namespace parley::auth {
namespace {

using namespace std::chrono_literals;
using core::AccountAnswer;
using parley::test::Folder;

TEST(LocalAccounts, ATokenEndsWhenItExpires) {
    AccountsFixture f({},
                      [](AccountsConfig& config) { config.session_ttl = std::chrono::minutes(1); });
    const auto session = f.newcomer("ann", password);
    const LiveSession live(f, session.token);
    f.pass(59s);
    EXPECT_TRUE(f.identify(session.token));
    EXPECT_EQ(live.closed_with(), 0);
    f.pass(1s);
    const auto refused = f.identify(session.token);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "unauthorized");
    EXPECT_EQ(live.closed_with(), 4001);
}

TEST(LocalAccounts, SigningOutEndsTheTokenAndWhoeverActsByIt) {
    AccountsFixture f;
    const auto session = f.newcomer("ann", password);
    const auto other = f.enter("ann", password);
    const LiveSession live(f, session.token);
    const LiveSession stays(f, other.token);
    EXPECT_EQ(f.code(core::SignOut{*f.identify(session.token)}), "");
    while (live.closed_with() == 0) f.turn();
    EXPECT_EQ(live.closed_with(), 4001);
    EXPECT_FALSE(f.identify(session.token)) << "not from memory either";
    EXPECT_TRUE(f.identify(other.token));
    EXPECT_EQ(stays.closed_with(), 0);
}

TEST(LocalAccounts, ChangingThePasswordTakesTheOldOneAndEndsAllOtherSessions) {
    AccountsFixture f;
    const auto session = f.newcomer("ann", password);
    const auto other = f.enter("ann", password);
    const auto me = *f.identify(session.token);
    const LiveSession live(f, other.token);
    EXPECT_EQ(f.code(core::ChangePassword{me, "wrong", "new password"}), "forbidden");
    EXPECT_EQ(f.code(core::ChangePassword{me, password, "short"}), "bad_request");
    EXPECT_EQ(f.code(core::ChangePassword{me, password, "new password"}), "");
    while (live.closed_with() == 0) f.turn();
    EXPECT_TRUE(f.identify(session.token));
    EXPECT_FALSE(f.identify(other.token));
    EXPECT_EQ(f.code(core::PasswordSignIn{"ann", password}), "unauthorized");
    f.enter("ann", "new password");
}

TEST(LocalAccounts, WhoIsNotSignedInAnyMoreManagesNothing) {
    AccountsFixture f;
    const auto session = f.newcomer("ann", password);
    const auto before = *f.identify(session.token);  // as a shard remembers it
    EXPECT_EQ(f.code(core::SignOut{before}), "");
    for (core::AccountRequest request :
         {core::AccountRequest(core::MakeKey{before, "bot", true, true, {}, {}}),
          core::AccountRequest(core::ListKeys{before}),
          core::AccountRequest(core::RevokeKey{before, "key"}),
          core::AccountRequest(core::ChangePassword{before, password, "new password"})}) {
        EXPECT_EQ(f.code(std::move(request)), "unauthorized");
    }
    f.enter("ann", password);
}

TEST(LocalAccounts, OfTwoWhoChangeThePasswordAtOnceTheLaterIsTold) {
    AccountsFixture f;
    const auto first = *f.identify(f.newcomer("ann", password).token);
    const auto second = *f.identify(f.enter("ann", password).token);
    std::multiset<std::string> codes;
    const auto done = [&](AccountAnswer&& answer) {
        codes.insert(answer ? std::string() : answer.error().code);
    };
    f.accounts().ask(f.shard(), core::ChangePassword{first, password, "the first one"}, "a", done);
    f.accounts().ask(f.shard(), core::ChangePassword{second, password, "the second one"}, "b",
                     done);
    while (codes.size() < 2) f.turn();
    EXPECT_EQ(codes.count(""), 1u);
    EXPECT_EQ(codes.count("unauthorized") + codes.count("forbidden"), 1u)
        << "its session has ended, or its old password is none any more";
}

TEST(LocalAccounts, AHashThatIsRenewedForOneTellsNobodyElseThatTheirPasswordIsWrong) {
    Folder folder;
    const std::string path = folder.file("a.db");
    {
        AccountsFixture f({}, [&](AccountsConfig& c) { c.store = "sqlite:" + path; });
        f.newcomer("ann", password);
    }
    AccountsFixture f({}, [&](AccountsConfig& c) {
        c.store = "sqlite:" + path;
        c.hash.passes = 2;
    });
    std::multiset<std::string> codes;
    for (int i = 0; i < 4; ++i) {
        f.accounts().ask(f.shard(), core::PasswordSignIn{"ann", password}, "a",
                         [&](AccountAnswer&& answer) {
                             codes.insert(answer ? std::string() : answer.error().code);
                         });
    }
    while (codes.size() < 4) f.turn();
    EXPECT_GE(codes.count(""), 1u);
    EXPECT_EQ(codes.count("unauthorized"), 0u);
    EXPECT_EQ(codes.count("") + codes.count("unavailable"), 4u);
}

TEST(LocalAccounts, AFileThatCannotBeWrittenSignsNobodyOut) {
    Folder folder;
    const std::string path = folder.file("a.db");
    AccountsFixture f({}, [&](AccountsConfig& c) { c.store = "sqlite:" + path; });
    const auto session = f.newcomer("ann", password);
    f.pass(10min);
    Database(path).execute(
        "CREATE TRIGGER full BEFORE UPDATE OF used ON sessions "
        "BEGIN SELECT RAISE(FAIL, 'disk is full'); END");
    EXPECT_TRUE(f.identify(session.token));
    EXPECT_THAT(f.told(), testing::HasSubstr("the use of tokens can't be noted disk is full"));
}

TEST(LocalAccounts, ATokenThatIsNoneIsUnauthorized) {
    AccountsFixture f;
    const auto session = f.newcomer("ann", password);
    std::string altered = session.token;
    altered.back() = altered.back() == 'A' ? 'B' : 'A';
    for (const std::string& token : {std::string("x"), std::string("ps_"), altered,
                                     session.token + "A", std::string(token_bytes_max, 'x'),
                                     std::string(token_bytes_max + 1, 'x'), std::string("a.b.c")}) {
        const auto refused = f.identify(token);
        ASSERT_FALSE(refused) << token.substr(0, 60);
        EXPECT_EQ(refused.error().code, "unauthorized");
        EXPECT_EQ(refused.error().message.find(altered), std::string::npos);
    }
}

TEST(LocalAccounts, SessionsOutliveARestart) {
    Folder folder;
    std::string token;
    const auto config = [&](AccountsConfig& c) { c.store = "sqlite:" + folder.file("a.db"); };
    {
        AccountsFixture f({}, config);
        token = f.newcomer("ann", password).token;
    }
    AccountsFixture f({}, config);
    EXPECT_TRUE(f.accounts().is_registered("Ann"));
    ASSERT_TRUE(f.identify(token));
    EXPECT_EQ((*f.identify(token))->who.name, "ann");
}

TEST(LocalAccounts, AHashByOldParametersIsMadeAnewOnSigningIn) {
    Folder folder;
    const std::string path = folder.file("a.db");
    {
        AccountsFixture f({}, [&](AccountsConfig& c) { c.store = "sqlite:" + path; });
        f.newcomer("ann", password);
    }
    AccountsFixture f({}, [&](AccountsConfig& c) {
        c.store = "sqlite:" + path;
        c.hash.passes = 2;
    });
    f.enter("ann", password);
    EXPECT_THAT(AccountStore(path).find_account("ann")->hash, testing::HasSubstr(",t=2,"));
    f.enter("ann", password);
}

}  // namespace
}  // namespace parley::auth
