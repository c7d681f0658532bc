// Registering, keys, and tokens that others have signed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/jwt_maker.hpp"
#include "auth/local_accounts_fixture.hpp"

namespace parley::auth {
namespace {

using namespace std::chrono_literals;
using parley::test::Folder;

TEST(LocalAccounts, WhoRegistersMaySignInAndIsKnownByTheirToken) {
    AccountsFixture f;
    const auto made = f.ask(core::Register{"Ann", password});
    ASSERT_TRUE(made);
    const auto& user = std::get<protocol::User>(*made);
    EXPECT_EQ(user.name, "Ann");
    EXPECT_TRUE(f.accounts().is_registered("ann"));
    const auto session = f.enter("ANN", password);
    EXPECT_EQ(session.user, user);
    EXPECT_EQ(session.expires, f.now.wall + 720h);
    const auto known = f.identify(session.token);
    ASSERT_TRUE(known);
    EXPECT_EQ((*known)->who, user);
    EXPECT_EQ((*known)->grant()->kind, core::Grant::Kind::session);
    EXPECT_EQ(f.accounts().count(AuthCount::token_accepted), 1u);
    EXPECT_TRUE(f.identify(session.token));
    EXPECT_EQ(f.accounts().count(AuthCount::token_recalled), 1u) << "the second time from memory";
}

TEST(LocalAccounts, SaysNothingOfPasswordsAndTokensInTheLog) {
    AccountsFixture f;
    const auto session = f.newcomer("ann", password);
    EXPECT_EQ(f.code(core::PasswordSignIn{"ann", "wrong wrong"}), "unauthorized");
    const std::string told = f.told();
    EXPECT_THAT(told, testing::HasSubstr("registered ann"));
    EXPECT_THAT(told, testing::HasSubstr("signed in ann"));
    for (const std::string& hidden : {password, std::string("wrong wrong"), session.token}) {
        EXPECT_THAT(told, testing::Not(testing::HasSubstr(hidden)));
    }
}

TEST(LocalAccounts, RefusesNamesAndPasswordsThatAreNone) {
    AccountsFixture f;
    EXPECT_EQ(f.code(core::Register{"ann", password}), "");
    struct Row {
        std::string name, password, code;
    };
    for (const Row& row :
         {Row{"Ann", password, "conflict"}, Row{"", password, "bad_request"},
          Row{" bob", password, "bad_request"}, Row{std::string(65, 'b'), password, "bad_request"},
          Row{"Guest-1", password, "bad_request"}, Row{"bob", "short", "bad_request"},
          Row{"\xD0\xB0nn", password, "conflict"}, Row{"An\xE2\x80\x8Bn", password, "conflict"},
          Row{"bob\xE2\x80\xAE", password, "bad_request"},
          Row{"bob", std::string(1025, 'x'), "bad_request"},
          Row{"BobBobBob", "bobbobbob", "bad_request"}}) {
        EXPECT_EQ(f.code(core::Register{row.name, row.password}), row.code) << row.name;
    }
    EXPECT_FALSE(f.accounts().is_registered("bob"));
}

TEST(LocalAccounts, RegistrationMayBeClosed) {
    AccountsFixture f({}, [](AccountsConfig& config) { config.registration = false; });
    EXPECT_EQ(f.code(core::Register{"ann", password}), "forbidden");
}

TEST(LocalAccounts, RegisteringFromOneAddressIsSlowedToo) {
    AccountsFixture f;
    std::string code;
    int made = 0;
    for (; made < 100 && code.empty(); ++made) {
        code = f.code(core::Register{"ann-" + std::to_string(made), password});
    }
    EXPECT_EQ(code, "rate_limited");
    EXPECT_LE(made, 22);
    EXPECT_EQ(f.code(core::Register{"elsewhere", password}, "192.0.2.2"), "");
}

// ---- keys ------------------------------------------------------------------------------------

TEST(LocalAccounts, AKeyActsForItsAccountWithinItsScopesUntilItIsRevoked) {
    AccountsFixture f;
    const auto me = *f.identify(f.newcomer("ann", password).token);
    const auto answer = f.ask(core::MakeKey{me, "bot", true, false, {"team.*"}, {}});
    ASSERT_TRUE(answer);
    const auto& made = std::get<core::MadeKey>(*answer);
    EXPECT_TRUE(made.token.starts_with("pk_"));
    const auto bot = *f.identify(made.token);
    EXPECT_EQ(bot->who, me->who);
    EXPECT_FALSE(bot->grant()->writes);
    EXPECT_TRUE(bot->grant()->covers("team.a"));
    EXPECT_FALSE(bot->grant()->covers("lobby"));
    const LiveSession live(f, made.token);
    for (core::AccountRequest request :
         {core::AccountRequest(core::MakeKey{bot, "more", true, true, {}, {}}),
          core::AccountRequest(core::ListKeys{bot}), core::AccountRequest(core::SignOut{bot}),
          core::AccountRequest(core::ChangePassword{bot, password, "new password"})}) {
        EXPECT_EQ(f.code(std::move(request)), "forbidden") << "a key looks after no account";
    }
    const auto listed = std::get<std::vector<core::ListedKey>>(*f.ask(core::ListKeys{me}));
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].id, made.key.id);
    EXPECT_EQ(f.code(core::RevokeKey{me, "no such"}), "not_found");
    EXPECT_EQ(f.code(core::RevokeKey{me, made.key.id}), "");
    while (live.closed_with() == 0) f.turn();
    EXPECT_EQ(live.closed_with(), 4001);
    EXPECT_FALSE(f.identify(made.token));
}

