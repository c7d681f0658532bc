#include "storage/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "storage/amended_cases.hpp"
#include "storage/sqlite_searcher.hpp"
#include "storage/sqlite_store_fixture.hpp"
#include "storage/store_cases.hpp"

namespace parley::storage {
namespace {

using core::Durability;
using std::chrono::hours;
using std::chrono::milliseconds;

using SqliteStoreTest = test::SqliteFixture;

constexpr std::array both{Durability::sync, Durability::async};

TEST_F(SqliteStoreTest, ARoomThatIsNotStoredBeginsWithTheEpochThatItIsOfferedAndTakesNoPlace) {
    test::a_room_that_is_not_stored_begins_with_the_epoch_that_it_is_offered(*this);
}

TEST_F(SqliteStoreTest, GivesBackWhatWasAppendedAfterARestart) {
    test::gives_back_what_was_appended_after_a_restart(*this);
}

TEST_F(SqliteStoreTest, WhatWasAppendedBeforeARoomIsOpenedIsInIt) {
    test::what_was_appended_before_a_room_is_opened_is_in_it(*this);
}

TEST_F(SqliteStoreTest, PagesInBothDirectionsAndSaysWhetherThereIsMore) {
    test::pages_in_both_directions_and_says_whether_there_is_more(*this);
}

TEST_F(SqliteStoreTest, WordsOfALookAreThoseOfTheFile) {
    open_store();
    SqliteDatabase database(path, SqliteDatabase::Access::read);
    SqliteStatement table(database, "SELECT sql FROM sqlite_master WHERE name = 'words'");
    ASSERT_TRUE(table.step());
    const auto without_blanks = [](std::string_view text) {
        std::string out(text);
        std::erase_if(out, [](char c) { return c == ' ' || c == '\n'; });
        return out;
    };
    EXPECT_THAT(without_blanks(table.text(0)), ::testing::EndsWith(without_blanks(words_table)));
}

TEST_F(SqliteStoreTest, KeysComeBackWhileTheyAreYoung) {
    open_store();
    const auto now = core::machine_now().wall;
    append("r", 1, "old", "stale", now - std::chrono::minutes(6));
    append("r", 2, "new", "fresh", now);
    store->remember("r", {"bob", "other", 2, now});
    const auto room = opened("r");
    ASSERT_EQ(room->keys.size(), 2U);
    for (const auto& key : room->keys) {
        EXPECT_EQ(key.offset, 2U);
        EXPECT_TRUE(key.key == "fresh" || key.key == "other");
    }
}

TEST_F(SqliteStoreTest, AnEndThatLostNothingKeepsTheEpochsAndOneThatMayHaveDoesNot) {
    const auto copy = folder.file("copy.db");
    for (const auto durability : both) {
        std::filesystem::remove(path);
        open_store(durability);
        append("r", 1, "x");
        EXPECT_EQ(opened("r")->last_offset, 1U);
        // As it lies there while it is open is as a killed process would leave it.
        for (const char* part : {"", "-wal"}) {
            std::filesystem::copy_file(path + part, copy + part,
                                       std::filesystem::copy_options::overwrite_existing);
        }
        open_store(durability);
        EXPECT_EQ(opened("r", "new")->epoch.view(), "first") << "it was closed";
        const auto was = std::exchange(path, copy);
        open_store(durability);
        const auto room = opened("r", "new");
        EXPECT_EQ(room->epoch.view(), durability == Durability::sync ? "first" : "new");
        EXPECT_EQ(room->last_offset, 1U);
        EXPECT_EQ(protocol::epoch_of_message(room->newest.at(0)->json()), room->epoch.view());
        EXPECT_EQ(protocol::epoch_of_message(page("r", {2, 0, 1, 5})->messages.at(0)->json()),
                  room->epoch.view());
        store.reset();
        path = was;
    }
}

TEST_F(SqliteStoreTest, FindsWordsInTheRoomTheNewestFirst) {
    test::finds_words_in_the_room_the_newest_first(*this);
}

TEST_F(SqliteStoreTest, FindsBeginningsOfWordsHoweverManyHaveThem) {
    test::finds_beginnings_of_words_however_many_have_them(*this);
}

TEST_F(SqliteStoreTest, FindsBeginningsOfWordsBehindLongMessages) {
    test::finds_beginnings_of_words_behind_long_messages(*this);
}

// What is said all the while is gathered for a second; a search that has much to index before it,
// and what a room's rule removes, wait for none of that.
TEST_F(SqliteStoreTest, WhatIsGatheredHoldsUpNeitherSearchesNorRetention) {
    core::RoomRule few{"few"};
    few.keep_messages = 20;
    config.rooms = {few};
    open_store(Durability::async);
    std::uint64_t said = 0;
    for (; said < 19'000; ++said) {
        for (const char* room : {"a", "b", "few"}) append(room, said + 1, said == 0 ? "one" : "x");
    }
    const auto began = core::monotonic_now();
    std::vector<std::uint64_t> found;
    for (const char* room : {"a", "b"}) {
        store->search(hub.shard(0), room, {"one", 0, 5},
                      [&found](core::Stored<core::HistorySlice>&& got) {
                          found.push_back(got->messages.at(0)->offset());
                      });
    }
    ASSERT_TRUE(eventually([&] {
        if (queued() == 0) append("a", ++said, "x");
        hub.shard(0).turn(core::machine_now());
        return found.size() == 2 && counters().removed.load() >= 19'000 - 20;
    }));
    EXPECT_EQ(found, (std::vector<std::uint64_t>{1, 1}));
    // A second or two; where the 76 steps of indexing wait for what is gathered it is 25 s.
    EXPECT_LT(core::monotonic_now() - began, std::chrono::seconds(15));
}

TEST_F(SqliteStoreTest, KeepsOfARoomWhatItsRuleSays) {
    core::RoomRule few{"few.*"};
    few.keep_messages = 20;
    core::RoomRule young{"young"};
    young.keep_age = hours(1);
    core::RoomRule small{"small"};
    small.keep_bytes = 20 * json("small", 10, "wolf").size();
    config.rooms = {few, young, small};
    open_store();
    const auto now = core::machine_now().wall;
    for (std::uint64_t i = 1; i <= 50; ++i) {
        const std::string text = i == 1 ? "wolf" : "fox";
        append("few.1", i, text);
        append("small", i, text);
        append("young", i, text, {}, i <= 30 ? now - hours(2) : now);
        append("all", i, text);
    }
    EXPECT_EQ(found("few.1", "wolf"), range(1, 1));
    ASSERT_TRUE(eventually([&] { return store->counters().removed.load() >= 30 + 30 + 29; }));
    EXPECT_EQ(offsets(page("few.1", {0, 0, 50, 100})->messages), range(31, 50));
    EXPECT_EQ(offsets(page("young", {0, 0, 50, 100})->messages), range(31, 50));
    EXPECT_LE(page("small", {0, 0, 50, 100})->messages.size(), 21U);
    EXPECT_EQ(page("all", {0, 0, 50, 100})->messages.size(), 50U);
    EXPECT_TRUE(found("few.1", "wolf").empty()) << "its words have gone with it";
    EXPECT_EQ(found("few.1", "fox"), range(31, 50));
    open_store();
    EXPECT_EQ(opened("few.1")->last_offset, 50U);
}

TEST_F(SqliteStoreTest, CountsBytesAsBytes) {
    std::string umlauts;
    for (int i = 0; i < 100; ++i) umlauts += "\u00e4\u00f6\u00fc";
    config.history.keep.bytes = 10 * json("r", 10, umlauts).size();
    open_store();
    std::uint64_t last = 0;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 50; ++i) append("r", ++last, umlauts);
        ASSERT_TRUE(eventually([&] { return store->counters().removed.load() >= last - 11; }));
    }
    const auto kept = page("r", {0, 0, last, 200});
    EXPECT_GE(kept->messages.size(), 9U);
    EXPECT_LE(kept->messages.size(), 11U);
}

