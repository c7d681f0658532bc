// Rooms whose messages a store keeps: how they open, what is said when, and what is read back.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/at_home.hpp"
#include "core/cross_shard_fixture.hpp"
#include "support/fake_store.hpp"
#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::HistoryPage;
using protocol::Joined;
using protocol::Message;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FakeStore;
using test::TestHub;
using test::TestSession;

Config kept(Durability durability, std::uint32_t shards = 1) {
    Config config = test::unlimited_config(shards);
    config.history.durability = durability;
    config.history.messages = 10;
    return config;
}

struct Durable {
    explicit Durable(Durability durability, std::uint32_t shards = 1)
        : store(durability), config(kept(durability, shards)) {
        begin();
    }
    void begin() { hub.emplace(config, ++seed, &store); }
    // Ends the process without a word, and starts the next one.
    void restart() {
        hub.reset();
        begin();
    }
    FakeStore store;
    Config config;
    std::uint64_t seed = 0;
    std::optional<TestHub> hub;
};

std::vector<std::uint64_t> offsets(const std::vector<Message>& messages) {
    std::vector<std::uint64_t> found;
    for (const auto& message : messages) found.push_back(message.cursor.offset);
    return found;
}

TEST(DurableRoom, OpensOnceForAllWhoWaitForIt) {
    for (const std::uint32_t shards : {1U, 2U}) {
        Durable f(Durability::sync, shards);
        f.store.by_itself = false;
        std::deque<TestSession> sessions;
        for (std::size_t i = 0; i < 6; ++i) {
            sessions.emplace_back(*f.hub, i % shards, "user-" + std::to_string(i)).join("r");
        }
        f.hub->settle();
        EXPECT_EQ(f.store.asked(), 1U);
        for (auto& session : sessions) EXPECT_FALSE(session.subscriber().ready());
        f.store.work();
        f.hub->settle();
        for (auto& session : sessions) {
            EXPECT_TRUE(session.subscriber().ready());
            EXPECT_EQ(session.transport().resumes, 1U);
            EXPECT_TRUE(session.last<Joined>());
        }
        EXPECT_EQ(f.store.opened, 1U);
    }
}

TEST(DurableRoom, ThatCannotBeOpenedIsUnavailableAndTriedAgain) {
    Durable f(Durability::sync);
    f.store.by_itself = false;
    TestSession ann(*f.hub, 0, "ann");
    ann.join("r");
    f.hub->settle();
    f.store.fail();
    f.hub->settle();
    EXPECT_EQ(ann.error(), "unavailable");
    EXPECT_EQ(ann.last<protocol::Error>()->retry_after_ms, 1000U);
    EXPECT_TRUE(ann.subscriber().ready());
    EXPECT_EQ(f.hub->shard().room_count(), 0U);
    ann.join("r");
    f.hub->settle();
    f.store.work();
    f.hub->settle();
    EXPECT_TRUE(ann.last<Joined>());
}

TEST(DurableRoom, WhoLeftWhileItOpenedIsNotInIt) {
    Durable f(Durability::sync);
    f.store.by_itself = false;
    {
        TestSession ann(*f.hub, 0, "ann");
        ann.join("r");
        f.hub->settle();
    }
    f.store.work();
    f.hub->pass(seconds(11));
    EXPECT_EQ(f.hub->shard().room_count(), 0U) << "nobody is there and nothing was said";
}

TEST(DurableRoom, WhatIsAskedOfOneThatNeverWasIsNotFound) {
    Durable f(Durability::sync);
    TestSession ann(*f.hub, 0, "ann");
    ann.say(protocol::History{"nowhere", {}, {}, 50});
    f.hub->settle();
    EXPECT_EQ(ann.error(), "not_found");
    EXPECT_EQ(f.hub->shard().room_count(), 0U);
    EXPECT_TRUE(f.store.rooms.empty());
}

