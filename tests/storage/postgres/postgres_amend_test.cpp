// What PostgreSQL keeps of messages that are edited and deleted, also while connections are lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "postgres_store_fixture.hpp"
#include "storage/amended_cases.hpp"

namespace parley::storage {
namespace {

using core::Durability;
using ::testing::HasSubstr;
using ::testing::Not;

// A process that does nothing for a while.
struct Stopped {
    explicit Stopped(const std::string& process) : pid(std::stoi(process)) { ::kill(pid, SIGSTOP); }
    ~Stopped() { ::kill(pid, SIGCONT); }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;
    pid_t pid;
};

struct PostgresAmendTest : test::PostgresFixture {
    // All rows of all tables, as text.
    std::string all_rows() {
        std::string all;
        const char* const tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
        for (const std::string& table : cluster.query(database, tables)) {
            for (const std::string& row :
                 cluster.query(database, "SELECT t::text FROM " + table + " AS t")) {
                all += row + "\n";
            }
        }
        return all;
    }
    std::string blocks_with(const std::string& word) {
        return cluster
            .query(database,
                   "SELECT count(*) FROM parley_blocks WHERE words @@ '''" + word + "'''::tsquery")
            .at(0);
    }
    // Of the first message and of all blocks: which transaction wrote them.
    std::vector<std::string> writers() {
        return cluster.query(database,
                             "SELECT xmin FROM parley_messages WHERE \"offset\" = 1"
                             " UNION ALL SELECT xmin FROM parley_blocks");
    }
    void wait_for_noted(const std::string& upto) {
        eventually([&] {
            return cluster.query(database, "SELECT min(indexed_to) FROM parley_rooms").at(0) ==
                       upto &&
                   blocks_with("#anew") == "0";
        });
    }
};

TEST_F(PostgresAmendTest, AmendsEarlierMessagesInTheStepThatAppendsOne) {
    test::amends_earlier_messages_in_the_step_that_appends_one(*this);
    EXPECT_EQ(counters().failures.load(), 0U);
}

TEST_F(PostgresAmendTest, AmendsWhatWasAmendedOrSaidRightBefore) {
    test::amends_what_was_amended_or_said_right_before(*this);
    EXPECT_EQ(counters().failures.load(), 0U);
}

TEST_F(PostgresAmendTest, AmendsNothingWhereTheMessageIsRefusedOrTheOtherIsGone) {
    test::amends_nothing_where_the_message_is_refused_or_the_other_is_gone(*this);
    EXPECT_EQ(counters().failures.load(), 0U);
}

TEST_F(PostgresAmendTest, AnAmendmentThatIsNoTextIsRefusedWithItsMessageAndHarmsNobodyElse) {
    for (const auto durability : test::both_durabilities) {
        open_store(durability);
        const std::string room = durability == Durability::sync ? "a" : "b";
        append(room, 1, "before");
        test::amend(*this, room, 2, {{1, "\xff\xfe"}});
        append(room + "other", 1, "x");
        EXPECT_EQ(opened(room)->last_offset, 1U);
        EXPECT_EQ(test::stored_json(*this, room, 1), json(room, 1, "before"));
        EXPECT_EQ(opened(room + "other")->last_offset, 1U);
        EXPECT_EQ(counters().refused.load(), 1U);
        EXPECT_TRUE(store->accepting());
    }
}

TEST_F(PostgresAmendTest, OfWhatWasAmendedNothingIsLeftAndTheNewWordsAreFound) {
    open_store();
    for (std::uint64_t i = 1; i <= 200; ++i) append("r", i, "unutterable w" + std::to_string(i));
    for (std::uint64_t i = 1; i <= 200; ++i) append("s", i, "fox");
    EXPECT_EQ(found("r", "unutterable", 200), range(1, 200));
    wait_for_noted("192");
    EXPECT_THAT(all_rows(), HasSubstr("'unutterable'"));
    // Of three blocks, and of what lies behind them.
    std::vector<std::uint64_t> odd;
    for (std::uint64_t i = 1; i <= 199; i += 2) {
        odd.push_back(i);
        test::amend(*this, "r", 200 + odd.size(), {{i, "fox"}, {i + 1, ""}}, "");
    }
    EXPECT_EQ(opened("r")->last_offset, 300U);
    const std::string at_once = all_rows();
    EXPECT_THAT(at_once, Not(HasSubstr("unutterable")));
    EXPECT_THAT(at_once, Not(HasSubstr("w77")));
    EXPECT_EQ(found("r", "fox", 200), odd);
    EXPECT_TRUE(found("r", "unutterable").empty());
    eventually([&] { return blocks_with("fox") == "7"; });  // four of "r", three of "s"
    wait_for_noted("192");
    EXPECT_EQ(blocks_with("#any"), "0");
    EXPECT_EQ(found("r", "fox", 200), odd);
    EXPECT_EQ(found("s", "fox", 200), range(1, 200));
    EXPECT_TRUE(found("r", "unutterable").empty());
    EXPECT_EQ(counters().failures.load(), 0U);
    store.reset();
    EXPECT_THAT(all_rows(), Not(HasSubstr("unutterable")));
}

// As a process that was killed leaves them.
TEST_F(PostgresAmendTest, BlocksWhoseWordsWereThrownAwayInAnEarlierRunAreNotedAnew) {
    open_store();
    for (std::uint64_t i = 1; i <= 640; ++i) append("r", i, "fox");
    EXPECT_EQ(found("r", "fox", 1), range(640, 640));
    wait_for_noted("640");
    store.reset();
    cluster.query(database,
                  "UPDATE parley_blocks SET words = array_to_tsvector(ARRAY['#any', '#anew',"
                  " '#' || room]) WHERE block IN (0, 3, 9)");
    EXPECT_EQ(blocks_with("#anew"), "3");
    open_store();
    wait_for_noted("640");
    EXPECT_EQ(blocks_with("fox"), "10");
    EXPECT_EQ(found("r", "fox", 700), range(1, 640));
}

// Nobody searches meanwhile, and no block becomes full.
TEST_F(PostgresAmendTest, ManyBlocksAreNotedAnewStepByStep) {
    open_store();
    for (std::uint64_t i = 1; i <= 6'400; ++i) append("r", i, "fox");
    EXPECT_EQ(found("r", "fox", 1), range(6'400, 6'400));
    wait_for_noted("6400");
    std::vector<std::uint64_t> wolves;
    for (std::uint64_t i = 0; i < 50; ++i) {
        wolves.push_back(128 * i + 1);
        wolves.push_back(128 * i + 65);
        test::amend(*this, "r", 6'401 + i, {{128 * i + 1, "wolf"}, {128 * i + 65, "wolf"}});
    }
    EXPECT_EQ(opened("r")->last_offset, 6'450U);
    wait_for_noted("6400");
    EXPECT_EQ(blocks_with("wolf"), "100");
    EXPECT_EQ(blocks_with("fox"), "100");
    EXPECT_EQ(found("r", "wolf", 200), wolves);
    EXPECT_EQ(counters().failures.load(), 0U);
}

// Who amends in the room waits for a step, and with him everybody who sends.
TEST_F(PostgresAmendTest, OfLongMessagesOneBlockIsNotedInAStep) {
    std::string wolves;
    while (wolves.size() < 3'000) wolves += "wolf ";
    open_store();
    for (std::uint64_t i = 1; i <= 320; ++i) append("r", i, wolves);
    for (std::uint64_t i = 1; i <= 320; ++i) append("s", i, "fox");
    EXPECT_EQ(found("r", "wolf", 1), range(320, 320));
    EXPECT_EQ(found("s", "fox", 1), range(320, 320));
    wait_for_noted("320");
    // They become long.
    std::vector<test::Changed> changes;
    for (std::uint64_t i = 1; i <= 320; ++i) changes.push_back({i, wolves});
    test::amend(*this, "s", 321, changes);
    EXPECT_EQ(opened("s")->last_offset, 321U);
    wait_for_noted("320");
    const auto steps =
        cluster.query(database, "SELECT DISTINCT xmin::text FROM parley_blocks").size();
    EXPECT_EQ(steps, 10U);
    EXPECT_EQ(blocks_with("wolf"), "10");
    EXPECT_EQ(found("s", "wolf", 400), range(1, 320));
    EXPECT_EQ(counters().untidy.load(), 0U);
}

TEST_F(PostgresAmendTest, ABlockWhoseWordsWereThrownAwayIsNotWrittenAgain) {
    open_store();
    for (std::uint64_t i = 1; i <= 64; ++i) append("r", i, "fox");
    EXPECT_EQ(found("r", "fox", 1), range(64, 64));
    wait_for_noted("64");
    // Nobody notes them until the next sweep.
    cluster.query(database,
                  "UPDATE parley_blocks SET words = array_to_tsvector(ARRAY['#any', '#anew',"
                  " '#' || room])");
    const auto before = writers();
    test::amend(*this, "r", 65, {{3, "wolf"}}, "");
    EXPECT_EQ(opened("r")->last_offset, 65U);
    EXPECT_EQ(writers(), before);
    EXPECT_EQ(found("r", "wolf"), range(3, 3));
}

TEST_F(PostgresAmendTest, ABatchEndsBehindSomeHundredsOfAmendments) {
    open_store();
    append("r", 1, "said");
    EXPECT_EQ(opened("r")->last_offset, 1U);
    test::PostgresSession other(cluster.target(database));
    other.query("BEGIN");
    other.query("LOCK TABLE parley_rooms IN EXCLUSIVE MODE");
    const std::uint64_t before = counters().batches.load();
    test::amend(*this, "r", 2, {{1, "changed"}});
    wait_until([&] { return !processes("wait_event_type = 'Lock'").empty(); },
               "a batch that waits");
    for (std::uint64_t i = 3; i <= 1'002; ++i) test::amend(*this, "r", i, {{1, "changed"}});
    other.query("COMMIT");
    EXPECT_EQ(opened("r")->last_offset, 1'002U);
    EXPECT_GE(counters().batches.load() - before, 5U);
    EXPECT_EQ(counters().failures.load(), 0U);
}

TEST_F(PostgresAmendTest, WhatARoomHoldsIsCountedAsItWasSaidWhateverWasAmended) {
    config.history.keep.bytes = 20 * json("r", 50, "fox").size();
    open_store();
    for (std::uint64_t i = 1; i <= 19; ++i) append("r", i, "fox");
    for (std::uint64_t i = 20; i <= 60; ++i) {
        // Some become longer, some shorter.
        test::amend(*this, "r", i, {{i - 1, i % 2 == 0 ? std::string(3'000, 'x') : ""}}, "fox");
        if (i % 10 == 0) open_store();  // which reads the size anew
    }
    eventually([&] { return stored("r") == range(41, 60); });
}

// A commit that is in the log and waits for a standby that is not there, when its connection ends.
TEST_F(PostgresAmendTest, ABatchWhoseAnswerGotLostAmendsWithItsPublicationsOrNotAtAll) {
    for (const auto durability : test::both_durabilities) {
        open_store(durability);
        const std::string r = durability == Durability::sync ? "a" : "b";
        for (std::uint64_t i = 1; i <= 70; ++i) append(r, i, "told n" + std::to_string(i));
        EXPECT_EQ(found(r, "n3"), range(3, 3));
        wait_for_noted("64");
        cluster.hold_commits();
        test::amend(*this, r, 71, {{3, "lost"}, {68, "lost"}}, "lost");
        wait_until([&] { return !processes("wait_event = 'SyncRep'").empty(); },
                   "a commit that is held");
        // Who would build on what he reads waits, others don't.
        bool behind = false;
        store->page(hub.shard(0), r, {4, 0, 71, 1, true},
                    [&behind](core::Stored<core::HistorySlice>&& page) {
                        behind = true;
                        if (page) {
                            EXPECT_THAT(page->messages.at(0)->json(), HasSubstr("lost"));
                        }
                    });
        EXPECT_EQ(page(r, {4, 0, 70, 1})->messages.at(0)->json(), json(r, 3, "told n3"));
        EXPECT_FALSE(behind);
        end_connections("wait_event = 'SyncRep'");
        wait_until([&] { return stored(r) == range(1, 71); }, "the commit");
        cluster.let_commits_go();
        wait_for_trouble(false);
        eventually([&] { return try_open(r).has_value(); });
        EXPECT_TRUE(behind);
        const auto amended = [&](std::uint64_t last, const std::string& three,
                                 const std::string& sixty_eight) {
            EXPECT_EQ(opened(r)->last_offset, last);
            EXPECT_EQ(stored(r), range(1, last));
            EXPECT_EQ(test::stored_json(*this, r, 3), json(r, 3, three));
            EXPECT_EQ(test::stored_json(*this, r, 68), json(r, 68, sixty_eight));
        };
        eventually([&] { return try_search(r, "x").has_value(); });
        if (durability == Durability::sync) {
            EXPECT_EQ(counters().refused.load(), 1U);
            amended(70, "told n3", "told n68");
            EXPECT_EQ(found(r, "n3"), range(3, 3));
            EXPECT_TRUE(found(r, "lost").empty());
            EXPECT_THAT(all_rows(), Not(HasSubstr("lost")));
        } else {
            EXPECT_EQ(counters().refused.load(), 0U);
            amended(71, "lost", "lost");
            EXPECT_EQ(found(r, "lost"), (std::vector<std::uint64_t>{3, 68, 71}));
            EXPECT_TRUE(found(r, "n3").empty());
        }
        const std::uint64_t next = durability == Durability::sync ? 71 : 72;
        test::amend(*this, r, next, {{3, "again"}}, "again");
        EXPECT_EQ(test::stored_json(*this, r, 3), json(r, 3, "again"));
        EXPECT_EQ(found(r, "again"), (std::vector<std::uint64_t>{3, next}));
        open_store(durability);
        amended(next, "again", durability == Durability::sync ? "told n68" : "lost");
        store.reset();
        database = cluster.make_database();
    }
}

// A page that was asked for before the batch was lost, and is read behind its commit.
TEST_F(PostgresAmendTest, NobodyBuildsOnAPageThatMayShowWhatIsAboutToBePutBack) {
    open_store();
    append("r", 1, "told");
    append("r", 2, "told");
    EXPECT_EQ(page("r", {2, 0, 2, 1})->messages.size(), 1U);
    const auto readers = processes(
        "query LIKE '%\"offset\" < $2%' AND query NOT LIKE '%candidate%'"
        " AND pid <> pg_backend_pid()");
    ASSERT_EQ(readers.size(), 1U);
    std::optional<core::Stored<core::HistorySlice>> builds;
    {
        const Stopped stopped(readers.front());
        store->page(hub.shard(0), "r", {2, 0, 2, 1, true},
                    [&](core::Stored<core::HistorySlice>&& page) { builds = std::move(page); });
        append("r", 3, "told");
        wait_until([&] { return stored("r") == range(1, 3); }, "what was said behind them");
        cluster.hold_commits();
        test::amend(*this, "r", 4, {{1, "lost"}});
        wait_until([&] { return !processes("wait_event = 'SyncRep'").empty(); },
                   "a commit that is held");
        end_connections("wait_event = 'SyncRep'");
        wait_until([&] { return stored("r") == range(1, 4) && counters().failures.load() != 0; },
                   "the loss");
    }
    until([&] { return builds.has_value(); });
    ASSERT_TRUE(builds->has_error());
    EXPECT_EQ(builds->error().code, "unavailable");
    cluster.let_commits_go();
    wait_for_trouble(false);
    eventually([&] { return try_open("r").has_value(); });
    EXPECT_EQ(test::stored_json(*this, "r", 1), json("r", 1, "told"));
}

// A batch that failed before its commit: there is nothing to be put back, and nothing is written.
TEST_F(PostgresAmendTest, ABatchThatWasNotCommittedAmendsNothing) {
    open_store();
    for (std::uint64_t i = 1; i <= 64; ++i) append("r", i, "told");
    EXPECT_EQ(found("r", "told", 100), range(1, 64));
    wait_for_noted("64");
    const auto before = writers();
    test::PostgresSession other(cluster.target(database));
    other.query("BEGIN");
    other.query("LOCK TABLE parley_rooms IN EXCLUSIVE MODE");  // it inserts, and can't go on
    test::amend(*this, "r", 65, {{1, "lost"}}, "lost");
    wait_until([&] { return !processes("wait_event_type = 'Lock'").empty(); },
               "a batch that waits");
    end_connections("wait_event_type = 'Lock'");
    other.query("COMMIT");
    wait_for_trouble(false);
    eventually([&] { return try_open("r").has_value(); });
    EXPECT_EQ(opened("r")->last_offset, 64U);
    EXPECT_EQ(test::stored_json(*this, "r", 1), json("r", 1, "told"));
    EXPECT_EQ(writers(), before);
    EXPECT_THAT(all_rows(), Not(HasSubstr("lost")));
    EXPECT_EQ(counters().refused.load(), 1U);
    test::amend(*this, "r", 65, {{1, "other"}});
    EXPECT_EQ(test::stored_json(*this, "r", 1), json("r", 1, "other"));
}

// The keeper reads old words while they change: it or the writer waits for the other.
TEST_F(PostgresAmendTest, WhatIsAmendedWhileItsWordsAreNotedIsFoundByItsNewOnes) {
    open_store();
    append("r", 1, "told");
    EXPECT_EQ(opened("r")->last_offset, 1U);
    test::PostgresSession other(cluster.target(database));
    other.query("BEGIN");
    other.query("INSERT INTO parley_blocks SELECT id, 0, ''::tsvector FROM parley_rooms");
    for (std::uint64_t i = 2; i <= 64; ++i) append("r", i, "told");
    EXPECT_EQ(opened("r")->last_offset, 64U);
    // A second later the keeper has read them and waits for that row.
    wait_until([&] { return !processes("wait_event_type = 'Lock'").empty(); }, "words");
    test::amend(*this, "r", 65, {{3, "wolf"}}, "");
    wait_until([&] { return processes("wait_event_type = 'Lock'").size() == 2; }, "the writer");
    other.query("ROLLBACK");
    EXPECT_EQ(found("r", "wolf"), range(3, 3));
    wait_for_noted("64");
    EXPECT_EQ(found("r", "wolf"), range(3, 3));
    EXPECT_EQ(found("r", "told", 100).size(), 63U);
    EXPECT_EQ(counters().failures.load(), 0U);
    EXPECT_EQ(counters().untidy.load(), 0U);
}

}  // namespace
}  // namespace parley::storage