TEST_F(SqliteStoreTest, PagesShowNothingBeyondTheRoomsLastOffset) {
    open_store();
    for (std::uint64_t i = 1; i <= 20; ++i) append("r", i, "x");
    EXPECT_EQ(opened("r")->last_offset, 20U);
    EXPECT_EQ(offsets(page("r", {0, 5, 10, 50})->messages), range(6, 10));
    EXPECT_FALSE(page("r", {0, 5, 10, 50})->more);
    EXPECT_EQ(offsets(page("r", {16, 0, 10, 3})->messages), range(8, 10));
}

TEST_F(SqliteStoreTest, RefusesWhatDoesNotFollow) {
    open_store();
    append("r", 1, "one");
    append("r", 3, "three");
    append("r", 1, "one again");
    append("r", 2, "two");
    EXPECT_EQ(opened("r")->last_offset, 2U);
    EXPECT_EQ(store->counters().refused.load(), 2U);
    EXPECT_EQ(page("r", {3, 0, 2, 5})->messages.back()->json(), json("r", 2, "two"));
}

TEST_F(SqliteStoreTest, AnIndexThatFailsIsCountedAndHarmsNoMessage) {
    open_store();
    append("r", 1, "fox");
    EXPECT_EQ(opened("r")->last_offset, 1U);
    test::patient_writer(path).run("DROP TABLE words");
    EXPECT_TRUE(try_search("r", "fox").has_error());
    EXPECT_GT(store->counters().untidy.load(), 0U);
    append("r", 2, "on");
    EXPECT_EQ(opened("r")->last_offset, 2U);
    EXPECT_TRUE(store->accepting());
}

