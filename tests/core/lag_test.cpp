// What happens to a subscriber that falls out of its room's window: OnLag.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Gap;
using protocol::Message;
using test::TestHub;
using test::TestSession;
using test::unlimited_config;

Config with_policy(OnLag on_lag, std::size_t messages) {
    Config config = unlimited_config();
    config.window.messages = messages;
    config.rooms.push_back({"*", on_lag});
    return config;
}

struct LagFixture {
    explicit LagFixture(OnLag on_lag, std::size_t messages) : hub(with_policy(on_lag, messages)) {
        speaker.join("r");
        slow.join("r");
        hub.settle();
        slow.forget();
    }
    void say(int count) {
        for (int i = 0; i < count; ++i) {
            speaker.send("r", std::to_string(++said));
            hub.settle();
        }
    }
    void type(int count) {
        for (int i = 0; i < count; ++i) {
            speaker.say(protocol::Typing{"r", true});
            hub.settle();
        }
    }
    [[nodiscard]] std::vector<std::uint64_t> offsets() {
        std::vector<std::uint64_t> found;
        for (const auto& message : slow.all<Message>()) found.push_back(message.cursor.offset);
        return found;
    }
    [[nodiscard]] Audience& audience() { return *hub.shard().find_audience("r"); }

    TestHub hub;
    TestSession speaker{hub, 0, "speaker"};
    TestSession slow{hub, 0, "slow"};
    int said = 0;
};

std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> all;
    for (auto offset = from; offset <= to; ++offset) all.push_back(offset);
    return all;
}

TEST(OnLag, ASlowSubscriberCostsTheOthersNothingAndTheRoomItsWindowOnly) {
    for (const auto on_lag : {OnLag::disconnect, OnLag::gap, OnLag::latest}) {
        LagFixture f(on_lag, 10);
        f.slow.block();
        f.say(200);
        EXPECT_EQ(f.speaker.texts("r").size(), 200u);
        EXPECT_LE(f.audience().window().size(), 10u);
    }
}

