#include "core/history.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "support/publications.hpp"

namespace parley::core {
namespace {

RetainedPtr message(std::uint64_t offset, std::string json = "m") {
    return Retained::copy_of(*test::message(offset, std::move(json)));
}

constexpr std::size_t roomy = 1 << 20;

HistoryConfig holding(std::size_t messages, std::size_t bytes) {
    HistoryConfig config;
    config.messages = messages;
    config.bytes = bytes;
    return config;
}

History filled(std::uint64_t messages, std::size_t most) {
    History history;
    for (std::uint64_t offset = 1; offset <= messages; ++offset) {
        history.append(message(offset), holding(most, roomy));
    }
    return history;
}

std::vector<std::uint64_t> offsets(const HistorySlice& slice) {
    std::vector<std::uint64_t> found;
    for (const auto& publication : slice.messages) found.push_back(publication->offset());
    return found;
}

std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> all;
    for (auto offset = from; offset <= to; ++offset) all.push_back(offset);
    return all;
}

TEST(History, KeepsTheNewestUpToItsCount) {
    for (std::uint64_t total = 0; total < 40; ++total) {
        for (const std::size_t most : {0u, 1u, 2u, 7u, 16u, 39u}) {
            const auto history = filled(total, most);
            const auto kept = std::min<std::uint64_t>(total, most);
            ASSERT_EQ(history.size(), kept);
            ASSERT_EQ(history.empty(), kept == 0);
            ASSERT_EQ(history.last_offset(), total);
            ASSERT_EQ(offsets(history.last(1000)), range(total - kept + 1, total));
        }
    }
}

TEST(History, KeepsNoMoreBytesThanItsBound) {
    History history;
    const auto cost = message(1, std::string(100, 'x'))->cost();
    for (std::uint64_t offset = 1; offset <= 50; ++offset) {
        history.append(message(offset, std::string(100, 'x')), holding(1000, 10 * cost + 1));
        ASSERT_EQ(history.size(), std::min<std::uint64_t>(offset, 10));
    }
    // One that is larger than everything leaves nothing, and the numbering goes on.
    history.append(message(51, std::string(100 * cost, 'x')), holding(1000, 10 * cost));
    EXPECT_TRUE(history.empty());
    EXPECT_EQ(history.last_offset(), 51u);
    history.append(message(52), holding(1000, 10 * cost));
    EXPECT_EQ(offsets(history.last(10)), range(52, 52));
}

TEST(History, PagesForwardAsTheDefinitionSays) {
    for (const std::uint64_t total : {0u, 1u, 5u, 12u}) {
        const auto history = filled(total, 8);
        const auto first = total - history.size() + 1;
        for (std::uint64_t after = 0; after < total + 3; ++after) {
            for (std::size_t most = 0; most < 10; ++most) {
                const auto slice = history.after(after, most);
                const auto from = std::max(first, after + 1);
                const auto to = std::min(total, from + most - 1);
                ASSERT_EQ(offsets(slice), range(from, to)) << total << ' ' << after << ' ' << most;
                ASSERT_EQ(slice.more, from <= total && to < total);
            }
        }
    }
}

TEST(History, PagesBackwardAsTheDefinitionSays) {
    for (const std::uint64_t total : {0u, 1u, 5u, 12u}) {
        const auto history = filled(total, 8);
        const auto first = total - history.size() + 1;
        for (std::uint64_t before = 0; before < total + 3; ++before) {
            for (std::size_t most = 0; most < 10; ++most) {
                const auto slice = history.before(before, most);
                const auto end = std::max(first, std::min(total + 1, before));
                const auto from = end - std::min<std::uint64_t>(most, end - first);
                ASSERT_EQ(offsets(slice), range(from, end - 1))
                    << total << ' ' << before << ' ' << most;
                ASSERT_EQ(slice.more, from > first);
            }
        }
    }
}

TEST(History, CanBeReadBackPageByPage) {
    const auto history = filled(100, 50);
    std::vector<std::uint64_t> seen;
    std::uint64_t before = history.last_offset() + 1;
    for (bool more = true; more;) {
        const auto slice = history.before(before, 7);
        more = slice.more;
        const auto page = offsets(slice);
        seen.insert(seen.begin(), page.begin(), page.end());
        before = page.front();
    }
    EXPECT_EQ(seen, range(51, 100));
}

TEST(History, KnowsHowFarBackItReaches) {
    for (const std::uint64_t total : {0u, 1u, 3u, 9u}) {
        const auto history = filled(total, 4);
        const auto first = total - history.size() + 1;
        for (std::uint64_t offset = 0; offset < total + 3; ++offset) {
            // Everything after it is retained, and it was given at all.
            ASSERT_EQ(history.reaches_back_to(offset), offset <= total && offset + 1 >= first)
                << total << ' ' << offset;
        }
        EXPECT_FALSE(history.reaches_back_to(std::numeric_limits<std::uint64_t>::max()));
    }
}

TEST(History, ThatForgotEverythingReachesBackToItsEndOnly) {
    const auto history = filled(5, 0);
    EXPECT_TRUE(history.reaches_back_to(5));
    EXPECT_FALSE(history.reaches_back_to(4));
    EXPECT_FALSE(history.reaches_back_to(6));
}

}  // namespace
}  // namespace parley::core