TEST_F(SqliteStoreTest, ARoomOfWhichNothingIsKeptGoesOnWithItsOffsets) {
    config.history.keep.age = milliseconds(1);
    open_store();
    append("r", 1, "x", {}, core::machine_now().wall - hours(1));
    ASSERT_TRUE(eventually([&] { return store->counters().removed.load() == 1; }));
    open_store();
    const auto room = opened("r");
    EXPECT_EQ(room->last_offset, 1U);
    EXPECT_TRUE(room->newest.empty());
    EXPECT_EQ(room->epoch.view(), "first");
}

TEST_F(SqliteStoreTest, AmendsEarlierMessagesInTheStepThatAppendsOne) {
    test::amends_earlier_messages_in_the_step_that_appends_one(*this);
}

TEST_F(SqliteStoreTest, AmendsWhatWasAmendedOrSaidRightBefore) {
    test::amends_what_was_amended_or_said_right_before(*this);
}

TEST_F(SqliteStoreTest, AmendsNothingWhereTheMessageIsRefusedOrTheOtherIsGone) {
    test::amends_nothing_where_the_message_is_refused_or_the_other_is_gone(*this);
}

TEST_F(SqliteStoreTest, CountsTheBytesOfWhatWasAmended) {
    config.history.keep.bytes = 6'000;
    open_store();
    std::uint64_t removed = 0;
    // Rooms are looked at in the order of their names: once this one was, "r" was too.
    const auto until_looked_at = [&](const std::string& later_room) {
        for (std::uint64_t i = 1; i <= 3; ++i) append(later_room, i, std::string(2'500, 'x'));
        EXPECT_TRUE(eventually([&] { return store->counters().removed > removed; }));
        removed = store->counters().removed;
    };
    append("r", 1, std::string(2'000, 'x'));
    append("r", 2, std::string(2'000, 'x'));
    until_looked_at("s");
    test::amend(*this, "r", 3, {{1, ""}, {2, ""}}, "");
    append("r", 4, std::string(3'000, 'x'));
    until_looked_at("t");
    EXPECT_EQ(offsets(page("r", {5, 0, 4, 20})->messages), range(1, 4)) << "far from its bound";
    append("r", 5, std::string(3'000, 'x'));
    until_looked_at("u");
    EXPECT_GT(offsets(page("r", {6, 0, 5, 20})->messages).front(), 1U) << "beyond it";
}

TEST_F(SqliteStoreTest, WhatWasDeletedIsNotInTheFileAnyMore) {
    open_store();
    append("r", 1, "wordsthatnobodyistoread");
    append("r", 2, "others");
    test::amend(*this, "r", 3, {{1, ""}}, "");
    EXPECT_EQ(opened("r")->last_offset, 3U);
    store.reset();
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_NE(bytes.find("others"), std::string::npos);
    EXPECT_EQ(bytes.find("wordsthatnobodyistoread"), std::string::npos);
}

TEST_F(SqliteStoreTest, SessionsAreKeptFromOneRunToTheNext) {
    open_store();
    const core::WallTime soon = core::WallTime(milliseconds(1'900'000'000'123));
    store->keep_sessions({{"k1", soon, "one"}, {"k2", soon + hours(1), "two"}});
    open_store();
    const auto back = store->take_sessions();
    ASSERT_EQ(back.size(), 2U);
    EXPECT_EQ(back[0].key, "k1");
    EXPECT_EQ(back[0].until, soon);
    EXPECT_EQ(back[1].state, "two");
    EXPECT_TRUE(store->take_sessions().empty());
    open_store();
    EXPECT_TRUE(store->take_sessions().empty()) << "they are good once";
}

TEST_F(SqliteStoreTest, IsOpenedByOneProcessAtATimeAndSaysWhatIsWrong) {
    open_store();
    const auto refusal = [this](const std::string& file) -> std::string {
        try {
            SqliteStore other(file, config, [](const std::string&) {});
            return "opened";
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    };
    EXPECT_EQ(refusal(path), "history " + path + ": another process is using it");
    const auto nowhere = folder.file("no/such/folder.db");
    EXPECT_NE(refusal(nowhere).find("No such file"), std::string::npos) << refusal(nowhere);
    const auto broken = folder.file("broken.db");
    std::ofstream(broken) << std::string(4096, 'x');
    EXPECT_EQ(refusal(broken), "history " + broken + ": file is not a database");
}

TEST_F(SqliteStoreTest, AFileThatCannotBeWrittenIsReportedAndRecovers) {
    for (const auto durability : both) {
        open_store(durability);
        const std::string room = durability == Durability::sync ? "a" : "b";
        append(room, 1, "before");
        EXPECT_EQ(opened(room)->last_offset, 1U);
        SqliteDatabase other = test::patient_writer(path);
        other.run("BEGIN IMMEDIATE");  // somebody else's, and long
        append(room, 2, "meanwhile");
        const auto refused = try_open(room);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, "unavailable");
        EXPECT_FALSE(store->accepting());
        EXPECT_FALSE(store->trouble().empty());
        EXPECT_EQ(offsets(page(room, {0, 0, 1, 5})->messages), range(1, 1)) << "reads go on";
        other.run("ROLLBACK");
        ASSERT_TRUE(eventually([&] { return store->accepting(); }));
        EXPECT_EQ(opened(room)->last_offset, durability == Durability::sync ? 1U : 2U);
        const std::lock_guard lock(troubles_mutex);
        EXPECT_EQ(troubles.back(), "");
    }
}

TEST(Fts5Query, QuotesEveryWord) {
    const auto query = [](std::string_view words) { return fts5_query(search_terms(words)); };
    EXPECT_EQ(query("a b"), R"("a" "b")");
    EXPECT_EQ(query("  \"a b\"  c"), R"("a b" "c")");
    EXPECT_EQ(query("pre*"), R"("pre"*)");
    EXPECT_EQ(query("a\"b"), R"("a""b")");
    EXPECT_EQ(query("\"a\tb\""), R"("a b")");
    EXPECT_EQ(query("*"), "");
}

TEST(SqliteSchema, ComesFromEveryEarlierVersionWithAllThatWasStored) {
    for (std::size_t version = 1; version <= sqlite_migrations().size(); ++version) {
        const test::Folder folder;
        const std::string path = folder.file("history.db");
        {
            SqliteDatabase database(path, SqliteDatabase::Access::write);
            for (std::size_t i = 0; i < version; ++i) {
                database.run(std::string(sqlite_migrations()[i]).c_str());
            }
            database.run(("PRAGMA user_version = " + std::to_string(version)).c_str());
            database.run(
                "INSERT INTO rooms(id, name, epoch, run) VALUES(7, 'r', 'E1', 1);"
                "INSERT INTO meta VALUES('run', 1), ('void_run', 0), ('clean', 1);");
            SqliteStatement add(database, "INSERT INTO messages(id, at, json) VALUES(?, 0, ?)");
            for (std::uint64_t i = 1; i <= 3; ++i) {
                const auto text = test::SqliteFixture::json("r", i, "hello", "E1");
                add.bind(1, message_key(7, i)).bind(2, text).run();
            }
        }
        SqliteDatabase database(path, SqliteDatabase::Access::write);
        migrate(database);
        EXPECT_EQ(database.number("PRAGMA user_version"),
                  static_cast<std::int64_t>(sqlite_migrations().size()));
        const core::Config config;
        SqliteRooms rooms(database, config);
        const auto room = rooms.open("r", {}, core::machine_now().wall);
        EXPECT_EQ(room.last_offset, 3U);
        EXPECT_EQ(room.newest.size(), 3U);
        EXPECT_EQ(room.epoch.view(), "E1");
        while (rooms.index("r", 2)) {
        }
        EXPECT_EQ(database.number("SELECT count(*) FROM words WHERE words MATCH 'hello'"), 3);
    }
}

TEST(SqliteSchema, RefusesAFileOfALaterVersion) {
    const test::Folder folder;
    const std::string path = folder.file("history.db");
    SqliteDatabase(path, SqliteDatabase::Access::write).run("PRAGMA user_version = 99");
    try {
        SqliteStore store(path, core::Config(), [](const std::string&) {});
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("schema version 99"), std::string::npos);
    }
}

}  // namespace
}  // namespace parley::storage
