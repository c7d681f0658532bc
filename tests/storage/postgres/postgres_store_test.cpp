#include "storage/postgres_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "postgres_store_fixture.hpp"
#include "storage/store_cases.hpp"

namespace parley::storage {
namespace {

using core::Durability;
using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

using PostgresStoreTest = test::PostgresFixture;

TEST_F(PostgresStoreTest, ARoomThatIsNotStoredBeginsWithTheEpochThatItIsOfferedAndTakesNoPlace) {
    test::a_room_that_is_not_stored_begins_with_the_epoch_that_it_is_offered(*this);
    EXPECT_TRUE(cluster.query(database, "SELECT name FROM parley_rooms").empty());
}

TEST_F(PostgresStoreTest, GivesBackWhatWasAppendedAfterARestart) {
    test::gives_back_what_was_appended_after_a_restart(*this);
}

TEST_F(PostgresStoreTest, WhatWasAppendedBeforeARoomIsOpenedIsInIt) {
    test::what_was_appended_before_a_room_is_opened_is_in_it(*this);
}

TEST_F(PostgresStoreTest, PagesInBothDirectionsAndSaysWhetherThereIsMore) {
    test::pages_in_both_directions_and_says_whether_there_is_more(*this);
}

TEST_F(PostgresStoreTest, StoresManyRoomsAndLargeMessagesInOneBatch) {
    for (const auto durability : test::both_durabilities) {
        open_store(durability);
        const std::string stem = durability == Durability::sync ? "a" : "b";
        for (std::uint64_t i = 1; i <= 20; ++i) {
            for (int room = 0; room < 50; ++room) {
                append(stem + std::to_string(room), i, std::string(room == 7 ? 60'000 : 20, 'x'));
            }
        }
        for (int room = 0; room < 50; ++room) {
            EXPECT_EQ(opened(stem + std::to_string(room))->last_offset, 20U);
            EXPECT_EQ(stored(stem + std::to_string(room)), range(1, 20));
        }
    }
}

TEST_F(PostgresStoreTest, AMessageThatDoesNotFollowWhatIsStoredIsForgottenWithSync) {
    open_store();
    append("r", 1, "one");
    append("r", 3, "three");
    append("r", 4, "four");
    append("r", 2, "two");
    append("r", 3, "three again");
    EXPECT_EQ(opened("r")->last_offset, 3U);
    EXPECT_EQ(counters().refused.load(), 2U);
    EXPECT_EQ(page("r", {4, 0, 3, 1})->messages.at(0)->json(), json("r", 3, "three again"));
}

TEST_F(PostgresStoreTest, AMessageThatIsNoTextHarmsNobodyElse) {
    for (const auto durability : test::both_durabilities) {
        open_store(durability);
        const std::string room = durability == Durability::sync ? "a" : "b";
        append(room, 1, "before");
        store->append(
            hub.shard(0), "odd",
            {core::Retained::make(1, json("odd", 1, "\xff\xfe")), "", "", core::machine_now().wall},
            ++ticket);
        append(room, 2, "behind");
        EXPECT_EQ(opened(room)->last_offset, 2U);
        EXPECT_EQ(opened("odd")->last_offset, 0U);
        EXPECT_EQ(counters().refused.load(), 1U);
        EXPECT_TRUE(store->accepting());
    }
}

TEST_F(PostgresStoreTest, KeysComeBackWhileTheyAreYoung) {
    open_store();
    const auto now = core::machine_now().wall;
    append("r", 1, "old", "stale", now - std::chrono::minutes(6));
    append("r", 2, "new", "fresh", now);
    store->remember("r", {"bob", std::string("od\0d\xff", 5), 2, now});
    store->remember("r", {"bob", std::string("od\0d\xff", 5), 2, now});
    store->remember("never", {"bob", "other", 2, now});
    const auto room = opened("r");
    ASSERT_EQ(room->keys.size(), 2U);
    for (const auto& key : room->keys) {
        EXPECT_EQ(key.offset, 2U);
        EXPECT_LT(std::chrono::abs(key.at - now), milliseconds(1));
        EXPECT_TRUE(key.key == "fresh" || key.key == std::string("od\0d\xff", 5));
    }
    // What is too old goes, soon after a start.
    open_store();
    eventually(
        [&] { return cluster.query(database, "SELECT count(*) FROM parley_keys").at(0) == "2"; });
}

TEST_F(PostgresStoreTest, AKeyThatComesBeforeItsRoomsFirstMessageIsKept) {
    open_store(Durability::async);
    EXPECT_EQ(opened("r", "first")->last_offset, 0U);
    store->remember("r", {"ann", "k", 1, core::machine_now().wall});
    static_cast<void>(opened("r", "other"));
    append("r", 1, "x");
    const auto room = opened("r", "last");
    EXPECT_EQ(room->epoch.view(), "first");
    ASSERT_EQ(room->keys.size(), 1U);
    EXPECT_EQ(room->keys[0].key, "k");
}

TEST_F(PostgresStoreTest, AnEndThatLostNothingKeepsTheEpochsAndOneThatMayHaveDoesNot) {
    for (const auto durability : test::both_durabilities) {
        for (const bool clean : {true, false}) {
            const std::string room = "r" + std::to_string(ticket);
            open_store(durability);
            append(room, 1, "x", "key");
            if (durability == Durability::async) {
                store->remember(room, {"ann", "of none", 2, core::machine_now().wall});
            }
            EXPECT_EQ(opened(room)->last_offset, 1U);
            store.reset();
            EXPECT_EQ(
                cluster.query(database, "SELECT value FROM parley_meta WHERE name = 'clean'").at(0),
                "1");
            // As a process that was killed leaves it.
            if (!clean) {
                cluster.query(database, "UPDATE parley_meta SET value = 0 WHERE name = 'clean'");
            }
            open_store(durability);
            const auto stored = opened(room, "new");
            const bool same = clean || durability == Durability::sync;
            EXPECT_EQ(stored->epoch.view(), same ? "first" : "new");
            EXPECT_EQ(stored->last_offset, 1U);
            EXPECT_EQ(stored->keys.size(), 1U) << "of the message that is there";
            EXPECT_EQ(protocol::epoch_of_message(stored->newest.at(0)->json()),
                      stored->epoch.view());
            EXPECT_EQ(protocol::epoch_of_message(page(room, {2, 0, 1, 5})->messages.at(0)->json()),
                      stored->epoch.view());
            // The epoch that it got then stays.
            open_store(durability);
            EXPECT_EQ(opened(room, "newer")->epoch.view(), stored->epoch.view());
        }
    }
}

TEST_F(PostgresStoreTest, FindsWordsInTheRoomTheNewestFirst) {
    test::finds_words_in_the_room_the_newest_first(*this);
}

TEST_F(PostgresStoreTest, FindsBeginningsOfWordsHoweverManyHaveThem) {
    test::finds_beginnings_of_words_however_many_have_them(*this);
}

TEST_F(PostgresStoreTest, FindsBeginningsOfWordsBehindLongMessages) {
    test::finds_beginnings_of_words_behind_long_messages(*this);
}

TEST_F(PostgresStoreTest, FindsInALongRoomWhatIsThereWhateverIsIndexed) {
    open_store(Durability::async);
    const std::vector<std::string> said{"common",       "common fox", "foo-bar common",
                                        "wolf \\ 100%", "data_base",  "http://example.com/a?b=c"};
    std::mt19937 luck(7);
    std::vector<std::string> texts;
    for (std::uint64_t i = 1; i <= 3'000; ++i) {
        const bool rare = luck() % 500 == 0;
        texts.push_back(rare ? "a needle" : said[luck() % said.size()]);
        append("r", i, texts.back());
        if (i % 3 == 0) append("other", i / 3, "needle common fox wolf");
    }
    const auto expected = [&](const std::vector<std::string>& words, std::uint64_t before) {
        std::vector<std::uint64_t> all;
        for (std::uint64_t i = before - 1; i >= 1 && all.size() < 20; --i) {
            const bool has = std::ranges::all_of(words, [&](const std::string& word) {
                return texts[i - 1].find(word) != std::string::npos;
            });
            if (has) all.insert(all.begin(), i);
        }
        return all;
    };
    const auto check = [&] {
        for (const std::uint64_t before : std::vector<std::uint64_t>{3'001, 2'000, 65, 64, 2}) {
            EXPECT_EQ(found("r", "common", 20, before), expected({"common"}, before));
            EXPECT_EQ(found("r", "needle", 20, before), expected({"needle"}, before));
            EXPECT_EQ(found("r", "fox common", 20, before), expected({"common fox"}, before));
            EXPECT_EQ(found("r", "foo-bar", 20, before), expected({"foo-bar"}, before));
            EXPECT_EQ(found("r", "\"common fox\"", 20, before), expected({"common fox"}, before));
            EXPECT_EQ(found("r", "100%", 20, before), expected({"100%"}, before));
            EXPECT_EQ(found("r", "data_base", 20, before), expected({"data_base"}, before));
            EXPECT_EQ(found("r", "example.com", 20, before), expected({"example.com"}, before));
        }
    };
    check();
    EXPECT_TRUE(searched("r", "common", 20)->more);
    EXPECT_FALSE(searched("r", "needle", 50)->more);
    // Once nothing is said for a while the rest is indexed too.
    eventually([&] {
        return cluster.query(database, "SELECT indexed_to FROM parley_rooms WHERE name = 'r'")
                   .at(0) == "2944";
    });
    check();
}

TEST_F(PostgresStoreTest, FindsInTextsWithMoreWordsThanPostgresTakes) {
    open_store(Durability::async);
    std::string many;
    for (int i = 0; many.size() < 60'000; ++i) many += "w" + std::to_string(1'000'000 + i) + " ";
    for (std::uint64_t i = 1; i <= 64; ++i) append("r", i, many + (i == 9 ? "needle" : "x"));
    append("r", 65, "with \\u0000 and a needle");
    append("r", 66, std::string("a needle and \0 too", 18));
    for (std::uint64_t i = 67; i <= 400; ++i) append("r", i, "x");
    EXPECT_EQ(found("r", "needle"), (std::vector<std::uint64_t>{9, 65, 66}));
    EXPECT_EQ(found("r", "needle", 50, 20), range(9, 9));
}

TEST_F(PostgresStoreTest, KeepsOfARoomWhatItsRuleSays) {
    core::RoomRule few{"few.*"};
    few.keep_messages = 20;
    core::RoomRule young{"young"};
    young.keep_age = hours(1);
    core::RoomRule small{"small"};
    small.keep_bytes = 20 * json("small", 50, "fox").size();
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
    eventually([&] { return counters().removed.load() >= 30 + 30 + 30; });
    EXPECT_EQ(offsets(page("few.1", {0, 0, 50, 100})->messages), range(31, 50));
    EXPECT_EQ(offsets(page("young", {0, 0, 50, 100})->messages), range(31, 50));
    EXPECT_EQ(offsets(page("small", {0, 0, 50, 100})->messages), range(31, 50));
    EXPECT_EQ(page("all", {0, 0, 50, 100})->messages.size(), 50U);
    EXPECT_TRUE(found("few.1", "wolf").empty());
    EXPECT_EQ(found("few.1", "fox"), range(31, 50));
    open_store();
    EXPECT_EQ(opened("few.1")->last_offset, 50U);
    for (std::uint64_t i = 51; i <= 60; ++i) append("small", i, "fox");
    eventually([&] { return stored("small") == range(41, 60); });
}

TEST_F(PostgresStoreTest, ARoomThatIsNotWrittenToIsLookedAfterToo) {
    open_store();
    for (std::uint64_t i = 1; i <= 3'000; ++i) append("r", i, "fox");
    EXPECT_EQ(opened("r")->last_offset, 3'000U);
    config.history.keep.messages = 10;
    open_store();
    eventually([&] { return stored("r") == range(2'991, 3'000); });
    EXPECT_EQ(counters().removed.load(), 2'990U);
    eventually([&] {
        return cluster.query(database, "SELECT count(*) FROM parley_blocks WHERE block < 46")
                   .at(0) == "0";
    });
    EXPECT_EQ(found("r", "fox"), range(2'991, 3'000));
}

TEST_F(PostgresStoreTest, ARoomOfWhichNothingIsKeptGoesOnWithItsOffsets) {
    config.history.keep.age = milliseconds(1);
    open_store();
    append("r", 1, "x", {}, core::machine_now().wall - hours(1));
    eventually([&] { return counters().removed.load() == 1; });
    open_store();
    const auto room = opened("r");
    EXPECT_EQ(room->last_offset, 1U);
    EXPECT_TRUE(room->newest.empty());
    EXPECT_EQ(room->epoch.view(), "first");
    append("r", 2, "x");
    EXPECT_EQ(opened("r")->last_offset, 2U);
}

TEST_F(PostgresStoreTest, SessionsAreKeptFromOneRunToTheNext) {
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
    store->keep_sessions({});
    open_store();
    EXPECT_TRUE(store->take_sessions().empty()) << "they are good once";
}

TEST_F(PostgresStoreTest, HasADatabaseForItselfAndSaysWhatIsWrong) {
    open_store();
    const auto refusal = [this](const std::string& spec) -> std::string {
        try {
            PostgresStore other(spec, config, [](const std::string&) {});
            return "opened";
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    };
    EXPECT_THAT(refusal("postgres:" + cluster.target(database)),
                HasSubstr("another parleyd has the database in use"));
    EXPECT_THAT(refusal("postgres:" + cluster.target("nosuch")),
                HasSubstr("database \"nosuch\" does not exist"));
    EXPECT_THAT(refusal("postgres:host=/nowhere dbname=x password=hush"),
                AllOf(HasSubstr("/nowhere"), Not(HasSubstr("hush"))));
    EXPECT_THAT(refusal("postgres:"), HasSubstr("not named"));
    EXPECT_THAT(refusal("postgres:postgresql://ann:hush%zz@host/db"),
                AllOf(HasSubstr("can't be read"), Not(HasSubstr("hush"))));
    EXPECT_THAT(refusal("postgres:host=h hush"),
                AllOf(HasSubstr("can't be read"), Not(HasSubstr("hush"))));
    const std::string latin = database + "_latin";
    cluster.query("postgres",
                  "CREATE DATABASE " + latin + " ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    EXPECT_THAT(refusal("postgres:" + cluster.target(latin)), HasSubstr("expected UTF8"));
    store.reset();
    EXPECT_EQ(refusal("postgres:" + cluster.target(database)), "opened");
    EXPECT_EQ(refusal("postgresql:///" + database + "?user=parley&host=" +
                      cluster.query(database, "SHOW unix_socket_directories").at(0)),
              "opened");
}

TEST_F(PostgresStoreTest, AnotherSchemaOfTheDatabaseIsAnotherStore) {
    cluster.query(database, "CREATE SCHEMA two");
    open_store();
    append("r", 1, "x");
    PostgresStore other("postgres:" + cluster.target(database) + " options='-c search_path=two'",
                        config, [](const std::string&) {});
    EXPECT_EQ(opened("r")->last_offset, 1U);
    EXPECT_EQ(cluster.query(database, "SELECT count(*) FROM two.parley_messages").at(0), "0");
}

TEST_F(PostgresStoreTest, ComesFromEveryEarlierSchemaWithAllThatWasStored) {
    for (std::int64_t version = 1; version < postgres_schema_version; ++version) {
        std::ifstream file(PARLEY_TEST_DATA "/schema_" + std::to_string(version) + ".sql");
        ASSERT_TRUE(file) << "no dump of version " << version;
        store.reset();
        database = cluster.make_database();
        cluster.query(database, {std::istreambuf_iterator<char>(file), {}});
        open_store();
        EXPECT_EQ(
            cluster.query(database, "SELECT value FROM parley_meta WHERE name = 'version'").at(0),
            std::to_string(postgres_schema_version));
        const auto room = opened("r");
        EXPECT_EQ(room->epoch.view(), "E1");
        EXPECT_EQ(room->last_offset, 200U);
        EXPECT_EQ(offsets(room->newest), range(191, 200));
        EXPECT_EQ(room->keys.size(), 1U);
        EXPECT_EQ(found("r", "wolf"), range(70, 70));
        EXPECT_EQ(opened("short")->last_offset, 5U);
        append("r", 201, "and on");
        EXPECT_EQ(opened("r")->last_offset, 201U);
    }
}

TEST_F(PostgresStoreTest, RefusesASchemaOfALaterVersion) {
    open_store();
    store.reset();
    cluster.query(database, "UPDATE parley_meta SET value = 99 WHERE name = 'version'");
    try {
        open_store();
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("schema version 99"));
    }
}

TEST(TsQuery, QuotesEveryWord) {
    EXPECT_EQ(tsquery_of("a b"), "'a' & 'b'");
    EXPECT_EQ(tsquery_of("  \"a b\"  c"), "'a b' & 'c'");
    EXPECT_EQ(tsquery_of("pre*"), "'pre':*");
    EXPECT_EQ(tsquery_of("it's a\\b"), "'it''s' & 'a\\\\b'");
    EXPECT_EQ(tsquery_of("*"), "");
    EXPECT_EQ(tsquery_of("\"open"), "'open'");
    EXPECT_EQ(tsquery_of("\" \""), "");
    EXPECT_EQ(tsquery_of("\xff"), "");
    EXPECT_EQ(words_of("\"a b\" pre*"), "a b pre ");
}

}  // namespace
}  // namespace parley::storage