TEST(DurableRoom, NobodyHearsOfAMessageBeforeItIsStored) {
    for (const std::uint32_t shards : {1U, 2U}) {
        Durable f(Durability::sync, shards);
        TestSession ann(*f.hub, 0, "ann");
        TestSession bob(*f.hub, shards - 1, "bob");
        ann.join("r");
        bob.join("r");
        f.hub->settle();
        f.store.by_itself = false;
        ann.send("r", "one");
        bob.send("r", "two");
        f.hub->pass(seconds(1));
        EXPECT_EQ(ann.texts("r").size() + bob.texts("r").size(), 0U);
        EXPECT_FALSE(ann.last<Ack>());
        EXPECT_FALSE(ann.subscriber().ready()) << "it is not read on before its send is accepted";
        f.store.work(1);
        f.hub->settle();
        EXPECT_EQ(bob.texts("r").size(), 1U);
        EXPECT_NE(ann.last<Ack>().has_value(), bob.last<Ack>().has_value());
        f.store.work();
        f.hub->settle();
        EXPECT_EQ(ann.texts("r"), bob.texts("r"));
        EXPECT_EQ(ann.texts("r"), f.store.texts("r"));
        EXPECT_EQ(offsets(ann.all<Message>()), (std::vector<std::uint64_t>{1, 2}));
        EXPECT_TRUE(ann.subscriber().ready() && bob.subscriber().ready());
    }
}

TEST(DurableRoom, ASendThatCannotBeStoredIsRefusedWithAllBehindItAndItsOffsetGivenAgain) {
    Durable f(Durability::sync);
    std::deque<TestSession> sessions;
    for (int i = 0; i < 4; ++i) {
        sessions.emplace_back(*f.hub, 0, "user-" + std::to_string(i)).join("r");
    }
    f.hub->settle();
    f.store.by_itself = false;
    for (auto& session : sessions) session.send("r", session.user().name);
    f.store.work(1);  // the first is stored
    f.store.fail();   // the second is not
    f.hub->settle();
    EXPECT_TRUE(sessions[0].last<Ack>());
    for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(sessions[i].error(), "unavailable") << i;
    EXPECT_EQ(f.hub->total(Metric::history_refused), 3U);
    // What was queued behind it is of no use any more, and harms nobody.
    f.store.work();
    f.hub->settle();
    f.store.by_itself = true;
    sessions[3].send("r", "again");
    f.hub->settle();
    EXPECT_EQ(sessions[3].last<Ack>()->cursor.offset, 2U);
    EXPECT_EQ(sessions[0].texts("r"), (std::vector<std::string>{"user-0", "again"}));
    EXPECT_EQ(f.store.texts("r"), (std::vector<std::string>{"user-0", "again"}));
}

TEST(DurableRoom, AStoreThatTakesNothingRefusesSendsAndReadsGoOn) {
    for (const auto durability : {Durability::sync, Durability::async}) {
        Durable f(durability);
        TestSession ann(*f.hub, 0, "ann");
        ann.join("r");
        f.hub->settle();
        ann.send("r", "one");
        f.hub->settle();
        f.store.takes = false;
        ann.send("r", "two");
        f.hub->settle();
        ann.send("r", "three", "key");
        f.hub->settle();
        EXPECT_EQ(ann.error(), "unavailable");
        EXPECT_EQ(f.hub->total(Metric::history_refused), 2U);
        ann.say(protocol::History{"r", {}, {}, 50});
        ann.say(protocol::Typing{"r", true});
        f.hub->settle();
        EXPECT_EQ(ann.last<HistoryPage>()->messages.size(), 1U);
        EXPECT_EQ(ann.all<protocol::TypingPush>().size(), 1U);
        f.store.takes = true;
        ann.send("r", "four");
        f.hub->settle();
        EXPECT_EQ(f.store.texts("r"), (std::vector<std::string>{"one", "four"}));
    }
}

