// What becomes of messages while the database is stopped, started and killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <map>

#include "core/at_home.hpp"
#include "postgres_store_fixture.hpp"

namespace parley::storage {
namespace {

using core::Durability;
using ::testing::HasSubstr;

using PostgresOutageTest = test::PostgresFixture;

TEST_F(PostgresOutageTest, ADatabaseThatIsAwayIsReportedAndRecoversByItself) {
    for (const auto durability : test::both_durabilities) {
        open_store(durability);
        const std::string room = durability == Durability::sync ? "a" : "b";
        append(room, 1, "before");
        EXPECT_EQ(opened(room)->last_offset, 1U);
        cluster.stop();
        wait_for_trouble(true);  // though nobody asked for anything
        EXPECT_FALSE(store->trouble().empty());
        EXPECT_GT(counters().failures.load(), 0U);
        append(room, 2, "meanwhile");
        for (const auto& refused :
             {try_open(room).has_error(), try_page(room, {2, 0, 2, 5}).has_error(),
              try_search(room, "before").has_error()}) {
            EXPECT_TRUE(refused);
        }
        EXPECT_EQ(try_open(room).error().code, "unavailable");
        EXPECT_EQ(queued(), durability == Durability::sync ? 0U : 1U);
        cluster.start();
        wait_for_trouble(false);
        EXPECT_EQ(store->trouble(), "");
        eventually([&] { return try_open(room).has_value(); });
        EXPECT_EQ(opened(room)->last_offset, durability == Durability::sync ? 1U : 2U);
        eventually([&] { return try_search(room, "before").has_value(); });
        const std::lock_guard lock(troubles_mutex);
        EXPECT_EQ(troubles.back(), "");
    }
}

TEST_F(PostgresOutageTest, ADatabaseThatIsOnlyReadIsReportedAndRecoversByItself) {
    open_store();
    cluster.query("postgres",
                  "ALTER DATABASE " + database + " SET default_transaction_read_only = on");
    cluster.query("postgres",
                  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE datname = '" +
                      database + "'");
    wait_for_trouble(true);
    wait_until([&] { return store->trouble().find("read-only") != std::string::npos; },
               "a trouble that says read-only");
    EXPECT_GT(counters().failures.load(), 0U);
    cluster.query("postgres",
                  "ALTER DATABASE " + database + " RESET default_transaction_read_only");
    wait_for_trouble(false);
    append("r", 1, "x");
    EXPECT_EQ(opened("r")->last_offset, 1U);
}

TEST_F(PostgresOutageTest, WhatIsQueuedWhenTheStoreEndsIsWrittenWithinItsPatience) {
    open_store(Durability::async);
    cluster.stop();
    wait_for_trouble(true);
    for (std::uint64_t i = 1; i <= 100; ++i) append("r", i, "x");
    cluster.start();
    store.reset();
    EXPECT_EQ(stored("r"), range(1, 100));
    // And one that can't be written doesn't keep it for ever.
    open_store(Durability::async);
    cluster.stop();
    wait_for_trouble(true);
    append("r", 101, "x");
    const auto began = core::monotonic_now();
    store.reset();
    EXPECT_LT(core::monotonic_now() - began, std::chrono::seconds(20));
    cluster.start();
    open_store(Durability::async);
    const auto room = opened("r", "new");
    EXPECT_EQ(room->epoch.view(), "new") << "something acked is missing";
    EXPECT_EQ(room->last_offset, 100U);
}

// A commit that is in the log and waits for a standby that is not there, when its connection ends.
TEST_F(PostgresOutageTest, ABatchThatWasCommittedThoughItsAnswerGotLostIsThereOnceOrNotAtAll) {
    for (const auto durability : test::both_durabilities) {
        open_store(durability);
        const std::string room = durability == Durability::sync ? "a" : "b";
        append(room, 1, "told");
        EXPECT_EQ(opened(room)->last_offset, 1U);
        cluster.hold_commits();
        append(room, 2, "lost");
        wait_until([&] { return !processes("wait_event = 'SyncRep'").empty(); },
                   "a commit that is held");
        end_connections("wait_event = 'SyncRep'");
        // Nobody removes it meanwhile: the next connection's first write waits for the standby too.
        wait_until([&] { return stored(room) == range(1, 2); }, "the commit");
        cluster.let_commits_go();
        wait_for_trouble(false);
        eventually([&] { return try_open(room).has_value(); });
        if (durability == Durability::sync) {
            EXPECT_EQ(counters().refused.load(), 1U);
            EXPECT_GT(counters().failures.load(), 0U);
            EXPECT_EQ(opened(room)->last_offset, 1U) << "its sender was told that it is not stored";
            EXPECT_EQ(stored(room), range(1, 1));
            append(room, 2, "another");
            EXPECT_EQ(opened(room)->newest.back()->json(), json(room, 2, "another"));
        } else {
            EXPECT_EQ(opened(room)->last_offset, 2U);
        }
        append(room, 3, "on");
        EXPECT_EQ(opened(room)->last_offset, 3U);
        EXPECT_EQ(stored(room), range(1, 3));
    }
}

// The words of a batch that was committed, and whose senders were told that it was not, were noted
// before it was removed.
TEST_F(PostgresOutageTest, WhatTakesThePlaceOfALostBatchIsFoundToo) {
    open_store();
    append("r", 1, "told");
    EXPECT_EQ(opened("r")->last_offset, 1U);
    cluster.hold_commits();
    const std::string held = "wait_event = 'SyncRep' AND query ";
    const auto wait_for_batch = [&] {
        wait_until([&] { return !processes(held + "= 'COMMIT'").empty(); }, "a held batch");
    };
    // What comes while a batch is held is the next one.
    const auto let_one_go = [&](std::uint64_t stored) {
        wait_for_batch();
        const std::string process = processes(held + "= 'COMMIT'").at(0);
        cluster.query("postgres", "SELECT pg_cancel_backend(" + process + ")");
        wait_until([&] { return counters().messages.load() == stored; }, "the next batch");
    };
    append("r", 2, "told");
    wait_for_batch();
    for (std::uint64_t i = 3; i <= 64; ++i) append("r", i, "told");
    let_one_go(2);
    wait_for_batch();
    for (std::uint64_t i = 65; i <= 130; ++i) append("r", i, "lost");
    let_one_go(64);
    wait_for_batch();
    const std::string notes_words = "LIKE 'WITH r AS MATERIALIZED (SELECT id, last,%'";
    // It stays, and the keeper, which looks a second later, sees it.
    end_connections(held + "NOT " + notes_words);
    wait_until([&] { return stored("r") == range(1, 130); }, "the batch");
    wait_until([&] { return !processes(held + notes_words).empty(); }, "words that are noted");
    cluster.let_commits_go();
    wait_for_trouble(false);
    EXPECT_EQ(counters().refused.load(), 66U);
    eventually([&] { return try_open("r").has_value(); });
    EXPECT_EQ(opened("r")->last_offset, 64U);
    for (std::uint64_t i = 65; i <= 200; ++i) append("r", i, "another");
    EXPECT_EQ(opened("r")->last_offset, 200U);
    eventually([&] {
        return cluster.query(database, "SELECT indexed_to FROM parley_rooms").at(0) == "192";
    });
    EXPECT_EQ(found("r", "another", 200), range(65, 200));
    EXPECT_EQ(found("r", "told", 200), range(1, 64));
    EXPECT_TRUE(found("r", "lost").empty());
}

TEST_F(PostgresOutageTest, AStopRightBehindAnOutageIsACleanOne) {
    open_store(Durability::async);
    append("r", 1, "x");
    EXPECT_EQ(opened("r")->last_offset, 1U);
    cluster.stop();
    wait_for_trouble(true);
    cluster.start();
    store.reset();
    EXPECT_EQ(cluster.query(database, "SELECT value FROM parley_meta WHERE name = 'clean'").at(0),
              "1");
}

TEST_F(PostgresOutageTest, WhoCannotReadDoesNotKeepOthersFromSpeaking) {
    open_store();
    append("r", 1, "x");
    EXPECT_EQ(page("r", {2, 0, 1, 5})->messages.size(), 1U);
    const std::string reader = "query LIKE '%\"offset\" < $2%' AND query NOT LIKE '%candidate%'";
    ASSERT_EQ(processes(reader + " AND pid <> pg_backend_pid()").size(), 1U);
    end_connections(reader);
    wait_until(
        [&] {
            const std::lock_guard lock(troubles_mutex);
            return unread.size() >= 2;
        },
        "a reader that was away");
    append("r", 2, "y");
    eventually([&] { return try_page("r", {3, 0, 2, 5}).has_value(); });
    EXPECT_EQ(offsets(page("r", {3, 0, 2, 5})->messages), range(1, 2));
    const std::lock_guard lock(troubles_mutex);
    EXPECT_NE(unread.front(), "");
    EXPECT_EQ(unread.back(), "");
    EXPECT_TRUE(troubles.empty()) << troubles.front();
    EXPECT_EQ(counters().refused.load(), 0U);
}

TEST_F(PostgresOutageTest, ASearchThatTakesTooLongKeepsNobodyElseWaiting) {
    open_store();
    for (std::uint64_t i = 1; i <= 100; ++i) append("r", i, "fox");
    EXPECT_EQ(found("r", "fox", 100), range(1, 100));
    test::PostgresSession locker(cluster.target(database));
    locker.query("BEGIN");
    locker.query("LOCK TABLE parley_blocks IN ACCESS EXCLUSIVE MODE");
    const auto began = core::monotonic_now();
    const auto late = try_search("r", "fox");
    EXPECT_LT(core::monotonic_now() - began, std::chrono::seconds(20));
    ASSERT_TRUE(late.has_error());
    EXPECT_EQ(late.error().code, "unavailable");
    EXPECT_THAT(late.error().message, HasSubstr("too long"));
    append("r", 101, "fox");
    EXPECT_EQ(opened("r")->last_offset, 101U);
    EXPECT_EQ(page("r", {102, 0, 101, 1})->messages.size(), 1U);
    EXPECT_TRUE(store->accepting());
    locker.query("COMMIT");
    eventually([&] { return try_search("r", "fox", 200).has_value(); });
    EXPECT_EQ(found("r", "fox", 200), range(1, 101));
    EXPECT_EQ(counters().failures.load(), 0U);
}

TEST_F(PostgresOutageTest, AStoreThatWaitsForTheLockEndsInTimeToo) {
    open_store(Durability::async);
    test::PostgresSession other(cluster.target(database));
    other.begin("SELECT pg_advisory_lock(hashtext('parley'), hashtext('public'))");
    wait_until([&] { return !processes("wait_event_type = 'Lock'").empty(); }, "one who waits");
    end_connections("pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)");
    wait_for_trouble(true);
    wait_until([&] { return store->trouble().find("in use") != std::string::npos; }, "a lost lock");
    append("r", 1, "x");
    const auto began = core::monotonic_now();
    store.reset();
    EXPECT_LT(core::monotonic_now() - began, std::chrono::seconds(20));
}

// A host that takes connections and says nothing.
TEST_F(PostgresOutageTest, EachHostHasItsOwnTimeToAnswer) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor silent(io, {boost::asio::ip::address_v4::loopback(), 0});
    const std::string folder = cluster.query(database, "SHOW unix_socket_directories").at(0);
    const std::string port = std::to_string(silent.local_endpoint().port());
    const std::string rest = " user=parley dbname=" + database + " connect_timeout=3";
    store = std::make_unique<PostgresStore>(
        "postgres:host=localhost," + folder + " port=" + port + ",5432" + rest, config,
        [](const std::string&) {});
    append("r", 1, "x");
    EXPECT_EQ(opened("r")->last_offset, 1U);
    store.reset();
    try {
        PostgresStore none("postgres:host=localhost,127.0.0.1 port=" + port + rest, config,
                           [](const std::string&) {});
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("\"127.0.0.1\": no answer in time"));
    }
}

