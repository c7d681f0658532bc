// Flushes that wait for more to be said (flush.delay): HeldFlushes, and what Shard and Audience make
// of them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/test_session.hpp"

namespace parley::core {
namespace {

using std::chrono::microseconds;
using test::TestHub;
using test::TestSession;
using test::unlimited_config;

constexpr milliseconds delay{20};

Config held_for(milliseconds fixed, std::uint32_t shards = 1) {
    Config config = unlimited_config(shards);
    config.flush.delay = {false, fixed};
    return config;
}

// One who speaks and one who listens, in rooms of their own making.
struct Held {
    explicit Held(Config config = held_for(delay)) : hub(std::move(config)) { join("r"); }
    void join(const std::string& room) {
        speaker.join(room);
        listener.join(room);
        hub.pass(2 * delay);
        listener.forget();
        speaker.forget();
        listener.transport().writes = 0;
    }
    // Time passes, and whatever is due in it is done; nothing else.
    void pass(milliseconds time) { hub.pass(time); }
    [[nodiscard]] std::vector<std::string> heard(const std::string& room = "r") {
        return listener.texts(room);
    }
    [[nodiscard]] std::uint64_t held() const { return hub.total(Metric::flushes_held); }

    TestHub hub;
    TestSession speaker{hub, 0, "speaker"};
    TestSession listener{hub, 0, "listener"};
};

using Texts = std::vector<std::string>;

// The shard's loop has had no idle time for long, with nothing but flushes to do.
void saturate(Shard& shard) {
    for (int i = 0; i < 100; ++i) {
        shard.note_round({milliseconds(100), Duration::zero(), milliseconds(100)});
    }
}

TEST(HeldFlush, LeavesWhenItsDelayIsOverToTheMillisecond) {
    for (milliseconds fixed{1}; fixed <= milliseconds(200); fixed += milliseconds(7)) {
        Held f(held_for(fixed));
        f.pass(2 * fixed);
        f.speaker.send("r", "1");
        f.pass(fixed - milliseconds(1));
        EXPECT_EQ(f.heard(), Texts{}) << fixed.count();
        f.pass(milliseconds(1));
        EXPECT_EQ(f.heard(), Texts{"1"}) << fixed.count();
    }
}

TEST(HeldFlush, GathersWhatIsSaidMeanwhileIntoOneWrite) {
    Held f;
    Texts said;
    for (int i = 0; i < 20; ++i) {
        said.push_back(std::to_string(i));
        f.speaker.send("r", said.back());
        f.pass(milliseconds(1));
    }
    EXPECT_EQ(f.heard(), said);
    EXPECT_EQ(f.listener.transport().writes, 1u);
    EXPECT_EQ(f.hub.total(Metric::deliveries_written), 40u);
}

TEST(HeldFlush, CountsFromTheOldestAndBeginsAnewBehindIt) {
    Held f;
    f.speaker.send("r", "1");
    f.pass(delay - milliseconds(1));
    f.speaker.send("r", "2");
    f.pass(milliseconds(1));
    EXPECT_EQ(f.heard(), (Texts{"1", "2"}));
    f.speaker.send("r", "3");
    f.pass(delay - milliseconds(1));
    EXPECT_EQ(f.heard(), (Texts{"1", "2"}));
    f.pass(milliseconds(1));
    EXPECT_EQ(f.heard(), (Texts{"1", "2", "3"}));
    EXPECT_EQ(f.listener.transport().writes, 2u);
}

TEST(HeldFlush, KeepsNoAnswerWaiting) {
    Held f;
    const std::uint64_t before = f.held();
    f.speaker.send("r", "1");
    EXPECT_TRUE(f.speaker.last<protocol::Ack>());
    f.speaker.say(protocol::Ping{});
    EXPECT_TRUE(f.speaker.last<protocol::Pong>());
    EXPECT_EQ(f.heard(), Texts{});
    f.hub.settle();
    EXPECT_EQ(f.heard(), Texts{});
    EXPECT_EQ(f.held(), before + 1);
}

TEST(HeldFlush, IsOneWriteForAllRoomsOfASubscriber) {
    Held f;
    f.join("s");
    f.join("t");
    const std::uint64_t before = f.hub.total(Metric::deliveries_written);
    for (const std::string room : {"r", "s", "t"}) f.speaker.send(room, room);
    f.pass(delay);
    EXPECT_EQ(f.listener.transport().writes, 1u);
    for (const std::string room : {"r", "s", "t"}) EXPECT_EQ(f.heard(room), Texts{room});
    EXPECT_EQ(f.hub.total(Metric::deliveries_written), before + 6);
}

TEST(HeldFlush, IsDecidedByTheFirstRuleThatMatches) {
    Config config = held_for(delay);
    config.rooms = {{"now.*", OnLag::disconnect, FlushDelay{false, milliseconds(0)}},
                    {"gap.*", OnLag::gap, {}},
                    {"late.*", OnLag::disconnect, FlushDelay{false, 3 * delay}},
                    {"busy.*", OnLag::disconnect, FlushDelay{}}};
    for (const std::string room : {"now.1", "gap.1", "late.1", "busy.1", "r"}) {
        Held g(config);
        g.join(room);
        g.pass(3 * delay);
        g.speaker.send(room, "1");
        milliseconds took{0};
        for (g.hub.settle(); g.heard(room).empty(); ++took) g.pass(milliseconds(1));
        const milliseconds due = room == "late.1"                      ? 3 * delay
                                 : room == "now.1" || room == "busy.1" ? milliseconds(0)
                                                                       : delay;
        EXPECT_EQ(took, due) << room;
    }
}

TEST(HeldFlush, LeavesAtOnceWhereItFillsAShareOfTheWindow) {
    for (std::size_t window = 16; window <= 64; window *= 2) {
        Config config = held_for(delay);
        config.window.messages = window;
        Held f(config);
        Texts said;
        for (std::size_t i = 1; i <= 3 * window; ++i) {
            said.push_back(std::to_string(i));
            f.speaker.send("r", said.back());
            f.hub.settle();
            const std::size_t share = window / limits::held_window_share;
            EXPECT_EQ(f.heard().size(), i / share * share);
        }
        f.pass(delay);
        EXPECT_EQ(f.heard(), said);
        EXPECT_EQ(f.hub.total(Metric::slow_disconnects), 0u);
    }
}

TEST(HeldFlush, LeavesAtOnceWhereItIsWorthAWriteOfItsOwn) {
    Held f;
    const std::string text(10'000, 'x');
    std::size_t sent = 0;
    while (f.heard().empty()) {
        f.speaker.send("r", text);
        f.hub.settle();
        ASSERT_LE(++sent * text.size(), limits::held_bytes_max + text.size());
    }
    EXPECT_GE((sent + 1) * text.size(), limits::held_bytes_max);
    EXPECT_EQ(f.heard().size(), sent);
}

TEST(HeldFlush, IsNotLostForWhoeverLeavesMeanwhile) {
    Held f;
    f.speaker.send("r", "1");
    f.hub.settle();
    f.listener.say(protocol::Leave{"r"});
    EXPECT_EQ(f.heard(), Texts{"1"});
    EXPECT_TRUE(f.listener.last<protocol::Left>());
    f.pass(delay);
    EXPECT_EQ(f.speaker.texts("r"), Texts{"1"});
}

TEST(HeldFlush, DoesNotKeepARoomThatEverybodyHasLeft) {
    Config config = held_for(milliseconds(1000));
    config.history.idle_ttl = milliseconds(1);
    config.presence.grace = milliseconds(0);
    Held f(config);
    f.speaker.send("r", "1");
    f.hub.settle();
    f.listener.end(close_reasons::vanished);
    f.speaker.end(close_reasons::vanished);
    f.pass(milliseconds(10));
    EXPECT_EQ(f.hub.shard().room_count(), 0u);
}

TEST(HeldFlush, TakesInWhoeverJoinsMeanwhileOnce) {
    Held f;
    f.speaker.send("r", "1");
    f.pass(milliseconds(5));
    TestSession late(f.hub, 0, "late");
    late.join("r");
    f.speaker.send("r", "2");
    f.pass(delay);
    EXPECT_EQ(late.last<protocol::Joined>()->history.size(), 1u);
    EXPECT_EQ(late.texts("r"), Texts{"2"});
    EXPECT_EQ(f.heard(), (Texts{"1", "2"}));
}

TEST(HeldFlush, EndsForAllBeforeTheServerGoes) {
    Held f(held_for(milliseconds(1000)));
    f.join("s");
    f.pass(milliseconds(2000));
    f.speaker.send("r", "1");
    f.speaker.send("s", "2");
    f.hub.settle();
    EXPECT_EQ(f.heard(), Texts{});
    f.hub.shard().hold_no_more();
    f.hub.settle();
    EXPECT_EQ(f.heard("r"), Texts{"1"});
    EXPECT_EQ(f.heard("s"), Texts{"2"});
    f.speaker.send("r", "3");
    f.hub.settle();
    EXPECT_EQ(f.heard("r"), (Texts{"1", "3"}));
}

TEST(HeldFlush, IsHandedOverBeforeTheGoodbye) {
    Held f;
    f.speaker.send("r", "1");
    f.hub.settle();
    f.listener.subscriber().announce_drain();
    const auto& heard = f.listener.heard();
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_TRUE(std::holds_alternative<protocol::Message>(heard[0].message));
    EXPECT_TRUE(std::holds_alternative<protocol::Drain>(heard[1].message));
}

TEST(HeldFlush, CountsItsWaitAmongWhatAFlushTook) {
    Held f;
    Shard& shard = f.hub.shard();
    shard.note_written(f.hub.now().mono);
    const Histogram& took = shard.metrics().histogram(Measure::publish_to_written);
    const auto sum = took.sum();
    f.speaker.send("r", "1");
    f.pass(delay);
    shard.note_written(f.hub.now().mono);
    EXPECT_EQ(took.sum() - sum, static_cast<std::uint64_t>(microseconds(delay).count()));
}

TEST(AdaptiveFlush, IsHeldOnlyWithoutIdleTime) {
    Config config = unlimited_config();
    config.flush.delay_max = milliseconds(50);
    Held f(config);
    f.speaker.send("r", "1");
    f.hub.settle();
    EXPECT_EQ(f.heard(), Texts{"1"});
    f.speaker.send("r", "2");
    f.hub.settle();
    saturate(f.hub.shard());
    EXPECT_EQ(f.hub.shard().metrics().read(Level::flush_delay), 50'000u);
    f.speaker.send("r", "3");
    f.pass(milliseconds(49));
    EXPECT_EQ(f.heard(), (Texts{"1", "2"}));
    f.pass(milliseconds(1));
    EXPECT_EQ(f.heard(), (Texts{"1", "2", "3"}));
}

TEST(AdaptiveFlush, LeavesAtOnceWhenIdleTimeComesBack) {
    Held f(unlimited_config());
    saturate(f.hub.shard());
    f.speaker.send("r", "1");
    f.hub.settle();
    EXPECT_EQ(f.heard(), Texts{});
    f.hub.shard().note_round({milliseconds(200), milliseconds(200), {}});
    f.hub.settle();
    EXPECT_EQ(f.heard(), Texts{"1"});
    EXPECT_EQ(f.hub.shard().metrics().read(Level::flush_delay), 0u);
}

TEST(AdaptiveFlush, IsNotHeldForRoomsThatSeldomSpeak) {
    Config config = unlimited_config();
    config.flush.delay_max = milliseconds(50);
    Held f(config);
    // A flush of every room, but none twice within the budget: holding would spare no write.
    for (int i = 0; i < 20; ++i) {
        f.pass(milliseconds(60));
        f.speaker.send("r", std::to_string(i));
        f.hub.settle();
        EXPECT_EQ(f.heard().size(), static_cast<std::size_t>(i) + 1);
        f.hub.shard().note_round({milliseconds(100), Duration::zero(), milliseconds(100)});
    }
    EXPECT_EQ(f.held(), 0u);
}

TEST(HeldFlushes, ComeInOrderOfAgeWhateverTheOrderOfHolding) {
    const TimePoint now = TimePoint{} + std::chrono::hours(1);
    std::vector<int> ages{1, 2, 3, 4, 5};
    do {
        HeldFlushes held;
        HoldLine& line = held.line_of({false, delay});
        EXPECT_EQ(&held.line_of({false, delay}), &line);
        EXPECT_NE(&held.line_of({false, delay + milliseconds(1)}), &line);
        std::vector<std::unique_ptr<HeldFlush>> flushes;
        for (const int age : ages) {
            flushes.push_back(std::make_unique<HeldFlush>(line));
            ASSERT_TRUE(held.hold(*flushes.back(), stamp_of(now - milliseconds(age)), now));
        }
        for (int age = 5; age >= 1; --age) {
            const TimePoint due = now - milliseconds(age) + delay;
            EXPECT_EQ(held.next_due(now), due);
            EXPECT_EQ(held.take_due(due - microseconds(1)), nullptr);
            const auto at = std::ranges::find(ages, age) - ages.begin();
            EXPECT_EQ(held.take_due(due), flushes[static_cast<std::size_t>(at)].get());
        }
        EXPECT_FALSE(held.next_due(now));
    } while (std::ranges::next_permutation(ages).found);
}

TEST(HeldFlushes, TakeNothingThatIsAsOldAsItsDelay) {
    const TimePoint now = TimePoint{} + std::chrono::hours(1);
    HeldFlushes held;
    HeldFlush flush(held.line_of({false, delay}));
    for (milliseconds age{0}; age < 2 * delay; ++age) {
        EXPECT_EQ(held.hold(flush, stamp_of(now - age), now), age < delay);
        flush.end_hold();
    }
    // Of another shard, whose clock was looked at later.
    EXPECT_TRUE(held.hold(flush, stamp_of(now + milliseconds(1)), now));
    EXPECT_EQ(held.next_due(now), now + milliseconds(1) + delay);
}

}  // namespace
}  // namespace parley::core
