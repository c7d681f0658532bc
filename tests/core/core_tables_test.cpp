#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/audience.hpp"
#include "core/close_reason.hpp"
#include "core/errc.hpp"
#include "core/metrics.hpp"

namespace parley::core {
namespace {

TEST(Errc, NamesEveryCodeOfTheProtocolOnce) {
    std::set<std::string_view> names;
    for (const auto& row : errc_rows) {
        names.insert(row.name);
        EXPECT_FALSE(row.text.empty());
        EXPECT_EQ(&row_of(row.value), &row);
    }
    const std::set<std::string_view> protocol{
        "bad_request", "unauthorized", "forbidden",    "not_joined",  "not_found",
        "conflict",    "too_large",    "rate_limited", "unavailable", "internal"};
    EXPECT_EQ(names, protocol);
}

TEST(CloseReason, SaysByItsRangeWhetherToComeBack) {
    std::set<std::uint16_t> codes;
    std::set<std::string_view> names;
    for (const auto& reason : all_close_reasons) {
        EXPECT_TRUE(codes.insert(reason.code).second) << reason.code;
        EXPECT_TRUE(names.insert(reason.name).second) << reason.name;
        // RFC 6455, 5.5: a close frame's payload has at most 125 bytes, two of them the code.
        EXPECT_LE(reason.text.size(), 123u);
        if (reason.code >= 4000) {
            EXPECT_EQ(may_reconnect(reason), reason.code >= 4100) << reason.code;
        }
    }
    EXPECT_TRUE(may_reconnect(close_reasons::draining));
    EXPECT_TRUE(may_reconnect(close_reasons::overloaded));
    EXPECT_TRUE(may_reconnect(close_reasons::vanished));
    EXPECT_FALSE(may_reconnect(close_reasons::normal));
    EXPECT_FALSE(may_reconnect(close_reasons::policy));
}

TEST(Metric, HasANameOfItsOwnForEveryValue) {
    std::set<std::string_view> names;
    for (int i = 0; i < static_cast<int>(Metric::end_); ++i) {
        const auto name = name_of(static_cast<Metric>(i));
        EXPECT_NE(name, "unknown") << i;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
}

TEST(ShardMetrics, CountsEachMetricApart) {
    ShardMetrics metrics;
    metrics.add(Metric::writes);
    metrics.add(Metric::gaps, 41);
    metrics.add(Metric::gaps);
    for (int i = 0; i < static_cast<int>(Metric::end_); ++i) {
        const auto metric = static_cast<Metric>(i);
        const auto expected = metric == Metric::writes ? 1u : metric == Metric::gaps ? 42u : 0u;
        EXPECT_EQ(metrics.read(metric), expected);
    }
}

// What a pattern means, the slow way: a star is nothing, or one character and the star again.
bool matches_naively(std::string_view pattern, std::string_view name) {
    if (pattern.empty()) return name.empty();
    if (pattern.front() == '*') {
        return matches_naively(pattern.substr(1), name) ||
               (!name.empty() && matches_naively(pattern, name.substr(1)));
    }
    return !name.empty() && pattern.front() == name.front() &&
           matches_naively(pattern.substr(1), name.substr(1));
}

// Every text over the alphabet of up to `longest` characters.
std::vector<std::string> all_texts(const std::string& alphabet, std::size_t longest) {
    std::vector<std::string> texts{""};
    for (std::size_t first = 0, length = 1; length <= longest; ++length) {
        const auto end = texts.size();
        for (; first < end; ++first) {
            for (const char c : alphabet) texts.push_back(texts[first] + c);
        }
    }
    return texts;
}

TEST(RoomRule, MatchesAsTheDefinitionSaysForEveryShortPatternAndName) {
    const auto names = all_texts("ab", 5);
    for (const auto& pattern : all_texts("ab*", 5)) {
        for (const auto& name : names) {
            ASSERT_EQ(matches(pattern, name), matches_naively(pattern, name))
                << pattern << " and " << name;
        }
    }
}

TEST(RoomRule, IsDecidedByTheFirstThatMatches) {
    const std::vector<RoomRule> rules{
        {"ticker-*", OnLag::latest}, {"*-live", OnLag::gap}, {"ticker-live", OnLag::disconnect}};
    EXPECT_EQ(lag_policy_of(rules, "ticker-live"), OnLag::latest);
    EXPECT_EQ(lag_policy_of(rules, "news-live"), OnLag::gap);
    EXPECT_EQ(lag_policy_of(rules, "lobby"), OnLag::disconnect);
    EXPECT_EQ(lag_policy_of({}, "lobby"), OnLag::disconnect);
}

}  // namespace
}  // namespace parley::core