// People who speak in rooms, each again as soon as he was answered; every third time he changes what
// he said last.
class Talkers {
public:
    Talkers(core::Hub& hub, std::size_t rooms, std::size_t each)
        : shard_(hub.shard(0)), user_(hub.user_named("127.0.0.1", "ann")) {
        for (std::size_t i = 0; i < rooms; ++i) {
            for (std::size_t j = 0; j < each; ++j) {
                talkers_.push_back({"room-" + std::to_string(i), std::to_string(j), 0, false});
            }
        }
    }
    // Everybody who waits for no answer says something.
    void speak() {
        for (Talker& talker : talkers_) {
            if (talker.waits) continue;
            talker.waits = true;
            const std::string text = talker.name + "-" + std::to_string(++talker.said);
            const std::uint64_t changes = talker.said % 3 == 0 ? talker.last : 0;
            shard_.when_open(talker.room, [this, &talker, text, changes](
                                              core::Shard& home, const core::OpenRefusal& refused) {
                if (refused) return answered(talker, text, changes, *refused);
                const core::Later<core::AckAnswer> later = [this, &talker, text, changes] {
                    return [this, &talker, text, changes](core::AckAnswer&& answer) {
                        answered(talker, text, changes, std::move(answer));
                    };
                };
                auto answer = ask(home, talker.room, text, changes, later);
                if (answer) answered(talker, text, changes, std::move(*answer));
            });
        }
    }
    [[nodiscard]] bool idle() const {
        return std::ranges::none_of(talkers_, [](const Talker& talker) { return talker.waits; });
    }
    [[nodiscard]] std::uint64_t acked() const { return acked_; }
    [[nodiscard]] std::uint64_t refused() const { return refused_; }
    [[nodiscard]] std::uint64_t changed() const { return changed_; }
    // room → offset → text; that of a publication that tells of a change is none
    std::map<std::string, std::map<std::uint64_t, std::string>> told;

private:
    struct Talker {
        std::string room;
        std::string name;
        std::uint64_t said;
        bool waits;
        std::uint64_t last = 0;  // the offset of what he said last
    };
    std::optional<core::AckAnswer> ask(core::Shard& home, const std::string& room,
                                       const std::string& text, std::uint64_t changes,
                                       const core::Later<core::AckAnswer>& later) {
        protocol::Body body{protocol::Body::Kind::text, text};
        if (changes == 0) {
            return core::send_at_home(home, user_, {room, std::move(body), {}, {}}, later);
        }
        return core::amend_at_home(home, user_, {room, changes, std::move(body), {}, {}}, later);
    }
    void answered(Talker& talker, const std::string& text, std::uint64_t changes,
                  const core::AckAnswer& answer) {
        talker.waits = false;
        if (!answer) {
            ++refused_;
            return;
        }
        ++acked_;
        auto& texts = told[talker.room];
        const std::uint64_t at = answer->cursor.offset;
        EXPECT_TRUE(texts.emplace(at, changes == 0 ? text : "").second)
            << "an offset was given twice";
        if (changes != 0) {
            ++changed_;
            texts[changes] = text;
        } else {
            talker.last = at;
        }
    }

