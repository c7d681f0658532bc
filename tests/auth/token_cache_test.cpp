#include "auth/token_cache.hpp"

#include <gtest/gtest.h>

#include "auth/secret.hpp"

namespace parley::auth {
namespace {

using namespace std::chrono_literals;

constexpr core::WallTime start{std::chrono::hours(1'000)};

core::UserPtr user(std::optional<core::WallTime> expires = {}) {
    core::Grant grant;
    grant.expires = expires;
    return core::UserPtr(new core::GrantedUser({"1", "ann"}, grant));
}

TEST(TokenCache, RemembersForItsTimeAndNoLongerThanTheTokenIsGood) {
    TokenCache cache(60s);
    const auto lasting = id_of_token("a");
    const auto ending = id_of_token("b");
    cache.keep(lasting, user(), start);
    cache.keep(ending, user(start + 10s), start);
    EXPECT_TRUE(cache.find(lasting, start + 59s));
    EXPECT_FALSE(cache.find(lasting, start + 60s));
    EXPECT_TRUE(cache.find(ending, start + 9s));
    EXPECT_FALSE(cache.find(ending, start + 10s));
    EXPECT_FALSE(cache.find(id_of_token("c"), start));
}

TEST(TokenCache, ForgetsWhatIsRevoked) {
    TokenCache cache(60s);
    cache.keep(id_of_token("a"), user(), start);
    cache.forget(id_of_token("a"));
    EXPECT_FALSE(cache.find(id_of_token("a"), start));
}

TEST(TokenCache, HoldsSoManyAndNoMore) {
    TokenCache cache(60s);
    const auto who = user();
    for (std::size_t i = 0; i < TokenCache::entries_max + 10'000; ++i) {
        cache.keep(id_of_token(std::to_string(i)), who, start);
    }
    EXPECT_LE(cache.size(), TokenCache::entries_max);
    EXPECT_TRUE(cache.find(id_of_token(std::to_string(TokenCache::entries_max + 9'999)), start));
    EXPECT_FALSE(cache.find(id_of_token("0"), start)) << "the oldest goes first";
}

}  // namespace
}  // namespace parley::auth
