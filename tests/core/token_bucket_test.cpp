#include "core/token_bucket.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/bucket_table.hpp"

namespace parley::core {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint begin = TimePoint{} + seconds(1000);

template <typename Bucket>
class AnyTokenBucket : public testing::Test {};
using Buckets = testing::Types<TokenBucket, SharedTokenBucket>;
TYPED_TEST_SUITE(AnyTokenBucket, Buckets);

template <typename Bucket>
int taken_at(Bucket& bucket, const RateConfig& rate, TimePoint now) {
    int taken = 0;
    while (bucket.wait(rate, now) == Duration::zero() && taken < 10'000) {
        bucket.take(rate, now);
        ++taken;
    }
    return taken;
}

TYPED_TEST(AnyTokenBucket, GivesItsBurstAtOnceAndThenItsRate) {
    for (const int burst : {1, 2, 40, 1000}) {
        const RateConfig rate{20, static_cast<double>(burst)};
        TypeParam bucket;
        EXPECT_EQ(taken_at(bucket, rate, begin), burst);
        EXPECT_EQ(taken_at(bucket, rate, begin + milliseconds(49)), 0);
        EXPECT_EQ(taken_at(bucket, rate, begin + milliseconds(50)), 1);
        EXPECT_EQ(taken_at(bucket, rate, begin + milliseconds(50)), 0);
    }
}

TYPED_TEST(AnyTokenBucket, IsNeverFullerThanItsBurst) {
    const RateConfig rate{20, 40};
    TypeParam bucket;
    EXPECT_EQ(taken_at(bucket, rate, begin), 40);
    EXPECT_EQ(taken_at(bucket, rate, begin + seconds(3600)), 40);
}

TYPED_TEST(AnyTokenBucket, SaysHowLongToWait) {
    const RateConfig rate{20, 1};
    TypeParam bucket;
    bucket.take(rate, begin);
    EXPECT_EQ(bucket.wait(rate, begin), milliseconds(50));
    EXPECT_EQ(bucket.wait(rate, begin + milliseconds(20)), milliseconds(30));
    EXPECT_EQ(bucket.wait(rate, begin + milliseconds(50)), Duration::zero());
}

TYPED_TEST(AnyTokenBucket, LetsThroughNoMoreThanBurstPlusRateInAnyRun) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        std::mt19937_64 random(seed);
        const RateConfig rate{static_cast<double>(1 + random() % 1000),
                              static_cast<double>(1 + random() % 50)};
        TypeParam bucket;
        TimePoint now = begin;
        double taken = 0;
        for (int i = 0; i < 500; ++i) {
            now += microseconds(random() % 20'000);
            if (bucket.wait(rate, now) > Duration::zero()) continue;
            bucket.take(rate, now);
            ++taken;
            const double elapsed = std::chrono::duration<double>(now - begin).count();
            ASSERT_LE(taken, rate.burst + elapsed * rate.per_second + 1e-3) << "seed " << seed;
        }
    }
}

TEST(SharedTokenBucket, IsFullAgainOnceEverythingWasRefilled) {
    const RateConfig rate{10, 5};
    SharedTokenBucket bucket;
    EXPECT_TRUE(bucket.full(begin));
    bucket.take(rate, begin);
    bucket.take(rate, begin);
    EXPECT_FALSE(bucket.full(begin + milliseconds(199)));
    EXPECT_TRUE(bucket.full(begin + milliseconds(200)));
}

TEST(BucketTable, GivesTheSameBucketForTheSameKey) {
    BucketTable table;
    const auto one = table.bucket_of("a", begin);
    EXPECT_EQ(table.bucket_of("a", begin), one);
    EXPECT_NE(table.bucket_of("b", begin), one);
    EXPECT_EQ(table.size(), 2u);
}

TEST(BucketTable, RemembersAnEmptiedBucketAfterItsSessionsAreGone) {
    BucketTable table;
    const RateConfig rate{1, 1};
    table.bucket_of("spammer", begin)->take(rate, begin);
    for (int i = 0; i < 5000; ++i) {
        static_cast<void>(table.bucket_of(std::to_string(i), begin));
    }
    EXPECT_GT(table.bucket_of("spammer", begin)->wait(rate, begin), Duration::zero());
}

TEST(BucketTable, DoesNotGrowWithTheFullBucketsOfThoseWhoAreGone) {
    BucketTable table;
    for (int i = 0; i < 100'000; ++i) {
        static_cast<void>(table.bucket_of(std::to_string(i), begin));
        ASSERT_LE(table.size(), 1024u);
    }
}

TEST(BucketTable, KeepsTheBucketsOfThoseWhoAreThere) {
    BucketTable table;
    std::vector<std::shared_ptr<SharedTokenBucket>> held;
    for (int i = 0; i < 3000; ++i) held.push_back(table.bucket_of(std::to_string(i), begin));
    for (int i = 0; i < 3000; ++i) {
        EXPECT_EQ(table.bucket_of(std::to_string(i), begin), held[static_cast<std::size_t>(i)]);
    }
}

}  // namespace
}  // namespace parley::core
