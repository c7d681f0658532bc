// Guesses at passwords, and what they cost whom.
#include <gtest/gtest.h>

#include "auth/local_accounts_fixture.hpp"

namespace parley::auth {
namespace {

using namespace std::chrono_literals;
using core::AccountAnswer;

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
        config.hash.memory = 4 * 1024 * 1024;
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

}  // namespace
}  // namespace parley::auth