    core::Shard& shard_;
    core::UserPtr user_;
    std::vector<Talker> talkers_;
    std::uint64_t acked_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t changed_ = 0;
};

struct PostgresLoadTest : PostgresOutageTest {
    // Lets them speak until so many more were acked.
    void speak_until(Talkers& talkers, std::uint64_t acks) {
        const auto give_up = core::monotonic_now() + std::chrono::seconds(180);
        while (talkers.acked() < acks) {
            ASSERT_LT(core::monotonic_now(), give_up) << store->trouble();
            talkers.speak();
            pump();
        }
    }
    void pump() {
        loop.wait_until(core::monotonic_now() + std::chrono::milliseconds(5));
        core::Shard& shard = talking->shard(0);
        shard.set_now(core::machine_now());
        shard.timers().advance(core::monotonic_now());
        shard.turn(core::machine_now());
    }
    void begin(Durability durability) {
        open_store(durability);
        talking.emplace(config, std::vector<core::ShardLoop*>{&loop}, core::machine_now(), 1,
                        store.get());
    }
    // What was told is stored, once, in order, and nothing else.
    void check(Talkers& talkers) {
        const auto give_up = core::monotonic_now() + std::chrono::seconds(180);
        while (!talkers.idle() || !store->accepting() || queued() != 0) {
            ASSERT_LT(core::monotonic_now(), give_up) << store->trouble();
            pump();
        }
        for (const auto& [room, told] : talkers.told) {
            const auto texts = cluster.query(
                database,
                "SELECT json::json ->> 'text' FROM parley_messages AS m JOIN parley_rooms AS r"
                " ON r.id = m.room WHERE name = '" +
                    room + "' ORDER BY \"offset\"");
            std::vector<std::string> expected;
            for (const auto& [offset, text] : told) expected.push_back(text);
            EXPECT_EQ(texts, expected) << room;
            EXPECT_EQ(stored(room), range(1, told.size())) << room;
        }
        failures = counters().failures.load();
        talking->settle(core::machine_now());
        store.reset();
        talking.reset();
    }
    ~PostgresLoadTest() override { store.reset(); }  // it tells the shards
    std::optional<core::Hub> talking;
    std::uint64_t failures = 0;
};

