#include "auth/local_accounts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>

#include "auth/jwt_maker.hpp"
#include "core/subscriber.hpp"
#include "support/folder.hpp"
#include "support/test_transport.hpp"

namespace parley::auth {
namespace {

using namespace std::chrono_literals;
using core::AccountAnswer;
using core::Identified;
using parley::test::Folder;

// A shard that the test turns whenever its mail comes, from whatever thread.
class WaitingLoop final : public core::ShardLoop {
public:
    void run_soon() noexcept override { wake(); }
    void wake() noexcept override {
        const std::scoped_lock lock(mutex_);
        woken_ = true;
        news_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        news_.wait(lock, [this] { return woken_; });
        woken_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable news_;
    bool woken_ = false;
};

AccountsConfig cheap(const std::string& path) {
    AccountsConfig config;
    config.store = "sqlite:" + path;
    config.hash.memory = 8 * 1024;
    config.hash.passes = 1;
    return config;
}

class AccountsFixture {
public:
    explicit AccountsFixture(const JwtConfig& jwt = {},
                             const std::function<void(AccountsConfig&)>& change = {}) {
        AccountsConfig config = cheap(folder.file("accounts.db"));
        if (change) change(config);
        accounts_ = std::make_unique<LocalAccounts>(
            config, jwt, [this](bool, std::string_view what, std::string_view about) {
                const std::scoped_lock lock(mutex_);
                told_.append(what).append(" ").append(about).append("\n");
            });
        accounts_->attach(hub_);
        shard().set_now(now);
    }
    ~AccountsFixture() { accounts_->stop(); }
    AccountsFixture(const AccountsFixture&) = delete;
    AccountsFixture& operator=(const AccountsFixture&) = delete;

    LocalAccounts& accounts() { return *accounts_; }
    core::Shard& shard() { return hub_.shard(0); }
    void pass(std::chrono::milliseconds time) {
        now.mono += time;
        now.wall += time;
        shard().set_now(now);
        shard().timers().advance(now.mono);
    }
    std::string told() {
        const std::scoped_lock lock(mutex_);
        return told_;
    }

    AccountAnswer ask(core::AccountRequest request, const std::string& address = "192.0.2.1") {
        std::optional<AccountAnswer> said;
        accounts_->ask(shard(), std::move(request), address,
                       [&](AccountAnswer&& answer) { said = std::move(answer); });
        while (!said) turn();
        return std::move(*said);
    }
    // What is refused, as its code.
    std::string code(core::AccountRequest request, const std::string& address = "192.0.2.1") {
        const auto answer = ask(std::move(request), address);
        return answer ? std::string() : answer.error().code;
    }
    Identified identify(const std::string& token) {
        std::optional<Identified> said = accounts_->recall(token, now.wall);
        if (said) return std::move(*said);
        accounts_->identify(shard(), token, [&](Identified&& answer) { said = std::move(answer); });
        while (!said) turn();
        return std::move(*said);
    }
    void turn() {
        loop_.wait();
        shard().turn(now);
    }

    core::SignedInSession enter(const std::string& name, const std::string& password,
                                const std::string& address = "192.0.2.1") {
        auto answer = ask(core::PasswordSignIn{name, password}, address);
        EXPECT_TRUE(answer) << answer.error().message;
        return std::get<core::SignedInSession>(*answer);
    }
    core::SignedInSession newcomer(const std::string& name, const std::string& password) {
        EXPECT_EQ(code(core::Register{name, password}), "");
        return enter(name, password);
    }

