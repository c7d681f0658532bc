#include "server/values.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace parley::server {
namespace {

using namespace std::chrono_literals;

TEST(Values, ReadsDurationsInEveryUnit) {
    struct Row {
        std::string_view text;
        milliseconds expected;
    };
    for (const auto& row : {Row{"0ms", 0ms}, Row{"1ms", 1ms}, Row{"500ms", 500ms}, Row{"25s", 25s},
                            Row{"2m", 2min}, Row{"1h", 1h}, Row{"8760h", 8760h}}) {
        EXPECT_EQ(parse_duration(row.text), row.expected) << row.text;
    }
}

TEST(Values, RefusesWhatIsNoDuration) {
    for (const auto* text : {"", "25", "s", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1m30s",
                             "1S", "1d", "99999999999999999999s", "9223372036854775807h"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
    }
}

TEST(Values, ReadsSizesInEveryUnit) {
    struct Row {
        std::string_view text;
        std::uint64_t expected;
    };
    for (const auto& row :
         {Row{"0", 0}, Row{"65536", 65536}, Row{"64KiB", 65536}, Row{"1MiB", 1048576},
          Row{"2GiB", 2147483648}, Row{"18446744073709551615", 18446744073709551615ULL}}) {
        EXPECT_EQ(parse_size(row.text), row.expected) << row.text;
    }
}

TEST(Values, RefusesWhatIsNoSize) {
    for (const auto* text : {"", "KiB", "12 parsecs", "64kib", "64KB", "64K", "-1", "1.5MiB",
                             "64 KiB", "18446744073709551616", "18446744073709551615KiB"}) {
        EXPECT_EQ(parse_size(text), std::nullopt) << text;
    }
}

TEST(Values, WritesDurationsAndSizesSoThatTheyAreReadBack) {
    for (const auto duration : {0ms, 1ms, 999ms, 1000ms, 1001ms, 59999ms, 60000ms, 90000ms,
                                3600000ms, 3600001ms, 86400000ms}) {
        EXPECT_EQ(parse_duration(format_duration(duration)), duration);
    }
    for (std::uint64_t bytes = 1; bytes != 0; bytes *= 2) {
        for (const auto near : {bytes - 1, bytes, bytes + 1}) {
            EXPECT_EQ(parse_size(format_size(near)), near);
        }
    }
    EXPECT_EQ(format_duration(90s), "90s");
    EXPECT_EQ(format_duration(120s), "2m");
    EXPECT_EQ(format_size(65536), "64KiB");
    EXPECT_EQ(format_size(1000), "1000");
}

TEST(Values, ReadsNumbersThatAreFiniteAndNothingElse) {
    EXPECT_EQ(parse_number("20"), 20);
    EXPECT_EQ(parse_number("0.5"), 0.5);
    for (const auto* text : {"", "inf", "nan", "1e999", "20/s", " 1", "1 "}) {
        EXPECT_EQ(parse_number(text), std::nullopt) << text;
    }
    EXPECT_EQ(format_number(20), "20");
    EXPECT_EQ(format_number(0.5), "0.5");
    EXPECT_EQ(parse_count("0"), 0U);
    for (const auto* text : {"", "-1", "1.0", "1x", "18446744073709551616"}) {
        EXPECT_EQ(parse_count(text), std::nullopt) << text;
    }
}

TEST(Values, ReadsAddressesAndWritesThemTheSame) {
    for (const auto* text : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:443", "[::]:65535"}) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(format_endpoint(*endpoint), text);
    }
    const auto every = parse_endpoint(":8080");
    ASSERT_TRUE(every);
    EXPECT_EQ(format_endpoint(*every), "0.0.0.0:8080");
}

TEST(Values, RefusesWhatIsNoAddress) {
    for (const auto* text :
         {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "localhost:80",
          "::1:80", "[127.0.0.1]:80", "[::1]", "[]:80", "127.0.0.1:http", "256.0.0.1:80"}) {
        EXPECT_EQ(parse_endpoint(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace parley::server
