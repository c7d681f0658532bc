// What every store does alike, as cases over the fixture of one (StoreFixture).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/config.hpp"

namespace parley::test {

template <typename Fixture>
void a_room_that_is_not_stored_begins_with_the_epoch_that_it_is_offered(Fixture& f) {
    f.open_store();
    const auto room = f.opened("r", "E1");
    ASSERT_TRUE(room);
    EXPECT_EQ(room->epoch.view(), "E1");
    EXPECT_EQ(room->last_offset, 0U);
    EXPECT_EQ(f.opened("r", "E2")->epoch.view(), "E2");
}

template <typename Fixture>
void gives_back_what_was_appended_after_a_restart(Fixture& f) {
    for (const auto durability : {core::Durability::sync, core::Durability::async}) {
        const std::string room = durability == core::Durability::sync ? "a" : "b";
        f.open_store(durability);
        for (std::uint64_t i = 1; i <= 25; ++i) f.append(room, i, "text " + std::to_string(i));
        f.open_store(durability);
        const auto stored = f.opened(room);
        ASSERT_TRUE(stored);
        EXPECT_EQ(stored->epoch.view(), "first");
        EXPECT_EQ(stored->last_offset, 25U);
        EXPECT_EQ(f.offsets(stored->newest), f.range(16, 25)) << "as many as memory holds";
        EXPECT_EQ(stored->newest.back()->json(), f.json(room, 25, "text 25"));
        f.append(room, 26, "one more");
        EXPECT_EQ(f.opened(room)->last_offset, 26U);
    }
}

template <typename Fixture>
void what_was_appended_before_a_room_is_opened_is_in_it(Fixture& f) {
    for (const auto durability : {core::Durability::sync, core::Durability::async}) {
        f.open_store(durability);
        const std::string room = durability == core::Durability::sync ? "a" : "b";
        for (std::uint64_t i = 1; i <= 500; ++i) {
            f.append(room, i, "x");
            if (i % 100 == 0) {
                EXPECT_EQ(f.opened(room)->last_offset, i);
            }
        }
    }
}

template <typename Fixture>
void pages_in_both_directions_and_says_whether_there_is_more(Fixture& f) {
    f.open_store(core::Durability::async);
    for (std::uint64_t i = 1; i <= 100; ++i) {
        f.append("r", i, "x");
        f.append("other", i, "y");
    }
    EXPECT_EQ(f.offsets(f.page("r", {101, 0, 100, 5})->messages), f.range(96, 100))
        << "what is queued is seen";
    for (std::uint64_t before = 1; before <= 101; before += 9) {
        const auto got = f.page("r", {before, 0, 100, 7});
        ASSERT_TRUE(got);
        EXPECT_EQ(f.offsets(got->messages), f.range(before > 7 ? before - 7 : 1, before - 1));
        EXPECT_EQ(got->more, before > 8);
    }
    for (std::uint64_t after = 0; after <= 100; after += 9) {
        const auto got = f.page("r", {0, after, 100, 7});
        ASSERT_TRUE(got);
        EXPECT_EQ(f.offsets(got->messages),
                  f.range(after + 1, std::min<std::uint64_t>(100, after + 7)));
        EXPECT_EQ(got->more, after + 7 < 100);
    }
    EXPECT_TRUE(f.page("nowhere", {10, 0, 9, 5})->messages.empty());
}

template <typename Fixture>
void finds_words_in_the_room_the_newest_first(Fixture& f) {
    f.open_store();
    f.append("r", 1, "The quick brown fox");
    f.append("r", 2, "a FOX and a h\u00e4re");
    f.append("other", 1, "fox");
    f.append("r", 3, "quick as a flash; say \"hello world\"");
    f.append("r", 4, "world, hello");
    EXPECT_EQ(f.found("r", "fox"), f.range(1, 2));
    EXPECT_EQ(f.found("r", "fox", 1), f.range(2, 2));
    EXPECT_EQ(f.found("r", "fox", 1, 2), f.range(1, 1));
    EXPECT_EQ(f.found("r", "quick fox"), f.range(1, 1)) << "all of the words";
    EXPECT_EQ(f.found("r", "hello world"), f.range(3, 4));
    EXPECT_EQ(f.found("r", "\"hello world\""), f.range(3, 3)) << "side by side";
    EXPECT_EQ(f.found("r", "qui*"), (std::vector<std::uint64_t>{1, 3}));
    EXPECT_EQ(f.found("r", "h\u00c4re"), f.range(2, 2));
    EXPECT_TRUE(f.found("r", "wolf").empty());
    EXPECT_TRUE(f.found("nowhere", "fox").empty());
    for (const char* odd : {"\"", "* *", "AND OR NOT", "a NEAR(", "text:fox", "-", "  ", "'", "\\",
                            "a' | b", "!fox", "fox:*", "<->", "100% _", "\xff", "a&b"}) {
        EXPECT_NO_THROW(static_cast<void>(f.found("r", odd))) << odd;
    }
    f.append("r", 5, "one more fox");
    EXPECT_EQ(f.found("r", "fox"), (std::vector<std::uint64_t>{1, 2, 5})) << "the newest too";
    EXPECT_EQ(f.counters().failures.load(), 0U);
}

// Of 3,000 messages: a beginning that all have, one that only old ones have, and ones beside whole
// words that all, some or none have. Each page is compared with what a look through all gives.
template <typename Fixture>
void finds_beginnings_of_words_however_many_have_them(Fixture& f) {
    f.open_store();
    constexpr std::uint64_t last = 3'000;
    std::vector<std::string> said;
    for (std::uint64_t i = 1; i <= last; ++i) {
        said.push_back("word" + std::to_string(i % 7) + (i % 2 == 0 ? " even" : " odd") +
                       (i < 500 && i % 50 == 0 ? " ancient" : "") +
                       (i % 1'000 == 0 ? " thousand" : ""));
        f.append("r", i, said.back());
        if (i % 3 == 0) f.append("other", i / 3, "word ancient thousand");
    }
    struct Case {
        std::string query;
        std::vector<std::string> parts;  // of the texts that it is to find
    };
    for (const auto& [query, parts] : std::vector<Case>{{"wo*", {"word"}},
                                                        {"word3*", {"word3"}},
                                                        {"anc*", {"ancient"}},
                                                        {"word* even", {"even"}},
                                                        {"word* odd thou*", {"odd", "thousand"}},
                                                        {"word* thousand", {"thousand"}},
                                                        {"anc* even", {"ancient", "even"}},
                                                        {"word* nowhere", {"nowhere"}},
                                                        {"- word3*", {"word3"}},
                                                        {"\u2014 anc*", {"ancient"}},
                                                        {"\"...\" wo*", {"word"}},
                                                        {"wolf*", {"wolf"}}}) {
        for (const std::uint64_t before : {last + 1, std::uint64_t{1'001}, std::uint64_t{2}}) {
            std::vector<std::uint64_t> expected;
            bool more = false;
            for (std::uint64_t i = before - 1; i >= 1 && !more; --i) {
                const bool has = std::ranges::all_of(parts, [&](const std::string& part) {
                    return said[i - 1].find(part) != std::string::npos;
                });
                if (!has) continue;
                more = expected.size() == 20;
                if (!more) expected.insert(expected.begin(), i);
            }
            const auto slice = f.searched("r", query, 20, before);
            EXPECT_EQ(f.offsets(slice->messages), expected) << query << " before " << before;
            EXPECT_EQ(slice->more, more) << query << " before " << before;
        }
    }
}

// Where a few messages are as much as a search looks through, those before them are found all the same.
template <typename Fixture>
void finds_beginnings_of_words_behind_long_messages(Fixture& f) {
    f.open_store();
    const std::string much = [] {
        std::string text;
        for (int i = 0; i < 1'000; ++i) text += "long" + std::to_string(i) + ' ';
        return text;
    }();
    f.append("r", 1, "an ancient word");
    for (std::uint64_t i = 2; i <= 100; ++i) f.append("r", i, much);
    EXPECT_EQ(f.found("r", "anc*"), f.range(1, 1));
    EXPECT_EQ(f.found("r", "an anci*"), f.range(1, 1));
    EXPECT_EQ(f.found("r", "long9*", 10), f.range(91, 100));
}

}  // namespace parley::test