TEST(OnLag, TheWindowIsBoundedInBytesToo) {
    Config config = with_policy(OnLag::gap, 100'000);
    config.window.bytes = 20'000;
    TestHub hub(std::move(config));
    TestSession speaker(hub, 0, "speaker");
    TestSession slow(hub, 0, "slow");
    speaker.join("r");
    slow.join("r");
    slow.block();
    for (int i = 0; i < 100; ++i) {
        speaker.send("r", std::string(1000, 'x'));
        hub.settle();
        EXPECT_LE(hub.shard().find_audience("r")->window().bytes(), 20'000u);
    }
    slow.unblock();
    const auto gap = slow.last<Gap>();
    ASSERT_TRUE(gap);
    EXPECT_EQ(slow.all<Message>().front().cursor.offset, gap->to + 1);
    EXPECT_EQ(slow.all<Message>().size(), 100 - gap->to);
}

TEST(OnLag, NothingHappensWithinTheWindow) {
    for (const auto on_lag : {OnLag::disconnect, OnLag::gap, OnLag::latest}) {
        for (int said = 0; said <= 10; ++said) {
            LagFixture f(on_lag, 10);
            f.slow.block();
            f.say(said);
            f.slow.unblock();
            EXPECT_EQ(f.slow.transport().closed_for.has_value(), false);
            EXPECT_EQ(f.slow.last<Gap>(), std::nullopt);
            EXPECT_EQ(f.offsets(), range(1, static_cast<std::uint64_t>(said)));
        }
    }
}

TEST(OnLag, DisconnectEndsTheSessionAsSoonAsTheWindowLeavesItBehind) {
    LagFixture f(OnLag::disconnect, 10);
    f.slow.block();
    f.say(10);
    EXPECT_FALSE(f.slow.transport().closed_for);
    f.say(1);
    ASSERT_TRUE(f.slow.transport().closed_for);
    EXPECT_EQ(f.slow.transport().closed_for->code, 4108);
    EXPECT_EQ(f.hub.total(Metric::slow_disconnects), 1u);
    f.say(50);
    EXPECT_EQ(f.hub.total(Metric::slow_disconnects), 1u);
    EXPECT_FALSE(f.slow.subscriber().ready());
    const auto pending = f.slow.subscriber().pending();
    EXPECT_EQ(pending, 61u);
    f.slow.end(*f.slow.transport().closed_for);
    EXPECT_EQ(f.hub.total(Metric::deliveries_dropped), pending);
    // Whoever was disconnected may resume where it stood.
    TestSession again(f.hub, 0, "slow");
    again.say(protocol::Join{"r", protocol::Cursor{f.audience().room()->epoch(), 0}, 50, false});
    const auto joined = *again.last<protocol::Joined>();
    EXPECT_TRUE(joined.recovered);
    EXPECT_EQ(joined.history.size(), 61u);
    f.hub.settle();
    EXPECT_EQ(f.audience().window().size(), 0u);
}

TEST(OnLag, DisconnectMeetsEachWhenTheWindowLeavesThatOneBehind) {
    for (std::size_t first = 0; first < 4; ++first) {
        for (std::size_t second = 0; second < 4; ++second) {
            LagFixture f(OnLag::disconnect, 10);
            TestSession other(f.hub, 0, "other");
            other.join("r");
            f.slow.transport().frames_left = first;
            other.transport().frames_left = second;
            for (std::size_t said = 1; said < 20; ++said) {
                f.say(1);
                EXPECT_EQ(f.slow.transport().closed_for.has_value(), said > first + 10);
                EXPECT_EQ(other.transport().closed_for.has_value(), said > second + 10);
            }
        }
    }
}

TEST(OnLag, GapSkipsExactlyWhatIsGoneAndSaysSo) {
    for (const std::uint64_t seen : {0u, 1u, 3u}) {
        for (std::uint64_t more = 11; more < 40; more += 7) {
            LagFixture f(OnLag::gap, 10);
            f.say(static_cast<int>(seen));
            f.slow.block();
            f.say(static_cast<int>(more));
            EXPECT_EQ(f.slow.last<Gap>(), std::nullopt);  // told when it can be
            f.slow.unblock();
            const auto last = seen + more;
            const Gap expected{"r", seen + 1, last - 10, {f.audience().room()->epoch(), last - 10}};
            EXPECT_EQ(f.slow.all<Gap>(), std::vector{expected});
            auto offsets = range(1, seen);
            for (const auto offset : range(last - 9, last)) offsets.push_back(offset);
            EXPECT_EQ(f.offsets(), offsets);
            EXPECT_EQ(f.hub.total(Metric::deliveries_skipped), more - 10);
            EXPECT_EQ(f.hub.total(Metric::gaps), 1u);
        }
    }
}

TEST(OnLag, GapsOfOneSubscriberFollowEachOtherWithoutOverlap) {
    LagFixture f(OnLag::gap, 5);
    for (int round = 0; round < 6; ++round) {
        f.slow.block();
        f.say(12);
        f.slow.unblock();
    }
    std::uint64_t next = 1;
    for (const auto& frame : f.slow.heard()) {
        if (const auto* gap = std::get_if<Gap>(&frame.message)) {
            EXPECT_EQ(gap->from, next);
            EXPECT_EQ(gap->cursor.offset, gap->to);
            next = gap->to + 1;
        } else if (const auto* message = std::get_if<Message>(&frame.message)) {
            EXPECT_EQ(message->cursor.offset, next++);
        }
    }
    EXPECT_EQ(next, 73u);
}

TEST(OnLag, LatestConflatesToTheNewest) {
    LagFixture f(OnLag::latest, 10);
    f.slow.block();
    f.say(30);
    f.slow.unblock();
    const Gap expected{"r", 1, 29, {f.audience().room()->epoch(), 29}};
    EXPECT_EQ(f.slow.all<Gap>(), std::vector{expected});
    EXPECT_EQ(f.offsets(), range(30, 30));
    EXPECT_EQ(f.audience().window().size(), 0u);
}

TEST(OnLag, LatestMeansTheNewestMessageAndNotWhoTypesBehindIt) {
    LagFixture f(OnLag::latest, 10);
    f.slow.block();
    f.say(30);
    f.type(4);
    f.slow.unblock();
    EXPECT_EQ(f.offsets(), range(30, 30));
    EXPECT_EQ(f.slow.last<Gap>()->to, 29u);
    EXPECT_EQ(f.slow.all<protocol::TypingPush>().size(), 4u);
    f.slow.forget();
    f.slow.block();
    f.type(30);
    f.slow.unblock();
    EXPECT_EQ(f.slow.all<protocol::TypingPush>().size(), 1u);
    EXPECT_EQ(f.slow.last<Gap>(), std::nullopt);
}

TEST(OnLag, NoGapIsAnnouncedWhereOnlyTransientPublicationsWereMissed) {
    LagFixture f(OnLag::gap, 10);
    f.say(2);
    f.slow.block();
    f.type(30);
    f.slow.unblock();
    EXPECT_EQ(f.slow.last<Gap>(), std::nullopt);
    EXPECT_EQ(f.slow.all<protocol::TypingPush>().size(), 10u);
    EXPECT_EQ(f.hub.total(Metric::deliveries_skipped), 20u);
    f.say(1);
    EXPECT_EQ(f.offsets(), range(1, 3));
}

TEST(OnLag, AGapCountsMessagesAndNotWhatIsBetweenThem) {
    LagFixture f(OnLag::gap, 10);
    f.slow.block();
    for (int i = 0; i < 10; ++i) {
        f.say(1);
        f.type(2);
    }
    f.slow.unblock();
    // Of 30 publications the last ten are left: typing, then three times message and typing.
    const Gap expected{"r", 1, 7, {f.audience().room()->epoch(), 7}};
    EXPECT_EQ(f.slow.all<Gap>(), std::vector{expected});
    EXPECT_EQ(f.offsets(), range(8, 10));
    EXPECT_EQ(f.slow.all<protocol::TypingPush>().size(), 7u);
}

TEST(OnLag, OneRoomsWindowIsNoOtherRooms) {
    LagFixture f(OnLag::gap, 10);
    f.speaker.join("quiet");
    f.slow.join("quiet");
    f.hub.settle();
    f.slow.block();
    f.speaker.send("quiet", "kept");
    f.say(40);
    f.slow.unblock();
    EXPECT_EQ(f.slow.texts("quiet"), std::vector<std::string>{"kept"});
    EXPECT_EQ(f.slow.all<Gap>().size(), 1u);
    EXPECT_EQ(f.slow.subscriber().pending(), 0u);
}

}  // namespace
}  // namespace parley::core
