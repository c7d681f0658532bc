#include "transports/rate_limit_headers.hpp"

#include <gtest/gtest.h>

#include <array>

namespace parley::transports {
namespace {

using core::RateConfig;
using std::chrono::milliseconds;

std::string header(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return {};
}

TEST(RateLimitHeaders, NameEachBucketWithItsPolicyAndWhatIsLeft) {
    const std::array buckets{BucketState{"user", {40, 80}, milliseconds(1'025)},
                             BucketState{"room", {0.5, 3}, milliseconds(0)}};
    HttpResponse response;
    add_rate_limit(response, buckets);
    EXPECT_EQ(header(response, "RateLimit-Policy"), "\"user\";q=80;w=2, \"room\";q=3;w=6");
    EXPECT_EQ(header(response, "RateLimit"), "\"user\";r=39;t=2, \"room\";r=3;t=0");
}

TEST(RateLimitHeaders, AreLeftOutWhereNothingIsLimited) {
    HttpResponse response;
    add_rate_limit(response, {});
    EXPECT_TRUE(response.headers.empty());
}

TEST(RateLimitHeaders, CountDownWithEveryTokenTaken) {
    const RateConfig rate{10, 5};
    const core::TimePoint now{std::chrono::seconds(100)};
    core::TokenBucket bucket;
    core::SharedTokenBucket shared;
    for (std::uint64_t taken = 0; taken <= 5; ++taken) {
        EXPECT_EQ(core::tokens_left(rate, bucket.until_full(now)), 5 - taken);
        EXPECT_EQ(core::tokens_left(rate, shared.until_full(now)), 5 - taken);
        EXPECT_EQ(bucket.wait(rate, now) == core::Duration::zero(), taken < 5);
        bucket.take(rate, now);
        shared.take(rate, now);
    }
    // One more was taken than there were: none is left, not fewer than none.
    EXPECT_EQ(core::tokens_left(rate, bucket.until_full(now)), 0U);
    EXPECT_EQ(core::tokens_left(rate, bucket.until_full(now + milliseconds(600))), 5U);
}

TEST(RetryAfter, IsAWholeSecondAtLeast) {
    struct Row {
        milliseconds wait;
        std::string_view text;
    };
    for (const Row& row :
         {Row{milliseconds(0), "1"}, Row{milliseconds(1), "1"}, Row{milliseconds(1'000), "1"},
          Row{milliseconds(1'001), "2"}, Row{milliseconds(90'000), "90"}}) {
        EXPECT_EQ(header(too_many_requests(row.wait, ""), "Retry-After"), row.text);
        EXPECT_EQ(header(unavailable(row.wait, ""), "Retry-After"), row.text);
    }
    EXPECT_EQ(too_many_requests(milliseconds(1), "").status, 429U);
    EXPECT_EQ(unavailable(milliseconds(1), "").status, 503U);
}

}  // namespace
}  // namespace parley::transports