TEST_F(PostgresLoadTest, WhatWasToldStaysWhenTheServerIsStoppedAndStarted) {
    for (const auto durability : test::both_durabilities) {
        database = cluster.make_database();
        begin(durability);
        Talkers talkers(*talking, 8, 25);
        for (int round = 0; round < 4; ++round) {
            speak_until(talkers, talkers.acked() + 5'000);
            cluster.stop(round % 2 == 0 ? SIGINT : SIGQUIT);
            for (int i = 0; i < 20; ++i) {
                talkers.speak();
                pump();
            }
            cluster.start();
        }
        speak_until(talkers, talkers.acked() + 2'000);
        check(talkers);
        EXPECT_GT(talkers.changed(), 1'000U);
        EXPECT_GT(talkers.refused(), 0U);
        EXPECT_GT(failures, 0U);
    }
}

TEST_F(PostgresLoadTest, WhatWasToldStaysWhenConnectionsAreKilledWithinBatches) {
    for (const auto durability : test::both_durabilities) {
        database = cluster.make_database();
        begin(durability);
        Talkers talkers(*talking, 8, 25);
        for (std::uint64_t round = 0; round < 8; ++round) {
            speak_until(talkers, talkers.acked() + 1'000 + 37 * round);
            const std::string sql =
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = '" +
                database + "'";
            if (round % 3 == 2) {
                cluster.kill_connections(database);
            } else {
                cluster.query("postgres", sql);
            }
        }
        speak_until(talkers, talkers.acked() + 2'000);
        check(talkers);
        EXPECT_GT(talkers.changed(), 1'000U);
        EXPECT_GT(failures, 0U);
    }
}

}  // namespace
}  // namespace parley::storage
