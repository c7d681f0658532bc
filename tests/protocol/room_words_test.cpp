#include "protocol/room_words.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace parley::protocol {
namespace {

TEST(RoomWords, ReadDurationsInEveryUnit) {
    EXPECT_EQ(parse_duration_ms("500ms"), 500u);
    EXPECT_EQ(parse_duration_ms("30s"), 30'000u);
    EXPECT_EQ(parse_duration_ms("10m"), 600'000u);
    EXPECT_EQ(parse_duration_ms("2h"), 7'200'000u);
    EXPECT_EQ(parse_duration_ms("7d"), 604'800'000u);
    EXPECT_EQ(parse_duration_ms("0s"), 0u);
}

TEST(RoomWords, RefuseWhatIsNoDuration) {
    const std::string largest = std::to_string(std::numeric_limits<std::uint64_t>::max());
    for (const std::string text : {"", "10", "m", "-1s", "1.5h", "1 h", "1w", "10 minutes", "1H"}) {
        EXPECT_FALSE(parse_duration_ms(text)) << text;
    }
    EXPECT_TRUE(parse_duration_ms(largest + "ms"));
    EXPECT_FALSE(parse_duration_ms(largest + "s"));
    EXPECT_FALSE(parse_duration_ms(largest + "0ms"));
}

TEST(RoomWords, CountCharactersAndNotBytes) {
    EXPECT_EQ(count_characters(""), 0u);
    EXPECT_EQ(count_characters("abc"), 3u);
    EXPECT_EQ(count_characters("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), 3u);
}

}  // namespace
}  // namespace parley::protocol
