#include "auth/password_hasher.hpp"

#include <gtest/gtest.h>

#include <future>

namespace parley::auth {
namespace {

// The least that Argon2 takes: a test is not about time.
HashConfig cheap() {
    HashConfig config;
    config.memory = 8 * 1024;
    config.passes = 1;
    return config;
}

TEST(PasswordHasher, AHashIsItsPasswordsAndNoOthers) {
    const auto hash = hash_password("correct horse", cheap());
    ASSERT_TRUE(hash);
    EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=8,t=1,p=1$")) << *hash;
    EXPECT_EQ(is_password_of(*hash, "correct horse"), true);
    for (const std::string_view wrong : {"", "correct hors", "correct horse ", "Correct horse"}) {
        EXPECT_EQ(is_password_of(*hash, wrong), false) << wrong;
    }
    EXPECT_NE(*hash, *hash_password("correct horse", cheap())) << "each has its salt";
    for (const char* none : {"", "correct horse", "$argon2id$v=19$", "$2b$10$abc"}) {
        EXPECT_EQ(is_password_of(none, "correct horse"), false) << none;
    }
}

TEST(PasswordHasher, EveryParameterCountsAsAChange) {
    const auto hash = *hash_password("p", cheap());
    EXPECT_TRUE(is_current(hash, cheap()));
    for (const int which : {0, 1, 2}) {
        HashConfig other = cheap();
        if (which == 0) other.memory *= 2;
        if (which == 1) other.passes += 1;
        if (which == 2) other.lanes += 1;
        EXPECT_FALSE(is_current(hash, other)) << which;
    }
}

PasswordHasher::Verdict verdict(PasswordHasher& hasher, const std::string& hash,
                                const std::string& password) {
    std::promise<PasswordHasher::Verdict> said;
    EXPECT_TRUE(hasher.verify(
        hash, password, [&](PasswordHasher::Verdict given) { said.set_value(std::move(given)); }));
    return said.get_future().get();
}

TEST(PasswordHasher, HashesAnewWhatWasHashedByOtherParameters) {
    HashConfig today = cheap();
    today.passes = 2;
    PasswordHasher hasher(today);
    const auto old = *hash_password("correct horse", cheap());
    EXPECT_EQ(verdict(hasher, old, "wrong").matches, false);
    EXPECT_EQ(verdict(hasher, old, "wrong").fresh, "");
    const auto right = verdict(hasher, old, "correct horse");
    EXPECT_EQ(right.matches, true);
    EXPECT_TRUE(is_current(right.fresh, today));
    EXPECT_EQ(is_password_of(right.fresh, "correct horse"), true);
    EXPECT_EQ(verdict(hasher, right.fresh, "correct horse").fresh, "") << "it is current";
}

TEST(PasswordHasher, NothingIsJudgedLikeSomethingAndNeverMatches) {
    PasswordHasher hasher(cheap());
    std::promise<std::optional<bool>> said;
    ASSERT_TRUE(hasher.verify_nothing(
        "anything", [&](const PasswordHasher::Verdict& given) { said.set_value(given.matches); }));
    EXPECT_EQ(said.get_future().get(), false);
}

TEST(PasswordHasher, MoreThanItsQueueIsRefusedAndCounted) {
    HashConfig config = cheap();
    config.queue = 2;
    PasswordHasher hasher(config);
    std::promise<void> go_on;
    auto gate = go_on.get_future().share();
    std::promise<void> begun;
    ASSERT_TRUE(hasher.hash("first", [&](const auto&) {
        begun.set_value();
        gate.wait();
    }));
    begun.get_future().get();
    std::promise<void> last;
    EXPECT_TRUE(hasher.hash("second", [](const auto&) {}));
    EXPECT_TRUE(hasher.hash("third", [&](const auto&) { last.set_value(); }));
    EXPECT_FALSE(hasher.hash("fourth", [](const auto&) { FAIL(); }));
    EXPECT_EQ(hasher.pool().refused(), 1u);
    EXPECT_EQ(hasher.pool().waiting(), 2u);
    go_on.set_value();
    last.get_future().get();
    hasher.stop();
    EXPECT_FALSE(hasher.hash("late", [](const auto&) { FAIL(); }));
}

}  // namespace
}  // namespace parley::auth
