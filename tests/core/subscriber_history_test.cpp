// What a session is given of what was said before it came: joining, resuming and paging.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/subscriber_fixture.hpp"

namespace parley::core {
namespace {

using protocol::Cursor;
using protocol::HistoryPage;
using protocol::Join;
using protocol::Joined;
using protocol::Message;
using test::SubscriberFixture;
using test::unlimited_config;

std::vector<std::uint64_t> offsets(const std::vector<Message>& messages) {
    std::vector<std::uint64_t> found;
    for (const auto& message : messages) found.push_back(message.cursor.offset);
    return found;
}

std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> all;
    for (auto offset = from; offset <= to; ++offset) all.push_back(offset);
    return all;
}

TEST(Subscriber, JoinsWithTheEndOfTheHistory) {
    for (const int said : {0, 1, 5, 60}) {
        for (const std::uint32_t asked : {0u, 1u, 5u, 50u, 200u}) {
            SubscriberFixture f;
            f.ann.join("r");
            f.say(said);
            f.bob.join("r", false, asked);
            const auto joined = *f.bob.last<Joined>();
            const auto last = static_cast<std::uint64_t>(said);
            EXPECT_EQ(joined.cursor, (Cursor{f.epoch(), last}));
            EXPECT_FALSE(joined.recovered);
            EXPECT_EQ(offsets(joined.history),
                      range(last - std::min<std::uint64_t>(last, asked) + 1, last));
            EXPECT_EQ(joined.count, 2u);
            EXPECT_FALSE(joined.members);
            f.ann.send("r", "next");
            f.hub.settle();
            EXPECT_EQ(offsets(f.bob.all<Message>()), range(last + 1, last + 1));
        }
    }
}

TEST(Subscriber, ResumesAtEveryOffsetThatIsRetained) {
    Config config = unlimited_config();
    config.history.messages = 10;
    for (std::uint64_t since = 0; since <= 25; ++since) {
        SubscriberFixture f(config);
        f.ann.join("r");
        f.say(20);
        f.bob.say(Join{"r", Cursor{f.epoch(), since}, 3, false});
        const auto joined = *f.bob.last<Joined>();
        EXPECT_EQ(joined.cursor.offset, 20u);
        EXPECT_EQ(joined.recovered, since >= 10 && since <= 20) << since;
        // Everything that followed, or the last few that were asked for.
        EXPECT_EQ(offsets(joined.history), joined.recovered ? range(since + 1, 20) : range(18, 20));
    }
}

TEST(Subscriber, DoesNotRecoverFromAnEarlierLifeOfTheRoom) {
    SubscriberFixture f;
    f.ann.join("r");
    f.say(5);
    f.bob.say(Join{"r", Cursor{*protocol::Epoch::parse("other"), 3}, 50, false});
    EXPECT_FALSE(f.bob.last<Joined>()->recovered);
    EXPECT_EQ(offsets(f.bob.last<Joined>()->history), range(1, 5));
}

TEST(Subscriber, RecoversMoreThanOneAnswerHolds) {
    Config config = unlimited_config();
    config.history.messages = 1000;
    SubscriberFixture f(config);
    f.ann.join("r");
    f.say(700);
    f.bob.say(Join{"r", Cursor{f.epoch(), 100}, 50, false});
    EXPECT_TRUE(f.bob.last<Joined>()->recovered);
    EXPECT_EQ(offsets(f.bob.last<Joined>()->history), range(101, 700));
}

TEST(Subscriber, PagesThroughTheHistory) {
    SubscriberFixture f;
    f.ann.join("r");
    f.say(30);
    const auto page = [&f](std::optional<std::uint64_t> before, std::optional<std::uint64_t> since,
                           std::uint32_t limit) {
        const auto cursor = [&f](std::optional<std::uint64_t> offset) {
            return offset ? std::optional(Cursor{f.epoch(), *offset}) : std::nullopt;
        };
        f.bob.say(protocol::History{"r", cursor(before), cursor(since), limit});
        return *f.bob.last<HistoryPage>();
    };
    EXPECT_EQ(offsets(page({}, {}, 7).messages), range(24, 30));
    EXPECT_TRUE(page({}, {}, 7).more);
    EXPECT_EQ(offsets(page(24, {}, 7).messages), range(17, 23));
    EXPECT_EQ(offsets(page(3, {}, 7).messages), range(1, 2));
    EXPECT_FALSE(page(3, {}, 7).more);
    EXPECT_EQ(offsets(page({}, 0, 7).messages), range(1, 7));
    EXPECT_TRUE(page({}, 0, 7).more);
    EXPECT_EQ(offsets(page({}, 28, 7).messages), range(29, 30));
    EXPECT_FALSE(page({}, 28, 7).more);
    EXPECT_EQ(page({}, 30, 7).messages.size(), 0u);
    EXPECT_EQ(page({}, {}, 7).cursor, (Cursor{f.epoch(), 30}));
}

TEST(Subscriber, IsToldWhereAPageOfHistoryIsNotThere) {
    Config config = unlimited_config();
    config.history.messages = 5;
    SubscriberFixture f(config);
    const auto refusal = [&f](std::optional<Cursor> before, std::optional<Cursor> since) {
        f.bob.forget();
        f.bob.say(protocol::History{"r", before, since, 10});
        return f.bob.error();
    };
    EXPECT_EQ(refusal({}, {}), "not_found");  // no such room
    f.bob.say(protocol::Members{"r"});
    EXPECT_EQ(f.bob.error(), "not_found");
    EXPECT_EQ(f.hub.shard().room_count(), 0u);
    f.ann.join("r");
    f.say(20);
    const Cursor other{*protocol::Epoch::parse("other"), 18};
    EXPECT_EQ(refusal({}, {}), "");
    EXPECT_EQ(refusal(other, {}), "not_found");
    EXPECT_EQ(refusal({}, other), "not_found");
    EXPECT_EQ(refusal({}, Cursor{f.epoch(), 14}), "not_found");
    EXPECT_EQ(refusal({}, Cursor{f.epoch(), 15}), "");
    EXPECT_EQ(refusal({}, Cursor{f.epoch(), 21}), "not_found");
    EXPECT_EQ(refusal(Cursor{f.epoch(), 3}, {}), "");
}

}  // namespace
}  // namespace parley::core
