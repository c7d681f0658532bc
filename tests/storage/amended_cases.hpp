// What every store does with Unsaved::amended, as cases over the fixture of one.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/history_store.hpp"

namespace parley::test {

// Of the messages with those offsets, as the room has them from now on.
struct Changed {
    std::uint64_t offset;
    std::string text;
};

// Appends a message that changes those.
template <typename Fixture>
void amend(Fixture& f, const std::string& room, std::uint64_t offset,
           const std::vector<Changed>& changes, const std::string& text = "changed") {
    core::Unsaved unsaved{core::Retained::make(offset, f.json(room, offset, text)), "", "",
                          core::machine_now().wall};
    for (const Changed& change : changes) {
        unsaved.amended.push_back(
            core::Retained::make(change.offset, f.json(room, change.offset, change.text)));
    }
    f.store->append(f.hub.shard(0), room, std::move(unsaved), ++f.ticket);
}

// Of the room's page with that message alone, behind what was appended.
template <typename Fixture>
std::string stored_json(Fixture& f, const std::string& room, std::uint64_t offset) {
    core::StoredPage asked{offset + 1, 0, offset, 1};
    asked.behind_appends = true;
    const auto page = f.page(room, asked);
    return page->messages.empty() ? "" : std::string(page->messages.front()->json());
}

template <typename Fixture>
void wait_for_removed(Fixture& f, std::uint64_t messages) {
    const auto give_up = core::monotonic_now() + std::chrono::seconds(120);
    while (std::as_const(*f.store).counters().removed.load() < messages) {
        ASSERT_LT(core::monotonic_now(), give_up);
        std::this_thread::yield();
    }
}

template <typename Fixture>
void amends_earlier_messages_in_the_step_that_appends_one(Fixture& f) {
    for (const auto durability : {core::Durability::sync, core::Durability::async}) {
        f.open_store(durability);
        const bool sync = durability == core::Durability::sync;
        const std::string r = sync ? "a" : "b";
        for (std::uint64_t i = 1; i <= 20; ++i) f.append(r, i, "secret n" + std::to_string(i));
        if (!sync) {
            EXPECT_EQ(f.found(r, "n3"), f.range(3, 3)) << "the index knows them already";
        }
        amend(f, r, 21, {{3, "public"}, {17, "other"}});
        EXPECT_EQ(stored_json(f, r, 3), f.json(r, 3, "public")) << "though it may be queued yet";
        EXPECT_EQ(f.found(r, "n3"), f.range(1, 0));
        EXPECT_EQ(f.found(r, "public"), f.range(3, 3));
        EXPECT_EQ(f.found(r, "other"), f.range(17, 17));
        EXPECT_EQ(f.found(r, "secret").size(), 18U);
        const auto room = f.opened(r);
        ASSERT_EQ(room->newest.size(), 10U);
        EXPECT_EQ(room->newest.at(5)->json(), f.json(r, 17, "other"));
        f.open_store(durability);
        EXPECT_EQ(stored_json(f, r, 3), f.json(r, 3, "public"));
        EXPECT_EQ(f.opened(r)->last_offset, 21U);
    }
}

// All of it may be one transaction, in which the last change holds.
template <typename Fixture>
void amends_what_was_amended_or_said_right_before(Fixture& f) {
    for (const auto durability : {core::Durability::sync, core::Durability::async}) {
        f.open_store(durability);
        const std::string r = durability == core::Durability::sync ? "a" : "b";
        for (std::uint64_t i = 1; i <= 5; ++i) f.append(r, i, "said");
        amend(f, r, 6, {{2, "once"}}, "by once");
        amend(f, r, 7, {{2, "twice"}, {6, "by nothing"}}, "by twice");
        f.append(r, 8, "new");
        amend(f, r, 9, {{8, "newer"}});
        amend(f, r, 10, {{2, "thrice"}, {7, "by nothing"}}, "by thrice");
        const std::vector<std::string> texts{"said",    "thrice",     "said",       "said",
                                             "said",    "by nothing", "by nothing", "newer",
                                             "changed", "by thrice"};
        const auto check = [&] {
            const auto room = f.opened(r);
            ASSERT_EQ(room->newest.size(), texts.size());
            for (std::uint64_t i = 1; i <= texts.size(); ++i) {
                EXPECT_EQ(room->newest[i - 1]->json(), f.json(r, i, texts[i - 1]));
                EXPECT_EQ(stored_json(f, r, i), f.json(r, i, texts[i - 1]));
            }
            EXPECT_EQ(f.found(r, "once"), f.range(1, 0));
            EXPECT_EQ(f.found(r, "twice"), f.range(1, 0));
            EXPECT_EQ(f.found(r, "thrice"), (std::vector<std::uint64_t>{2, 10}));
            EXPECT_EQ(f.found(r, "newer"), f.range(8, 8));
        };
        check();
        f.open_store(durability);
        check();
    }
}

template <typename Fixture>
void amends_nothing_where_the_message_is_refused_or_the_other_is_gone(Fixture& f) {
    f.config.history.keep.messages = 5;
    f.open_store();
    for (std::uint64_t i = 1; i <= 20; ++i) f.append("r", i, "text");
    ASSERT_NO_FATAL_FAILURE(wait_for_removed(f, 15));
    amend(f, "r", 30, {{18, "other"}});             // does not follow
    amend(f, "r", 21, {{2, "other"}}, "the last");  // of which nothing is left
    const auto room = f.opened("r");
    EXPECT_EQ(room->last_offset, 21U);
    EXPECT_EQ(room->newest.back()->json(), f.json("r", 21, "the last"));
    EXPECT_GE(f.offsets(f.page("r", {22, 0, 21, 10})->messages).front(), 16U);
    EXPECT_TRUE(f.found("r", "other").empty());
}

}  // namespace parley::test