    Folder folder;
    core::Instant now{core::TimePoint{} + 1h, core::WallTime{} + 1'800'000'000s};

private:
    std::mutex mutex_;
    std::string told_;
    WaitingLoop loop_;
    core::Hub hub_{core::Config{}, {&loop_}, now, 1};
    std::unique_ptr<LocalAccounts> accounts_;
};

const std::string password = "correct horse";

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

// ---- guessing --------------------------------------------------------------------------------

TEST(LocalAccounts, GuessingANameIsSlowedFromWhateverAddressAndARightPasswordHasToWaitToo) {
    AccountsFixture f;
    f.newcomer("ann", password);
    int tried = 0;
    std::string code = "unauthorized";
    while (code == "unauthorized" && tried < 100) {
        ++tried;
        code = f.code(core::PasswordSignIn{"ann", "guess"}, "203.0.113." + std::to_string(tried));
    }
    EXPECT_EQ(code, "rate_limited");
    EXPECT_EQ(tried, 7) << "five are free, and the sixth makes the next wait";
    const auto slowed = f.ask(core::PasswordSignIn{"ann", password}, "198.51.100.1");
    ASSERT_FALSE(slowed);
    EXPECT_EQ(slowed.error().retry_after_ms, 1000u);
    EXPECT_GE(f.accounts().count(AuthCount::guess_slowed), 2u);
    f.pass(1s);
    f.enter("ann", password, "198.51.100.1");
    EXPECT_EQ(f.code(core::PasswordSignIn{"ann", "guess"}, "198.51.100.2"), "unauthorized")
        << "forgiven";
}

TEST(LocalAccounts, GuessingFromOneAddressIsSlowedWhateverTheName) {
    AccountsFixture f;
    f.newcomer("ann", password);
    std::string code = "unauthorized";
    int tried = 0;
    while (code == "unauthorized" && tried < 100) {
        code =
            f.code(core::PasswordSignIn{"name-" + std::to_string(tried++), "guess"}, "192.0.2.9");
    }
    EXPECT_EQ(code, "rate_limited");
    EXPECT_EQ(tried, 7);
    EXPECT_EQ(f.code(core::PasswordSignIn{"ann", password}, "192.0.2.10"), "");
    // All of a /64 is one.
    for (int i = 0; i < 7; ++i) {
        code = f.code(core::PasswordSignIn{"v6-" + std::to_string(i), "guess"},
                      "2001:db8::" + std::to_string(i + 1));
    }
    EXPECT_EQ(code, "rate_limited");
}

TEST(LocalAccounts, WhoSignedInFromThereBeforeIsNotKeptOutByWhoeverGuessesElsewhere) {
    AccountsFixture f;
    f.newcomer("ann", password);  // from 192.0.2.1
    for (int day = 0; day < 20; ++day) {
        // From ever other addresses, whenever another guess is let in.
        while (f.code(core::PasswordSignIn{"ann", "guess"}, "198.51.100." + std::to_string(day)) ==
               "unauthorized") {
        }
        f.enter("ann", password, "192.0.2.1");
        f.pass(60s);
    }
    EXPECT_EQ(f.code(core::PasswordSignIn{"ann", "guess"}, "203.0.113.1"), "unauthorized");
    EXPECT_EQ(f.code(core::PasswordSignIn{"ann", password}, "203.0.113.2"), "rate_limited")
        << "what the owner does from home forgives nobody elsewhere";
}

TEST(LocalAccounts, WhereSomebodyHasSignedInTheirNameIsGuessedAtSlowlyToo) {
    AccountsFixture f;
    f.newcomer("ann", password);
    f.newcomer("bob", password);
    std::string code = "unauthorized";
    int tried = 0;
    for (; code == "unauthorized" && tried < 100; ++tried) {
        code = f.code(core::PasswordSignIn{"ann", "guess"});
    }
    EXPECT_EQ(code, "rate_limited");
    EXPECT_EQ(tried, 7);
    f.enter("bob", password);
    EXPECT_EQ(f.code(core::PasswordSignIn{"carl", "guess"}), "unauthorized")
        << "behind one address the others are not slowed by it";
    f.pass(60s);
    f.enter("ann", password);
}

TEST(LocalAccounts, DoesNotTellWhetherThereIsSuchAnAccount) {
    AccountsFixture f;
    f.newcomer("ann", password);
    const auto there = f.ask(core::PasswordSignIn{"ann", "guess"}, "192.0.2.1");
    const auto nobody = f.ask(core::PasswordSignIn{"bob", "guess"}, "192.0.2.2");
    ASSERT_FALSE(there);
    ASSERT_FALSE(nobody);
    EXPECT_EQ(there.error(), nobody.error());
    const auto before = f.accounts().hasher()->pool().begun();
    EXPECT_EQ(f.code(core::PasswordSignIn{"carl", "guess"}, "192.0.2.3"), "unauthorized");
    EXPECT_EQ(f.accounts().hasher()->pool().begun(), before + 1) << "hashed for nothing";
}

TEST(LocalAccounts, TooManyAtOnceAreUnavailableAndCountForNothing) {
    AccountsFixture f({}, [](AccountsConfig& config) {
        config.hash.queue = 1;
        config.hash.memory = 16 * 1024 * 1024;
        config.guesses = 1000;
    });
    f.newcomer("ann", password);
    constexpr int asked = 64;
    std::multiset<std::string> codes;
    for (int i = 0; i < asked; ++i) {
        f.accounts().ask(f.shard(), core::PasswordSignIn{"ann", "guess"}, "192.0.2.1",
                         [&](AccountAnswer&& answer) { codes.insert(answer.error().code); });
    }
    while (codes.size() < asked) f.turn();
    EXPECT_GT(codes.count("unavailable"), 0u);
    EXPECT_EQ(codes.count("unavailable") + codes.count("unauthorized"), std::size_t{asked});
    EXPECT_EQ(f.accounts().hasher()->pool().refused(), codes.count("unavailable"));
}

// ---- sessions --------------------------------------------------------------------------------

// A live session that acts by a token.
struct LiveSession {
    LiveSession(AccountsFixture& f, const std::string& token) {
        core::PeerIdentity peer;
        peer.address = "192.0.2.1";
        peer.user = *f.identify(token);
        subscriber = core::Subscriber::open(f.shard(), transport, peer);
    }
    ~LiveSession() { subscriber->closed(core::close_reasons::normal); }
    LiveSession(const LiveSession&) = delete;
    LiveSession& operator=(const LiveSession&) = delete;
    [[nodiscard]] int closed_with() const {
        return transport.closed_for ? transport.closed_for->code : 0;
    }
    parley::test::TestTransport transport;
    std::shared_ptr<core::Subscriber> subscriber;
};

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