TEST(DurableRoom, GoesOnWhereItEndedAfterARestart) {
    for (const auto durability : {Durability::sync, Durability::async}) {
        for (const std::uint32_t shards : {1U, 3U}) {
            Durable f(durability, shards);
            protocol::Cursor at_two;
            {
                TestSession ann(*f.hub, 0, "ann");
                ann.join("r");
                f.hub->settle();
                for (int i = 1; i <= 5; ++i) ann.send("r", std::to_string(i)), f.hub->settle();
                at_two = ann.all<Message>().at(1).cursor;
            }
            f.restart();
            TestSession bob(*f.hub, shards - 1, "bob");
            bob.say(protocol::Join{"r", at_two, 50, false});
            f.hub->settle();
            const auto joined = bob.last<Joined>();
            ASSERT_TRUE(joined);
            EXPECT_TRUE(joined->recovered);
            EXPECT_EQ(joined->cursor.epoch, at_two.epoch);
            EXPECT_EQ(offsets(joined->history), (std::vector<std::uint64_t>{3, 4, 5}));
            bob.send("r", "six");
            f.hub->settle();
            EXPECT_EQ(bob.last<Ack>()->cursor.offset, 6U);
            EXPECT_EQ(offsets(bob.all<Message>()), (std::vector<std::uint64_t>{6}));
        }
    }
}

TEST(DurableRoom, AKeyedSendIsPublishedOnceAcrossARestartAndWhileUnderWay) {
    for (const auto durability : {Durability::sync, Durability::async}) {
        Durable f(durability);
        {
            TestSession ann(*f.hub, 0, "ann");
            ann.join("r");
            f.hub->settle();
            ann.send("r", "one", "key");
            f.hub->settle();
        }
        f.restart();
        TestSession ann(*f.hub, 0, "ann");
        ann.join("r");
        f.hub->settle();
        ann.send("r", "one", "key");
        f.hub->settle();
        EXPECT_EQ(ann.last<Ack>()->cursor.offset, 1U);
        EXPECT_EQ(f.store.texts("r").size(), 1U);
        f.hub->pass(std::chrono::minutes(6));
        ann.send("r", "one", "key");
        f.hub->settle();
        EXPECT_EQ(ann.last<Ack>()->cursor.offset, 2U) << "remembered for five minutes";
    }
    Durable f(Durability::sync);
    TestSession one(*f.hub, 0, "ann");
    TestSession other(*f.hub, 0, "ann");
    one.join("r");
    other.join("r");
    f.hub->settle();
    f.store.by_itself = false;
    one.send("r", "text", "key");
    other.send("r", "text", "key");
    f.hub->settle();
    EXPECT_EQ(f.store.asked(), 1U);
    f.store.work();
    f.hub->settle();
    EXPECT_EQ(one.last<Ack>(), other.last<Ack>());
    EXPECT_EQ(one.texts("r").size(), 1U);
}

TEST(DurableRoom, OlderMessagesComeFromTheStoreInBothDirections) {
    Durable f(Durability::async);  // ten in memory
    TestSession ann(*f.hub, 0, "ann");
    ann.join("r");
    f.hub->settle();
    for (int i = 1; i <= 30; ++i) ann.send("r", std::to_string(i)), f.hub->settle();
    const auto epoch = ann.last<Joined>()->cursor.epoch;
    const auto page = [&](std::optional<protocol::Cursor> before,
                          std::optional<protocol::Cursor> since, std::uint32_t limit) {
        ann.forget();
        ann.say(protocol::History{"r", before, since, limit});
        f.hub->settle();
        return ann.last<HistoryPage>();
    };
    EXPECT_EQ(offsets(page({}, {}, 5)->messages), (std::vector<std::uint64_t>{26, 27, 28, 29, 30}));
    EXPECT_EQ(f.store.pages, 0U) << "memory has them";
    EXPECT_TRUE(page({}, {}, 5)->more);
    std::vector<std::uint64_t> back;
    std::optional<protocol::Cursor> before;
    for (bool more = true; more;) {
        const auto got = page(before, {}, 4);
        ASSERT_TRUE(got && !got->messages.empty());
        for (auto it = got->messages.rbegin(); it != got->messages.rend(); ++it) {
            back.push_back(it->cursor.offset);
        }
        before = got->messages.front().cursor;
        more = got->more;
    }
    ASSERT_EQ(back.size(), 30U);
    for (std::size_t i = 0; i < back.size(); ++i) EXPECT_EQ(back[i], 30 - i);
    for (std::uint64_t at = 0; at < 30; at += 7) {
        const auto got = page({}, protocol::Cursor{epoch, at}, 7);
        ASSERT_FALSE(got->messages.empty());
        EXPECT_EQ(got->messages.front().cursor.offset, at + 1);
        EXPECT_EQ(got->messages.size(), std::min<std::size_t>(7, 30 - at));
        EXPECT_EQ(got->more, at + 7 < 30);
    }
}

