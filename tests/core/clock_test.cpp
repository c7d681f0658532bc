#include "core/clock.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <random>

#include "support/test_hub.hpp"

namespace parley::core {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

WallTime at_ms(std::int64_t ms) {
    return WallTime{} + milliseconds(ms);
}

TEST(Clock, WritesInstantsAsRfc3339InUtcWithMilliseconds) {
    EXPECT_EQ(format_rfc3339(at_ms(0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(at_ms(1)), "1970-01-01T00:00:00.001Z");
    EXPECT_EQ(format_rfc3339(at_ms(951'782'399'999)), "2000-02-28T23:59:59.999Z");
    EXPECT_EQ(format_rfc3339(at_ms(951'782'400'000)), "2000-02-29T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(at_ms(1'767'225'599'999)), "2025-12-31T23:59:59.999Z");
    EXPECT_EQ(format_rfc3339(at_ms(7'258'118'399'999)), "2199-12-31T23:59:59.999Z");
}

TEST(Clock, CutsOffWhatIsLessThanAMillisecond) {
    EXPECT_EQ(format_rfc3339(at_ms(7) + nanoseconds(999'999)), "1970-01-01T00:00:00.007Z");
}

TEST(Clock, IsWrittenOutByAShardWheneverItIsAnotherMillisecond) {
    test::TestHub hub;
    Shard& shard = hub.shard();
    for (const WallTime wall : {at_ms(0), at_ms(1), at_ms(1) + nanoseconds(999'999), at_ms(2),
                                at_ms(1), at_ms(1'767'225'599'999)}) {
        shard.set_now({shard.now().mono, wall});
        EXPECT_EQ(shard.now_text(), format_rfc3339(wall));
    }
}

TEST(Clock, AgreesWithTheCalendarOfTheSystem) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 2000; ++i) {
        const auto second = static_cast<std::time_t>(random() % 7'258'118'400ULL);
        std::tm parts{};
        ASSERT_NE(gmtime_r(&second, &parts), nullptr);
        char expected[32];
        ASSERT_NE(std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000Z", &parts), 0u);
        ASSERT_EQ(format_rfc3339(at_ms(std::int64_t{second} * 1000)), expected);
    }
}

}  // namespace
}  // namespace parley::core
