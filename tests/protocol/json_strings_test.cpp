#include <gtest/gtest.h>

#include "protocol/json_codec.hpp"
#include "protocol/json_scan.hpp"

namespace parley::protocol {
namespace {

std::string literal(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

// What the protocol promises, a character at a time.
std::string literal_slowly(std::string_view text) {
    const std::string_view letters = "btnvfr";  // 8 to 13; \v has no short form
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += {'\\', c};
        } else if (byte >= 8 && byte <= 13 && byte != 11) {
            out += {'\\', letters[byte - 8U]};
        } else if (byte < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(byte));
            out += escape;
        } else {
            out += c;
        }
    }
    return out + '"';
}

// The neighbours of the special ones are where arithmetic on eight bytes at a time could err.
TEST(JsonStrings, APlainRunEndsAtTheFirstByteThatIsNone) {
    for (const char filler : {'a', ' ', '!', '#', '[', ']', '\x7F', '\x80', '\xFF'}) {
        for (std::size_t size = 0; size <= 36; ++size) {
            EXPECT_EQ(json_plain_run(std::string(size, filler)), size);
            for (std::size_t at = 0; at < size; ++at) {
                for (unsigned byte = 0; byte < 0x100; ++byte) {
                    std::string text(size, filler);
                    text[at] = static_cast<char>(byte);
                    const bool plain = byte >= 0x20 && byte != '"' && byte != '\\';
                    ASSERT_EQ(json_plain_run(text), plain ? size : at) << size << ' ' << byte;
                }
            }
        }
    }
}

TEST(JsonStrings, OnlyQuoteBackslashAndControlsAreEscaped) {
    for (unsigned byte = 0; byte < 0x100; ++byte) {
        const std::string text(1, static_cast<char>(byte));
        EXPECT_EQ(literal(text), literal_slowly(text)) << byte;
    }
    EXPECT_EQ(literal("a\"b\\c\b\f\n\r\t\x01\x7F/é😀"),
              "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\x7F/é😀\"");
    EXPECT_EQ(literal(""), "\"\"");
}

TEST(JsonStrings, EveryByteIsEscapedAtEveryPlace) {
    // Longer than two words of eight, so that each byte stands in each place of a word and in the
    // tail; the neighbours are those that a wrong carry would touch.
    for (const char neighbour : {'a', '\x7F', '\xFF', '!', '#', '[', ']', '\x20'}) {
        for (std::size_t length = 1; length <= 18; ++length) {
            for (std::size_t at = 0; at < length; ++at) {
                for (unsigned byte = 0; byte < 0x100; ++byte) {
                    std::string text(length, neighbour);
                    text[at] = static_cast<char>(byte);
                    ASSERT_EQ(literal(text), literal_slowly(text)) << length << ' ' << at;
                }
            }
        }
    }
}

TEST(JsonStrings, EveryCodePointSurvivesTheRoundTrip) {
    for (std::uint32_t code_point = 0; code_point < 0x110000; code_point += 1 + code_point / 64) {
        if (code_point >= 0xD800 && code_point < 0xE000) continue;
        // The escaped form, a pair of surrogates above the basic plane.
        char escape[16];
        if (code_point < 0x10000) {
            std::snprintf(escape, sizeof escape, "\"\\u%04X\"", code_point);
        } else {
            std::snprintf(escape, sizeof escape, "\"\\u%04x\\u%04x\"",
                          0xD800 + ((code_point - 0x10000) >> 10),
                          0xDC00 + ((code_point - 0x10000) & 0x3FF));
        }
        ASSERT_FALSE(check_json(escape)) << escape;
        const auto text = unescape_json(escape);
        const auto encoded = literal(text);
        ASSERT_FALSE(check_json(encoded)) << escape;
        ASSERT_EQ(unescape_json(encoded), text) << escape;
    }
}

TEST(JsonStrings, EscapesAreReadInAllTheirForms) {
    EXPECT_EQ(unescape_json(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(unescape_json(R"("\u0041\u00e9\u00E9\u20ac\ud83d\uDE00!")"), "Aéé€😀!");
    EXPECT_EQ(unescape_json(R"("a\u0000b")"), std::string("a\0b", 3));
    EXPECT_EQ(unescape_json(R"("\\u0041")"), "\\u0041");
}

TEST(JsonItems, StepsThroughMembersAndElements) {
    JsonItems members(R"({ "a" : 1 , "b\"" : [ "]" , { } ] ,"c":"\\"})");
    ASSERT_TRUE(members.next());
    EXPECT_EQ(members.key(), "a");
    EXPECT_EQ(members.value(), "1");
    ASSERT_TRUE(members.next());
    EXPECT_EQ(members.key(), R"(b\")");
    EXPECT_EQ(members.value(), R"([ "]" , { } ])");
    ASSERT_TRUE(members.next());
    EXPECT_EQ(members.value(), R"("\\")");
    EXPECT_FALSE(members.next());
    EXPECT_FALSE(members.next());

    JsonItems elements("[true, null]");
    ASSERT_TRUE(elements.next());
    EXPECT_EQ(elements.value(), "true");
    ASSERT_TRUE(elements.next());
    EXPECT_EQ(elements.value(), "null");
    EXPECT_FALSE(elements.next());

    for (const std::string_view empty : {"{}", "[]", "{ }", "", "7", "\"{\""}) {
        EXPECT_FALSE(JsonItems(empty).next()) << empty;
    }
}

TEST(JsonItems, StopsWhereItCannotGoOn) {
    for (const std::string_view text :
         {"{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":1", "{\"a\":\"",
          "{\"a\":\"\\", "{\"a\":[", "{\"a\":[\"", "{\"a\":[\"]", "{a:1}", "{,}", "[,]", "[1",
          "[\"\\\"]"}) {
        JsonItems items(text);
        EXPECT_FALSE(items.next()) << text;
        EXPECT_FALSE(items.next()) << text;
    }
}

}  // namespace
}  // namespace parley::protocol