TEST(DurableRoom, APageThatTheStoreNoLongerHasSaysSo) {
    Durable f(Durability::async);
    TestSession ann(*f.hub, 0, "ann");
    ann.join("r");
    f.hub->settle();
    for (int i = 1; i <= 30; ++i) ann.send("r", std::to_string(i)), f.hub->settle();
    auto& stored = f.store.rooms["r"].messages;
    stored.erase(stored.begin(), stored.begin() + 15);
    const auto epoch = ann.last<Joined>()->cursor.epoch;
    ann.say(protocol::History{"r", {}, protocol::Cursor{epoch, 3}, 50});
    f.hub->settle();
    EXPECT_EQ(ann.error(), "not_found");
    // Who follows the room is told the truth and given the last ones.
    std::optional<PageAnswer> answer;
    const auto now = page_at_home(f.hub->shard(), {"r", {}, protocol::Cursor{epoch, 3}, 50},
                                  [&answer] { return [&](PageAnswer&& a) { answer = a; }; });
    EXPECT_FALSE(now);
    f.hub->settle();
    ASSERT_TRUE(answer && *answer);
    EXPECT_FALSE((*answer)->recovered);
    EXPECT_EQ((*answer)->messages.size(), 10U);
    answer.reset();
    static_cast<void>(page_at_home(f.hub->shard(), {"r", {}, protocol::Cursor{epoch, 16}, 5},
                                   [&answer] { return [&](PageAnswer&& a) { answer = a; }; }));
    f.hub->settle();
    ASSERT_TRUE(answer && *answer);
    EXPECT_TRUE((*answer)->recovered);
    EXPECT_EQ((*answer)->cursor.offset, 21U) << "who follows goes on from the page's end";
}

TEST(DurableRoom, LeavesMemoryWhenItIsIdleAndComesBackWhole) {
    for (const auto durability : {Durability::sync, Durability::async}) {
        Durable f(durability);
        {
            TestSession ann(*f.hub, 0, "ann");
            ann.join("r");
            f.hub->settle();
            ann.send("r", "one");
            f.hub->settle();
        }
        f.hub->pass(hours(2));
        EXPECT_EQ(f.hub->shard().room_count(), 0U);
        TestSession bob(*f.hub, 0, "bob");
        bob.join("r");
        f.hub->settle();
        EXPECT_EQ(offsets(bob.last<Joined>()->history), (std::vector<std::uint64_t>{1}));
        bob.send("r", "two");
        f.hub->settle();
        EXPECT_EQ(bob.last<Ack>()->cursor.offset, 2U);
    }
}