TEST(LocalAccounts, AKeyIsRefusedWhereItWouldBeGoodForNothing) {
    AccountsFixture f;
    const auto me = *f.identify(f.newcomer("ann", password).token);
    EXPECT_EQ(f.code(core::MakeKey{me, "", true, true, {}, {}}), "bad_request");
    EXPECT_EQ(f.code(core::MakeKey{me, "bot", false, false, {}, {}}), "bad_request");
    EXPECT_EQ(f.code(core::MakeKey{me, "bot", true, true, {"no room"}, {}}), "bad_request");
}

// ---- tokens of others ------------------------------------------------------------------------

TEST(LocalAccounts, TakesJwtsBesideItsOwnTokensAndWithoutAStore) {
    Folder folder;
    JwtConfig jwt;
    jwt.secret_file = folder.write("secret", std::string(48, 's'));
    const auto token = [](core::WallTime now) {
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
        return test::signed_token(
            JWT_ALG_HS256, std::string(48, 's'),
            R"({"sub":"42","name":"carl","exp":)" + std::to_string(seconds + 60) + "}");
    };
    AccountsFixture f(jwt);
    EXPECT_TRUE(f.identify(f.newcomer("ann", password).token));
    const auto carl = f.identify(token(f.now.wall));
    ASSERT_TRUE(carl);
    EXPECT_EQ((*carl)->who.id, "42");
    EXPECT_EQ(f.code(core::SignOut{*carl}), "forbidden") << "another system's sessions";

    AccountsFixture alone(jwt, [](AccountsConfig& config) { config.store.clear(); });
    EXPECT_FALSE(alone.accounts().has_store());
    EXPECT_TRUE(alone.identify(token(alone.now.wall)));
    EXPECT_EQ(alone.code(core::PasswordSignIn{"ann", password}), "not_found");
    EXPECT_FALSE(alone.identify("ps_abc"));
    EXPECT_FALSE(alone.accounts().is_registered("ann"));
}

TEST(LocalAccounts, ATokenOfOthersMayNotHaveTheIdOfAnAccount) {
    Folder folder;
    JwtConfig jwt;
    jwt.secret_file = folder.write("secret", std::string(48, 's'));
    AccountsFixture f(jwt);
    const auto ann = f.newcomer("ann", password).user;
    const auto token = [](const std::string& id) {
        return test::signed_token(JWT_ALG_HS256, std::string(48, 's'),
                                  R"({"name":"x","exp":1900000000,"sub":")" + id + "\"}");
    };
    const auto refused = f.identify(token(ann.id));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "unauthorized");
    EXPECT_TRUE(f.identify(token("another")));
}

TEST(LocalAccounts, WhileNoKeySetWasReadNobodysTokenIsCalledWrong) {
    Folder folder;
    JwtConfig jwt;
    jwt.jwks = folder.file("keys.json");  // not there yet
    AccountsFixture f(jwt);
    const auto key = test::KeyPair::ec();
    const auto token = test::signed_token(JWT_ALG_ES256, key.private_pem(),
                                          R"({"sub":"42","name":"carl","exp":1900000000})");
    const auto refused = f.identify(token);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "unavailable");
    EXPECT_TRUE(refused.error().retry_after_ms);
    EXPECT_EQ(f.identify("a.b.c").error().code, "unauthorized") << "no set makes it a token";
}

TEST(LocalAccounts, NamesTheSettingThatIsWrong) {
    Folder folder;
    const auto problem = [](const AccountsConfig& accounts, const JwtConfig& jwt) {
        try {
            const LocalAccounts made(accounts, jwt,
                                     [](bool, std::string_view, std::string_view) {});
        } catch (const std::runtime_error& failure) {
            return std::string(failure.what());
        }
        return std::string();
    };
    AccountsConfig store = cheap(folder.file("no/where.db"));
    EXPECT_THAT(problem(store, {}), testing::StartsWith("accounts.store: "));
    JwtConfig jwt;
    jwt.secret_file = folder.file("nowhere");
    EXPECT_EQ(problem({}, jwt), "jwt.secret_file: " + jwt.secret_file + ": cannot be opened");
    jwt.secret_file = folder.write("short", "short");
    EXPECT_THAT(problem({}, jwt), testing::HasSubstr("a secret of 5 bytes"));
    EXPECT_THAT(problem({}, jwt), testing::Not(testing::HasSubstr("short,")));
    jwt = {};
    jwt.public_keys = {folder.write("none.pem", "none")};
    EXPECT_EQ(problem({}, jwt),
              "jwt.public_keys: " + jwt.public_keys[0] + ": no public key in PEM");
}

}  // namespace
}  // namespace parley::auth
