#include "protocol/utf8.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace parley::protocol {
namespace {

// RFC 3629's table of well-formed sequences, written the other way round: what a code point's only
// encoding is.
std::string encode(char32_t c) {
    const auto byte = [](char32_t value) { return static_cast<char>(value); };
    if (c < 0x80) return {byte(c)};
    if (c < 0x800) return {byte(0xC0 | (c >> 6)), byte(0x80 | (c & 0x3F))};
    if (c < 0x10000) {
        return {byte(0xE0 | (c >> 12)), byte(0x80 | ((c >> 6) & 0x3F)), byte(0x80 | (c & 0x3F))};
    }
    return {byte(0xF0 | (c >> 18)), byte(0x80 | ((c >> 12) & 0x3F)), byte(0x80 | ((c >> 6) & 0x3F)),
            byte(0x80 | (c & 0x3F))};
}

std::string bytes(std::initializer_list<unsigned> values) {
    std::string out;
    for (const unsigned value : values) out.push_back(static_cast<char>(value));
    return out;
}

// Where a validator fed byte by byte first says no.
std::optional<std::size_t> first_bad(std::string_view text) {
    Utf8Validator validator;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!validator.feed(text.substr(i, 1))) return i;
    }
    return std::nullopt;
}

TEST(Utf8Validator, KnowsEverySequenceOfOneAndTwoBytes) {
    for (unsigned a = 0; a <= 0xFF; ++a) {
        ASSERT_EQ(is_valid_utf8(bytes({a})), a < 0x80) << a;
        for (unsigned b = 0; b <= 0xFF; ++b) {
            const bool pair = a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF;
            ASSERT_EQ(is_valid_utf8(bytes({a, b})), (a < 0x80 && b < 0x80) || pair)
                << a << ' ' << b;
        }
    }
}

TEST(Utf8Validator, TakesEveryCodePointButSurrogates) {
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
        ASSERT_EQ(is_valid_utf8(encode(c)), !surrogate) << static_cast<unsigned>(c);
    }
}

TEST(Utf8Validator, RefusesWhatLiesJustBeyondTheLongSequences) {
    // Each is well-formed but for one byte, at the given place.
    const std::vector<std::pair<std::string, std::size_t>> cases{
        {bytes({0xC0, 0x80}), 0},
        {bytes({0xC1, 0xBF}), 0},
        {bytes({0xE0, 0x9F, 0xBF}), 1},
        {bytes({0xED, 0xA0, 0x80}), 1},
        {bytes({0xED, 0xBF, 0xBF}), 1},
        {bytes({0xE1, 0x7F, 0x80}), 1},
        {bytes({0xE1, 0xC0, 0x80}), 1},
        {bytes({0xE1, 0x80, 0x7F}), 2},
        {bytes({0xE1, 0x80, 0xC0}), 2},
        {bytes({0xF0, 0x8F, 0xBF, 0xBF}), 1},
        {bytes({0xF4, 0x90, 0x80, 0x80}), 1},
        {bytes({0xF5, 0x80, 0x80, 0x80}), 0},
        {bytes({0xF1, 0x80, 0x80, 0x41}), 3},
        {bytes({0xF1, 0x80, 0xC0, 0x80}), 2},
        {bytes({0xFE}), 0},
        {bytes({0xFF}), 0},
        {bytes({0x80}), 0},
        {bytes({0xC3, 0x28}), 1},
    };
    for (std::size_t before = 0; before <= 40; ++before) {
        const std::string ascii(before, 'a');
        for (const auto& [text, bad] : cases) {
            EXPECT_EQ(first_bad(ascii + text), before + bad);
            EXPECT_FALSE(is_valid_utf8(ascii + text + "more"));
        }
    }
}

TEST(Utf8Validator, GivesTheSameAnswerAtEverySplitPoint) {
    const std::string text =
        "plain, gr\xC3\xBC\xC3\x9F, \xE2\x82\xAC\xE2\x82\xAC, \xF0\x9F\x98\x80, "
        "and a tail of ASCII that is longer than one block";
    for (std::size_t split = 0; split <= text.size(); ++split) {
        Utf8Validator validator;
        ASSERT_TRUE(validator.feed(std::string_view(text).substr(0, split))) << split;
        ASSERT_TRUE(validator.feed(std::string_view(text).substr(split))) << split;
        ASSERT_TRUE(validator.complete()) << split;
    }
}

TEST(Utf8Validator, FindsOneBadByteAnywhereInARunOfAscii) {
    for (std::size_t length = 1; length <= 70; ++length) {
        for (std::size_t bad = 0; bad < length; ++bad) {
            std::string text(length, 'a');
            ASSERT_TRUE(is_valid_utf8(text));
            text[bad] = '\xBF';
            ASSERT_FALSE(is_valid_utf8(text)) << bad << " of " << length;
        }
    }
}

TEST(Utf8Validator, IsIncompleteWithinACharacterOnly) {
    for (const std::string text : {"\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
        Utf8Validator validator;
        for (std::size_t i = 0; i < text.size(); ++i) {
            EXPECT_TRUE(validator.feed(text.substr(i, 1)));
            EXPECT_EQ(validator.complete(), i + 1 == text.size());
        }
        EXPECT_TRUE(validator.feed(text.substr(0, 1)));
        validator.reset();
        EXPECT_TRUE(validator.complete());
    }
}

}  // namespace
}  // namespace parley::protocol
