// How what is said in a room reaches those who listen: Audience, FlushBatch and Shard's turns.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "support/test_session.hpp"

namespace parley::core {
namespace {

using test::TestHub;
using test::TestSession;
using test::unlimited_config;

std::vector<std::string> numbers(int from, int to) {
    std::vector<std::string> all;
    for (int i = from; i <= to; ++i) all.push_back(std::to_string(i));
    return all;
}

std::string name_of(std::size_t i) {
    return "user-" + std::to_string(i);
}

// A speaker and some listeners in the room "r" of one shard.
struct RoomFixture {
    explicit RoomFixture(std::size_t listening, Config config = unlimited_config())
        : hub(std::move(config)) {
        speaker.join("r");
        for (std::size_t i = 0; i < listening; ++i) {
            listeners.emplace_back(hub, 0, name_of(i)).join("r");
        }
        hub.settle();
        for (auto& listener : listeners) listener.forget();
    }
    // Says `from` to `to`, one message each.
    void say(int from, int to) {
        for (const auto& text : numbers(from, to)) speaker.send("r", text);
    }
    [[nodiscard]] Audience& audience() { return *hub.shard().find_audience("r"); }
    void expect_conservation() {
        std::uint64_t pending = speaker.subscriber().pending();
        for (auto& listener : listeners) pending += listener.subscriber().pending();
        EXPECT_EQ(hub.total(Metric::deliveries_due),
                  hub.total(Metric::deliveries_written) + hub.total(Metric::deliveries_skipped) +
                      hub.total(Metric::deliveries_filtered) +
                      hub.total(Metric::deliveries_dropped) + pending);
    }

