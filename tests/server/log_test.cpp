#include "transports/log.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <sstream>

#include "protocol/utf8.hpp"

namespace parley::transports::log {
namespace {

using namespace std::string_literals;

TEST(Log, RendersFieldsAsTextWithQuotesOnlyWhereTheyAreNeeded) {
    EXPECT_EQ(render(Format::text, "listening", {{"address", "127.0.0.1:80"}, {"n", 3}}),
              "listening address=127.0.0.1:80 n=3");
    EXPECT_EQ(render(Format::text, "x", {{"a", "two words"}, {"b", ""}, {"c", "say \"hi\""}}),
              R"(x a="two words" b="" c="say \"hi\"")");
    EXPECT_EQ(render(Format::text, "x", {{"t", true}, {"d", 0.5}, {"i", -1}, {"u", 7U}}),
              "x t=true d=0.5 i=-1 u=7");
}

TEST(Log, CanNotBeMadeToWriteASecondLine) {
    for (const auto format : {Format::text, Format::json}) {
        const auto line = render(format, "a\nb\r", {{"k", "c\nd"}});
        EXPECT_EQ(line.find('\n'), std::string::npos) << line;
        EXPECT_EQ(line.find('\r'), std::string::npos) << line;
    }
}

TEST(Log, RendersEveryByteAsJsonThatReadsBack) {
    for (int c = 0; c < 0x80; ++c) {
        const std::string value = "a"s + static_cast<char>(c) + "z";
        const auto parsed = boost::json::parse(
            std::string("{").append(render(Format::json, value, {{"key", value}})) + "}");
        EXPECT_EQ(parsed.at("msg").as_string(), value) << c;
        EXPECT_EQ(parsed.at("key").as_string(), value) << c;
    }
}

TEST(Log, KeepsUtf8AndReplacesWhatIsNot) {
    EXPECT_EQ(render(Format::json, "é", {}), "\"msg\":\"é\"");
    for (int c = 0x80; c < 0x100; ++c) {
        for (const auto format : {Format::text, Format::json}) {
            const std::string value = "a"s + static_cast<char>(c);
            EXPECT_TRUE(protocol::is_valid_utf8(render(format, value, {{"key", value}}))) << c;
        }
    }
}

TEST(Log, RendersNumbersAsJsonNumbers) {
    const auto nan = std::nan("");
    EXPECT_EQ(render(Format::json, "x",
                     {{"least", std::numeric_limits<std::int64_t>::min()},
                      {"most", std::numeric_limits<std::uint64_t>::max()},
                      {"nan", nan},
                      {"half", 0.5},
                      {"no", false}}),
              "\"msg\":\"x\",\"least\":-9223372036854775808,\"most\":18446744073709551615,"
              "\"nan\":null,\"half\":0.5,\"no\":false");
}

TEST(Log, WritesWholeLinesOfJsonAboveItsLevel) {
    testing::internal::CaptureStderr();
    set_up(Level::info, Format::json);
    info("listening", {{"address", "[::1]:1"}});
    debug("not this");
    set_level(Level::warn);
    info("nor this");
    error("but this");
    set_up(Level::info, Format::text);
    info("plain", {{"k", "v"}});
    std::istringstream lines(testing::internal::GetCapturedStderr());

    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    const auto first = boost::json::parse(line);
    EXPECT_EQ(first.at("level").as_string(), "info");
    EXPECT_EQ(first.at("msg").as_string(), "listening");
    EXPECT_EQ(first.at("address").as_string(), "[::1]:1");
    EXPECT_EQ(first.at("time").as_string().size(), "2026-01-31T23:59:59.999Z"s.size());
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(boost::json::parse(line).at("msg").as_string(), "but this");
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(line.substr("2026-01-31T23:59:59.999Z "s.size()), "info plain k=v");
    EXPECT_FALSE(std::getline(lines, line)) << line;
}

TEST(Log, KnowsItsLevelsAndFormatsByName) {
    for (const auto level : {Level::debug, Level::info, Level::warn, Level::error, Level::off}) {
        EXPECT_EQ(level_from(name_of(level)), level);
    }
    for (const auto format : {Format::text, Format::json}) {
        EXPECT_EQ(format_from(name_of(format)), format);
    }
    EXPECT_EQ(level_from("loud"), std::nullopt);
    EXPECT_EQ(format_from(""), std::nullopt);
}

}  // namespace
}  // namespace parley::transports::log
