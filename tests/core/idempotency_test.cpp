#include "core/idempotency.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"

namespace parley::core {
namespace {

using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const TimePoint start = TimePoint{} + seconds(100);

IdempotencyKeys::Published at(std::uint64_t offset) {
    return {offset, WallTime{}};
}

std::uint64_t offset_of(const std::optional<IdempotencyKeys::Published>& found) {
    return found ? found->offset : 0;
}

TEST(IdempotencyKeys, RememberASendForFiveMinutes) {
    IdempotencyKeys keys;
    EXPECT_EQ(keys.find("ann", "k", start), std::nullopt);
    EXPECT_FALSE(keys.remember("ann", "k", at(7), start));
    EXPECT_EQ(offset_of(keys.find("ann", "k", start)), 7u);
    EXPECT_EQ(offset_of(keys.find("ann", "k", start + minutes(5) - nanoseconds(1))), 7u);
    EXPECT_EQ(keys.find("ann", "k", start + minutes(5)), std::nullopt);
    EXPECT_EQ(keys.size(), 0u);
}

TEST(IdempotencyKeys, BelongToTheUserWhoUsedThem) {
    IdempotencyKeys keys;
    static_cast<void>(keys.remember("ann", "k", at(1), start));
    static_cast<void>(keys.remember("bob", "k", at(2), start));
    EXPECT_EQ(offset_of(keys.find("ann", "k", start)), 1u);
    EXPECT_EQ(offset_of(keys.find("bob", "k", start)), 2u);
    // Where the name ends and the key begins is part of it.
    EXPECT_EQ(keys.find("an", "nk", start), std::nullopt);
    EXPECT_EQ(keys.find("annk", "", start), std::nullopt);
}

TEST(IdempotencyKeys, AreForgottenOldestFirst) {
    IdempotencyKeys keys;
    for (std::uint64_t i = 1; i <= 10; ++i) {
        static_cast<void>(keys.remember("ann", std::to_string(i), at(i), start + seconds(i)));
    }
    for (std::uint64_t i = 1; i <= 10; ++i) {
        const auto now = start + seconds(i) + minutes(5);
        EXPECT_EQ(keys.find("ann", std::to_string(i), now), std::nullopt);
        EXPECT_EQ(keys.size(), 10 - i);
    }
}

TEST(IdempotencyKeys, HoldNoMoreThanTheirBoundAndTellWhenOneGoesEarly) {
    IdempotencyKeys keys;
    for (std::uint64_t i = 0; i < limits::idempotency_keys_max; ++i) {
        ASSERT_FALSE(keys.remember("ann", std::to_string(i), at(i + 1), start));
    }
    EXPECT_TRUE(keys.remember("ann", "one more", at(1), start));
    EXPECT_EQ(keys.size(), limits::idempotency_keys_max);
    EXPECT_EQ(keys.find("ann", "0", start), std::nullopt);
    EXPECT_EQ(offset_of(keys.find("ann", "1", start)), 2u);
}

}  // namespace
}  // namespace parley::core