    TestHub hub;
    TestSession speaker{hub, 0, "speaker"};
    std::deque<TestSession> listeners;
};

Config sliced(std::size_t writes) {
    Config config = unlimited_config();
    config.flush.slice_writes = writes;
    return config;
}

TEST(Audience, HandsEverythingToEverybodyInOrder) {
    // Up to three publications go as they are, more are joined into runs.
    for (int messages = 1; messages < 40; ++messages) {
        RoomFixture f(3);
        f.say(1, messages);
        f.hub.settle();
        for (auto& listener : f.listeners) EXPECT_EQ(listener.texts("r"), numbers(1, messages));
        EXPECT_EQ(f.speaker.texts("r"), numbers(1, messages));
        f.expect_conservation();
        EXPECT_EQ(f.hub.total(Metric::deliveries_written), 4u * static_cast<unsigned>(messages));
    }
}

TEST(Audience, NumbersMessagesFromOneWithoutHoles) {
    RoomFixture f(1);
    f.say(1, 10);
    f.hub.settle();
    std::uint64_t offset = 0;
    for (const auto& message : f.listeners[0].all<protocol::Message>()) {
        EXPECT_EQ(message.cursor.offset, ++offset);
        EXPECT_EQ(message.cursor.epoch, f.audience().room()->epoch());
        EXPECT_EQ(message.from, f.speaker.user());
        EXPECT_EQ(message.at, format_rfc3339(f.hub.now().wall));
    }
    EXPECT_EQ(offset, 10u);
}

TEST(Audience, WritesToASubscriberOnceATurnHoweverManyRooms) {
    TestHub hub;
    TestSession speaker(hub, 0, "speaker");
    TestSession listener(hub, 0, "listener");
    for (const auto& room : numbers(1, 20)) {
        speaker.join(room);
        listener.join(room);
    }
    hub.settle();
    for (const int messages : {1, 5}) {
        listener.transport().writes = 0;
        for (const auto& room : numbers(1, 20)) {
            for (const auto& text : numbers(1, messages)) speaker.send(room, text);
        }
        hub.run(0);
        EXPECT_EQ(listener.transport().writes, 1u);
        hub.settle();
        EXPECT_EQ(listener.transport().writes, 1u);
    }
    for (const auto& room : numbers(1, 20)) EXPECT_EQ(listener.texts(room).size(), 6u);
}

TEST(Audience, WritesNoMoreThanASliceInATurn) {
    for (std::size_t slice = 1; slice < 12; ++slice) {
        RoomFixture f(9, sliced(slice));
        f.say(1, 1);
        std::size_t before = f.hub.total(Metric::writes);
        std::size_t turns = 0;
        while (f.hub.run(0)) {
            const auto now = f.hub.total(Metric::writes);
            ASSERT_LE(now - before, slice);
            before = now;
            ++turns;
        }
        // The last turn of several may find that nothing is left but to end the pass.
        EXPECT_GE(turns, (10 + slice - 1) / slice);
        EXPECT_LE(turns, (10 + slice - 1) / slice + 1);
        for (auto& listener : f.listeners) EXPECT_EQ(listener.texts("r"), numbers(1, 1));
    }
}

TEST(Audience, OfManyDoesNotHoldUpTheRoomOfOne) {
    RoomFixture f(300, sliced(10));
    TestSession quiet(f.hub, 0, "quiet");
    TestSession friendly(f.hub, 0, "friendly");
    quiet.join("small");
    friendly.join("small");
    f.hub.settle();
    f.say(1, 1);
    friendly.send("small", "hi");
    f.hub.run(0);
    f.hub.run(0);
    EXPECT_EQ(quiet.texts("small"), std::vector<std::string>{"hi"});
    EXPECT_GT(f.audience().window().size(), 0u);
    f.hub.settle();
}

TEST(Audience, RestsWhenEverythingIsHandedOver) {
    RoomFixture f(5);
    f.say(1, 100);
    f.hub.settle();
    EXPECT_TRUE(f.audience().done());
    EXPECT_EQ(f.audience().window().size(), 0u);
    EXPECT_FALSE(f.hub.run(0));
}

TEST(Audience, TakesInWhoeverJoinsInTheMiddleOfAPass) {
    for (int at = 0; at < 10; ++at) {
        RoomFixture f(6, sliced(1));
        f.say(1, 3);
        for (int turn = 0; turn < at; ++turn) f.hub.run(0);
        TestSession late(f.hub, 0, "late");
        late.join("r");
        f.say(4, 5);
        f.hub.settle();
        for (auto& listener : f.listeners) EXPECT_EQ(listener.texts("r"), numbers(1, 5));
        EXPECT_EQ(late.last<protocol::Joined>()->history.size(), 3u) << at;
        EXPECT_EQ(late.texts("r"), numbers(4, 5)) << at;
    }
}

TEST(Audience, GoesOnWhenAnyoneLeavesAtAnyPointOfAPass) {
    for (int at = 0; at < 10; ++at) {
        for (std::size_t who = 0; who < 6; ++who) {
            RoomFixture f(6, sliced(1));
            f.say(1, 2);
            for (int turn = 0; turn < at; ++turn) f.hub.run(0);
            f.listeners[who].say(protocol::Leave{"r"});
            f.say(3, 3);
            f.hub.settle();
            for (std::size_t i = 0; i < 6; ++i) {
                if (i == who) continue;
                ASSERT_EQ(f.listeners[i].texts("r"), numbers(1, 3)) << at << ' ' << who << ' ' << i;
            }
            ASSERT_LE(f.listeners[who].texts("r").size(), 2u);
            f.expect_conservation();
        }
    }
}

TEST(Audience, CarriesWhatIsSaidInTheMiddleOfAPassToAll) {
    for (int at = 0; at < 10; ++at) {
        RoomFixture f(6, sliced(1));
        f.say(1, 1);
        for (int turn = 0; turn < at; ++turn) f.hub.run(0);
        f.say(2, 7);
        f.hub.settle();
        for (auto& listener : f.listeners) EXPECT_EQ(listener.texts("r"), numbers(1, 7));
        EXPECT_TRUE(f.audience().done());
        f.expect_conservation();
    }
}

TEST(Audience, GoesOnWhereATransportBlockedAfterAnyNumberOfFrames) {
    for (std::size_t frames = 0; frames < 5; ++frames) {
        RoomFixture f(2);
        f.listeners[0].transport().frames_left = frames;
        f.say(1, 3);
        f.hub.settle();
        f.expect_conservation();
        EXPECT_EQ(f.listeners[1].texts("r"), numbers(1, 3));
        const auto first = static_cast<int>(std::min<std::size_t>(frames, 3));
        EXPECT_EQ(f.listeners[0].texts("r"), numbers(1, first));
        f.say(4, 20);
        f.hub.settle();
        f.listeners[0].unblock();
        EXPECT_EQ(f.listeners[0].texts("r"), numbers(1, 20));
        EXPECT_EQ(f.audience().window().size(), 0u);
        f.expect_conservation();
    }
}

// A transport may keep what it is handed until the slice has ended.
TEST(Audience, LetsGoOfNothingBeforeTheSliceThatHandedItOverHasEnded) {
    for (std::size_t writes = 1; writes < 6; ++writes) {
        RoomFixture f(3, sliced(writes));
        test::HandLoop& loop = f.hub.loop();
        loop.slices = 0;
        std::size_t ends = 0;
        loop.at_slice_end = [&] {
            ++ends;
            EXPECT_EQ(f.audience().window().size(), 1U);
            EXPECT_EQ(loop.in_slice, 0);
        };
        f.say(1, 1);
        f.hub.settle();
        EXPECT_EQ(f.audience().window().size(), 0U);
        EXPECT_EQ(ends, static_cast<std::size_t>(loop.slices));
    }
}

// More runs in one turn than are kept: those that make way are let go once what was handed over has
// left, and not at the end of the slice.
TEST(Audience, DropsRunsThatMadeWayOnlyBehindWhatWasHandedOver) {
    RoomFixture f(2);
    test::HandLoop& loop = f.hub.loop();
    loop.slices = 0;
    std::size_t most_retired = 0;
    loop.at_slice_end = [&] {
        EXPECT_EQ(loop.in_slice, 0);
        most_retired = std::max(most_retired, f.hub.shard().retired_frames().size());
    };
    const std::size_t messages = 2 * RunCache::runs_max * limits::run_bytes_max / 10'000;
    for (std::size_t i = 0; i < messages; ++i) f.speaker.send("r", std::string(10'000, 'x'));
    f.hub.run(0);
    EXPECT_GT(most_retired, 0U) << "what was handed over may still name them";
    EXPECT_GT(loop.slices, 1) << "in one turn";
    f.hub.settle();
    EXPECT_TRUE(f.hub.shard().retired_frames().empty());
    EXPECT_EQ(loop.in_slice, 0);
    for (auto& listener : f.listeners) EXPECT_EQ(listener.texts("r").size(), messages);
    f.expect_conservation();
}

TEST(Audience, KeepsNothingOnceTheLastThatWasBehindIsGone) {
    for (const bool unblocks : {true, false}) {
        RoomFixture f(3);
        f.listeners[0].block();
        f.listeners[2].block();
        f.say(1, 50);
        f.hub.settle();
        EXPECT_EQ(f.audience().window().size(), 50u);
        f.listeners[0].unblock();
        EXPECT_EQ(f.audience().window().size(), 50u);
        if (unblocks) {
            f.listeners[2].unblock();
        } else {
            f.listeners[2].end(close_reasons::vanished);
        }
        EXPECT_EQ(f.audience().window().size(), 0u);
        f.hub.settle();
        if (!unblocks) f.listeners.pop_back();
        f.expect_conservation();
    }
}

TEST(Audience, PassesPresenceOverForThoseWhoDidNotAsk) {
    // Alone, among messages, and joined into a run.
    for (const int messages : {0, 1, 2, 8}) {
        RoomFixture f(1);
        TestSession watcher(f.hub, 0, "watcher");
        watcher.join("r", true);
        f.hub.settle();
        f.listeners[0].forget();
        TestSession visitor(f.hub, 0, "visitor");
        visitor.join("r");
        f.say(1, messages);
        visitor.say(protocol::Leave{"r"});
        f.hub.settle();
        EXPECT_EQ(f.listeners[0].heard().size(), static_cast<std::size_t>(messages));
        EXPECT_EQ(watcher.all<protocol::PresencePush>().size(), 2u);
        EXPECT_EQ(f.listeners[0].subscriber().pending(), 0u);
        EXPECT_GT(f.hub.total(Metric::deliveries_filtered), 0u);
    }
}

TEST(Audience, PassesACountOverInALargeRoomWithoutAWrite) {
    Config config = unlimited_config();
    config.presence.roster_max = 3;
    RoomFixture f(700, config);
    TestSession watcher(f.hub, 0, "watcher");
    watcher.join("r", true);
    f.listeners[5].block();
    f.hub.pass(std::chrono::seconds(2));
    const auto writes = f.hub.total(Metric::writes);
    TestSession visitor(f.hub, 0, "visitor");
    visitor.join("r");
    f.hub.settle();
    EXPECT_EQ(watcher.all<protocol::PresencePush>().back().count, 703u);
    EXPECT_EQ(f.hub.total(Metric::writes), writes + 1);
    f.say(1, 1);
    f.hub.settle();
    f.listeners[5].unblock();
    for (auto& listener : f.listeners) {
        EXPECT_EQ(listener.subscriber().pending(), 0u);
        EXPECT_EQ(listener.texts("r"), numbers(1, 1));
        EXPECT_EQ(listener.subscriber().cursor_in("r")->offset, 1u);
    }
    EXPECT_EQ(f.audience().window().size(), 0u);
}

TEST(Audience, CountsWhatAFailedTransportTookAsHandedOver) {
    RoomFixture f(1);
    f.listeners[0].transport().failed = true;
    f.say(1, 5);
    f.hub.settle();
    EXPECT_EQ(f.listeners[0].subscriber().pending(), 0u);
    f.expect_conservation();
}

TEST(Audience, HandsOverMoreThanABatchHoldsInSeveralWrites) {
    RoomFixture f(1);
    f.listeners[0].block();
    const std::string large(16 * 1024, 'x');
    for (int i = 0; i < 100; ++i) f.speaker.send("r", large);
    f.hub.settle();
    f.listeners[0].transport().writes = 0;
    f.listeners[0].unblock();
    EXPECT_EQ(f.listeners[0].texts("r").size(), 100u);
    EXPECT_GE(f.listeners[0].transport().writes, 100u * large.size() / (2 * FlushBatch::bytes_max));
    f.expect_conservation();
}

TEST(Audience, CountsNoWriteWhereNothingWasTaken) {
    RoomFixture f(1);
    f.listeners[0].block();
    const auto before = f.hub.total(Metric::writes);
    f.say(1, 1);
    f.hub.settle();
    EXPECT_EQ(f.hub.total(Metric::writes), before + 1);  // the speaker's
    EXPECT_EQ(f.hub.total(Metric::writes_blocked), 1u);
}

}  // namespace
}  // namespace parley::core