TEST(DurableRoom, IsNotDroppedWhileASendIsUnderWay) {
    Durable f(Durability::sync);
    f.store.by_itself = false;
    std::optional<AckAnswer> answer;
    const UserPtr ann = f.hub->hub().user_named("10.0.0.1", "ann");
    f.hub->shard().when_open("r", [&](Shard& there, const OpenRefusal& refused) {
        ASSERT_FALSE(refused);
        const auto now =
            send_at_home(there, ann, {"r", {protocol::Body::Kind::text, "one"}, {}, {}},
                         [&answer] { return [&](AckAnswer&& ack) { answer = ack; }; });
        EXPECT_FALSE(now);
    });
    f.store.work(1);
    f.hub->pass(hours(2));
    EXPECT_EQ(f.hub->shard().room_count(), 1U);
    EXPECT_FALSE(answer);
    f.store.work();
    f.hub->settle();
    ASSERT_TRUE(answer && *answer);
    EXPECT_EQ((*answer)->cursor.offset, 1U);
    f.hub->pass(hours(2));
    EXPECT_EQ(f.hub->shard().room_count(), 0U);
}

TEST(DurableRoom, CountsAgainstTheRoomsWhileItOpens) {
    Durable f(Durability::sync);
    f.config.limits.rooms = 1;
    f.restart();
    f.store.by_itself = false;
    TestSession ann(*f.hub, 0, "ann");
    TestSession bob(*f.hub, 0, "bob");
    ann.join("a");
    bob.join("b");
    f.hub->settle();
    EXPECT_EQ(bob.error(), "unavailable");
    f.store.work();
    f.hub->settle();
    EXPECT_TRUE(ann.last<Joined>());
}

TEST(DurableRoom, FullRingsHoldWhatIsStoredBackAndLoseNothing) {
    Durable f(Durability::sync, 2);
    const std::string room = f.hub->room_at(0);
    TestSession ann(*f.hub, 0, "ann");
    TestSession bob(*f.hub, 1, "bob");
    ann.join(room);
    bob.join(room);
    f.hub->settle();
    // The other shard does not turn: its ring fills.
    std::size_t acked = 0;
    for (std::size_t i = 0; i < limits::room_ring_slots_max + 3; ++i) {
        ann.send(room, "x");
        f.hub->run(0);
        f.hub->run(0);
        if (!ann.subscriber().ready()) break;
        ++acked;
    }
    EXPECT_EQ(acked, limits::room_ring_slots_max);
    EXPECT_EQ(f.store.texts(room).size(), limits::room_ring_slots_max + 1);
    f.hub->pass(milliseconds(20));
    EXPECT_TRUE(ann.subscriber().ready());
    EXPECT_EQ(ann.last<Ack>()->cursor.offset, limits::room_ring_slots_max + 1);
    EXPECT_EQ(bob.texts(room).size(), limits::room_ring_slots_max + 1);
}

TEST(DurableRoom, SearchesAskTheStoreAndMemoryAloneSaysThatItCannot) {
    Durable f(Durability::async);
    TestSession ann(*f.hub, 0, "ann");
    ann.join("r");
    f.hub->settle();
    for (const char* text : {"a pear", "an apple", "a peach", "an apple tree"}) {
        ann.send("r", text);
        f.hub->settle();
    }
    std::optional<PageAnswer> answer;
    const auto later = [&answer] { return [&](PageAnswer&& page) { answer = page; }; };
    EXPECT_FALSE(search_at_home(f.hub->shard(), "r", {"apple", 0, 1}, {}, later));
    f.hub->settle();
    ASSERT_TRUE(answer && *answer);
    EXPECT_EQ((*answer)->messages.at(0)->offset(), 4U);
    EXPECT_TRUE((*answer)->more);
    TestHub memory;
    TestSession bob(memory, 0, "bob");
    bob.join("r");
    const auto refused = search_at_home(memory.shard(), "r", {"apple", 0, 1}, {}, {});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->error().code, "not_found");
}

