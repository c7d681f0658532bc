#include "protocol/cursor.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace parley::protocol {
namespace {

TEST(Cursor, ComesBackFromItsOwnString) {
    for (const std::string_view text :
         {"a:0", "e1:1", "Zz09aB7x:9007199254740993", "12345678:9999999999999999"}) {
        const auto cursor = Cursor::parse(text);
        ASSERT_TRUE(cursor) << text;
        EXPECT_EQ(cursor->to_string(), text);
        EXPECT_EQ(Cursor::parse(cursor->to_string()), cursor);
    }
}

TEST(Cursor, ReadsEpochAndOffset) {
    const auto cursor = Cursor::parse("k3Jx:42");
    ASSERT_TRUE(cursor);
    EXPECT_EQ(cursor->epoch.view(), "k3Jx");
    EXPECT_EQ(cursor->offset, 42U);
}

TEST(Cursor, RefusesWhatIsMalformed) {
    for (const std::string_view text :
         {"", ":", "a", "a:", ":1", "a:b", "a:1 ", " a:1", "a:-1", "a:+1", "a:1:2", "a:0x1",
          "a:1.0", "123456789:1", "a_b:1", "a-b:1", "\xC3\xA9:1", "a:12345678901234567"}) {
        EXPECT_FALSE(Cursor::parse(text)) << text;
    }
}

TEST(Epoch, HoldsOneToEightLettersOrDigits) {
    for (unsigned byte = 0; byte < 0x100; ++byte) {
        const char c = static_cast<char>(byte);
        const bool allowed =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        EXPECT_EQ(Epoch::parse(std::string(1, c)).has_value(), allowed) << byte;
    }
    for (std::size_t length = 0; length <= 10; ++length) {
        const std::string text(length, 'e');
        const auto epoch = Epoch::parse(text);
        ASSERT_EQ(epoch.has_value(), length >= 1 && length <= Epoch::length_max);
        if (epoch) {
            EXPECT_EQ(epoch->view(), text);
        }
    }
    EXPECT_TRUE(Epoch{}.empty());
}

TEST(Cursor, DecimalIsExactAtTheEdges) {
    for (const std::uint64_t value :
         {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{10}, std::uint64_t{9007199254740992},
          std::uint64_t{9007199254740993}, std::numeric_limits<std::uint64_t>::max()}) {
        std::string out;
        append_decimal(out, value);
        EXPECT_EQ(out, std::to_string(value));
    }
}

}  // namespace
}  // namespace parley::protocol
