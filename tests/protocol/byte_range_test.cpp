#include "protocol/byte_range.hpp"

#include <gtest/gtest.h>

namespace parley::protocol {
namespace {

constexpr ByteRange whole{};
constexpr ByteRange none{ByteRange::Kind::unsatisfiable, 0, 0};

ByteRange part(std::uint64_t first, std::uint64_t last) {
    return {ByteRange::Kind::part, first, last};
}

TEST(ByteRange, IsWhatTheHeaderAsksFor) {
    struct Row {
        std::string_view header;
        std::uint64_t size;
        ByteRange range;
    };
    for (const Row& row : {
             Row{"", 10, whole},
             Row{"bytes=0-0", 10, part(0, 0)},
             Row{"bytes=0-9", 10, part(0, 9)},
             Row{"bytes=2-5", 10, part(2, 5)},
             Row{"BYTES= 2-5 ", 10, part(2, 5)},
             Row{"bytes=2-", 10, part(2, 9)},
             Row{"bytes=9-", 10, part(9, 9)},
             Row{"bytes=2-99999999999999999999999", 10, part(2, 9)},
             Row{"bytes=-3", 10, part(7, 9)},
             Row{"bytes=-30", 10, part(0, 9)},
             Row{"bytes=-99999999999999999999999", 10, part(0, 9)},
             // None of it is there.
             Row{"bytes=10-", 10, none},
             Row{"bytes=10-20", 10, none},
             Row{"bytes=99999999999999999999999-", 10, none},
             Row{"bytes=-0", 10, none},
             Row{"bytes=0-", 0, none},
             Row{"bytes=-1", 0, none},
             // Passed over.
             Row{"bytes=5-2", 10, whole},
             Row{"bytes=0-1,4-5", 10, whole},
             Row{"bytes=", 10, whole},
             Row{"bytes=-", 10, whole},
             Row{"bytes=a-b", 10, whole},
             Row{"bytes=1-2x", 10, whole},
             Row{"bytes=+1-2", 10, whole},
             Row{"bytes=--1", 10, whole},
             Row{"pages=1-2", 10, whole},
             Row{"0-5", 10, whole},
         }) {
        EXPECT_EQ(parse_byte_range(row.header, row.size), row.range) << row.header;
    }
}

TEST(ByteRange, DependsOnTheTagThatSomebodyHas) {
    for (const auto header : {R"("a")", R"(W/"a")", "*", " * ", R"("x", "a")", R"("x,y" ,W/"a")"}) {
        EXPECT_TRUE(none_match_names(header, R"("a")")) << header;
    }
    for (const auto header : {"", "a", R"("b")", R"("ab")", R"(w/"a")", R"("x, "a"")"}) {
        EXPECT_FALSE(none_match_names(header, R"("a")")) << header;
    }
    EXPECT_TRUE(if_range_holds("", R"("a")"));
    EXPECT_TRUE(if_range_holds(R"("a")", R"("a")"));
    EXPECT_FALSE(if_range_holds(R"(W/"a")", R"("a")"));
    EXPECT_FALSE(if_range_holds(R"("b")", R"("a")"));
    EXPECT_FALSE(if_range_holds("Sun, 22 Nov 2026 12:00:00 GMT", R"("a")"));
}

}  // namespace
}  // namespace parley::protocol