TEST(DurableRoom, PagesEndWhereTheRoomBegins) {
    Durable f(Durability::async);
    TestSession ann(*f.hub, 0, "ann");
    ann.join("r");
    f.hub->settle();
    for (int i = 1; i <= 30; ++i) ann.send("r", std::to_string(i)), f.hub->settle();
    const auto epoch = ann.last<Joined>()->cursor.epoch;
    for (const std::uint64_t before : {0U, 1U, 2U, 3U, 12U, 31U, 32U, 99U}) {
        ann.forget();
        ann.say(protocol::History{"r", protocol::Cursor{epoch, before}, {}, 2});
        f.hub->settle();
        const auto page = ann.last<HistoryPage>();
        ASSERT_TRUE(page) << before;
        const std::uint64_t there = before == 0 ? 0 : std::min<std::uint64_t>(before - 1, 30);
        EXPECT_EQ(page->messages.size(), std::min<std::uint64_t>(there, 2)) << before;
        EXPECT_EQ(page->more, there > 2) << before;
        if (there > 0) {
            EXPECT_EQ(page->messages.back().cursor.offset, there);
        }
    }
    std::optional<PageAnswer> found;
    const auto later = [&found] { return [&](PageAnswer&& page) { found = page; }; };
    const auto none =
        search_at_home(f.hub->shard(), "r", {"1", 0, 9}, protocol::Cursor{epoch, 1}, later);
    ASSERT_TRUE(none && *none);
    EXPECT_TRUE((*none)->messages.empty());
    const protocol::Cursor other{*protocol::Epoch::parse("other"), 5};
    EXPECT_EQ(search_at_home(f.hub->shard(), "r", {"1", 0, 9}, other, later)->error().code,
              "not_found");
}

TEST(DurableRoom, APageThatIsFollowedDoesNotRunAheadOfItsCursor) {
    Durable f(Durability::async);
    TestSession ann(*f.hub, 0, "ann");
    ann.join("r");
    f.hub->settle();
    for (int i = 1; i <= 30; ++i) ann.send("r", std::to_string(i)), f.hub->settle();
    const auto epoch = ann.last<Joined>()->cursor.epoch;
    f.store.by_itself = false;
    std::optional<PageAnswer> answer;
    static_cast<void>(page_at_home(f.hub->shard(), {"r", {}, protocol::Cursor{epoch, 10}, 50},
                                   [&answer] { return [&](PageAnswer&& a) { answer = a; }; }));
    f.store.by_itself = true;
    ann.send("r", "31");  // between the question and its answer
    f.hub->settle();
    f.store.work();
    f.hub->settle();
    ASSERT_TRUE(answer && *answer);
    EXPECT_EQ((*answer)->cursor.offset, 30U);
    EXPECT_EQ((*answer)->messages.back()->offset(), 30U);
    EXPECT_FALSE((*answer)->more);
}

TEST(DurableRoom, ThatIsOnlyLookedAtLeavesMemorySoon) {
    Durable f(Durability::sync);
    {
        TestSession ann(*f.hub, 0, "ann");
        ann.join("r");
        f.hub->settle();
        ann.send("r", "one");
        f.hub->settle();
    }
    f.restart();
    TestSession bob(*f.hub, 0, "bob");
    bob.say(protocol::History{"r", {}, {}, 50});
    f.hub->settle();
    EXPECT_EQ(bob.last<HistoryPage>()->messages.size(), 1U);
    EXPECT_EQ(f.hub->shard().room_count(), 1U);
    f.hub->pass(seconds(11));
    EXPECT_EQ(f.hub->shard().room_count(), 0U);
    bob.join("r");
    f.hub->settle();
    bob.say(protocol::Leave{"r"});
    f.hub->pass(seconds(60));
    EXPECT_EQ(f.hub->shard().room_count(), 1U) << "somebody was there";
}

TEST(DurableRoom, WhatIsInTheRingsAtTheEndIsStored) {
    Durable f(Durability::async, 2);
    const std::string room = f.hub->room_at(0);
    TestSession bob(*f.hub, 1, "bob");
    bob.join(room);
    f.hub->settle();
    bob.send(room, "the last word");
    EXPECT_TRUE(f.store.texts(room).empty());
    f.hub->hub().settle(f.hub->now());
    EXPECT_EQ(f.store.texts(room), std::vector<std::string>{"the last word"});
}

}  // namespace
}  // namespace parley::core
