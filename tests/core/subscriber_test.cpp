// One session on one shard: commands in, replies and pushes out.
#include "core/subscriber.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::CommandId;
using protocol::Cursor;
using protocol::HistoryPage;
using protocol::Join;
using protocol::Joined;
using protocol::Left;
using protocol::MemberList;
using protocol::Message;
using protocol::Welcome;
using test::TestHub;
using test::TestSession;
using test::unlimited_config;

struct SubscriberFixture {
    explicit SubscriberFixture(Config config = unlimited_config()) : hub(std::move(config)) {}

    TestHub hub;
    TestSession ann{hub, 0, "ann"};
    TestSession bob{hub, 0, "bob"};

    [[nodiscard]] protocol::Epoch epoch(const std::string& room = "r") {
        return hub.shard().find_audience(room)->room()->epoch();
    }
    void say(int count) {
        for (int i = 1; i <= count; ++i) ann.send("r", std::to_string(i));
        hub.settle();
    }
};

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

TEST(Subscriber, IsWelcomedWithWhatTheServerAccepts) {
    Config config = unlimited_config();
    config.server_name = "here";
    SubscriberFixture f(config);
    const auto welcome = *f.ann.last<Welcome>();
    EXPECT_EQ(welcome.user.name, "ann");
    EXPECT_EQ(welcome.user, f.ann.user());
    EXPECT_EQ(welcome.heartbeat_ms, 25'000u);
    EXPECT_EQ(welcome.limits.text_bytes, config.limits.text_bytes);
    EXPECT_EQ(welcome.limits.message_bytes, config.limits.message_bytes);
    EXPECT_EQ(welcome.limits.rooms, config.limits.rooms_per_session);
    EXPECT_EQ(welcome.limits.history, 200u);
    EXPECT_EQ(welcome.server, "here");
    EXPECT_FALSE(welcome.session.empty());
    EXPECT_NE(welcome.session, f.bob.last<Welcome>()->session);
    EXPECT_EQ(f.hub.total(Metric::sessions_opened), 2u);
}

TEST(Subscriber, WithoutANameIsAGuest) {
    SubscriberFixture f;
    TestSession one(f.hub, 0, std::nullopt);
    TestSession other(f.hub, 0, std::nullopt);
    EXPECT_EQ(one.user().name.substr(0, 6), "guest-");
    EXPECT_NE(one.user().name, other.user().name);
    EXPECT_EQ(one.error(), "");
}

TEST(Subscriber, WithABadNameIsAGuestAndIsToldSo) {
    SubscriberFixture f;
    TestSession session(f.hub, 0, "a\nb");
    EXPECT_EQ(session.user().name.substr(0, 6), "guest-");
    EXPECT_EQ(session.error(), "bad_request");
}

TEST(Subscriber, TakesAnotherNameBeforeItsFirstRoom) {
    SubscriberFixture f;
    f.ann.say(protocol::Hello{"eve", {}}, std::string("h"));
    EXPECT_EQ(f.ann.last<Welcome>()->user.name, "eve");
    EXPECT_EQ(f.ann.heard().back().id, CommandId(std::string("h")));
    EXPECT_NE(f.ann.user().id, f.bob.user().id);
    f.ann.join("r");
    f.ann.say(protocol::Hello{"mallory", {}});
    EXPECT_EQ(f.ann.error(), "conflict");
    EXPECT_EQ(f.ann.user().name, "eve");
    f.ann.say(protocol::Hello{{}, {}});
    EXPECT_EQ(f.ann.last<Welcome>()->user.name, "eve");
}

TEST(Subscriber, AnswersEachCommandThatHasAnIdOnceWithThatId) {
    SubscriberFixture f;
    f.ann.forget();
    const std::vector<protocol::Command> commands{
        protocol::Hello{{}, {}},
        Join{"r", {}, 50, true},
        protocol::Send{"r", {protocol::Body::Kind::text, "x"}, {}, {}},
        protocol::Send{"r", {protocol::Body::Kind::text, "x"}, "key", {}},
        protocol::Typing{"r", true},
        protocol::Read{"r", 1},
        protocol::History{"r", {}, {}, 5},
        protocol::Members{"r"},
        protocol::Leave{"r"},
        protocol::Ping{},
        protocol::Leave{"r"}};
    std::int64_t id = 0;
    for (const auto& command : commands) f.ann.say(command, ++id);
    f.hub.settle();
    std::int64_t answered = 0;
    for (const auto& frame : f.ann.heard()) {
        if (const auto* number = std::get_if<std::int64_t>(&frame.id)) {
            EXPECT_EQ(*number, ++answered);
        }
    }
    EXPECT_EQ(answered, id);
}

TEST(Subscriber, AcknowledgesWithoutAnIdInSilence) {
    SubscriberFixture f;
    f.ann.join("r");
    f.ann.forget();
    f.ann.send("r", "plain", {}, {});
    f.ann.send("r", "keyed", "key", {});
    f.ann.say(protocol::Typing{"r", true}, {});
    EXPECT_TRUE(f.ann.heard().empty());
    f.ann.send("elsewhere", "refused", {}, {});
    EXPECT_EQ(f.ann.error(), "not_joined");
}

TEST(Subscriber, IsSentItsOwnMessagesBesideTheAck) {
    SubscriberFixture f;
    f.ann.join("r");
    f.ann.send("r", "hello");
    f.hub.settle();
    const auto ack = *f.ann.last<Ack>();
    const auto message = *f.ann.last<Message>();
    EXPECT_EQ(ack.room, "r");
    EXPECT_EQ(ack.cursor, (Cursor{f.epoch(), 1}));
    EXPECT_EQ(message.cursor, ack.cursor);
    EXPECT_EQ(message.at, ack.at);
    EXPECT_EQ(message.body.content, "hello");
    EXPECT_EQ(message.from, f.ann.user());
}

TEST(Subscriber, SendsDataAndEventsAsTheyAre) {
    SubscriberFixture f;
    f.ann.join("r");
    f.ann.say(protocol::Send{"r", {protocol::Body::Kind::data, R"({"x":[1,2]})"}, {}, "move"});
    f.hub.settle();
    const auto message = *f.ann.last<Message>();
    EXPECT_EQ(message.body, (protocol::Body{protocol::Body::Kind::data, R"({"x":[1,2]})"}));
    EXPECT_EQ(message.event, "move");
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

TEST(Subscriber, PublishesAKeyOnceAndAcknowledgesItAsOftenAsItComes) {
    SubscriberFixture f;
    f.ann.join("r");
    f.ann.send("r", "first", "k");
    const auto ack = *f.ann.last<Ack>();
    f.ann.send("r", "between");
    f.hub.pass(std::chrono::minutes(4));
    f.ann.send("r", "again", "k");
    EXPECT_EQ(*f.ann.last<Ack>(), ack);
    f.bob.join("r");
    f.bob.send("r", "another's", "k");
    EXPECT_EQ(f.bob.last<Ack>()->cursor.offset, 3u);
    // After five minutes the key is free again.
    f.hub.pass(std::chrono::minutes(1));
    f.ann.send("r", "later", "k");
    EXPECT_EQ(f.ann.last<Ack>()->cursor.offset, 4u);
    f.hub.settle();
    EXPECT_EQ(f.ann.texts("r"),
              (std::vector<std::string>{"first", "between", "another's", "later"}));
    EXPECT_EQ(f.hub.total(Metric::duplicates_answered), 1u);
}

TEST(Subscriber, KnowsItsKeyAgainFromAnotherAddress) {
    SubscriberFixture f;
    f.ann.join("r");
    f.ann.send("r", "first", "k");
    TestSession roaming(f.hub, 0, "ann", "10.9.8.7");
    roaming.join("r");
    roaming.send("r", "first", "k");
    EXPECT_EQ(roaming.last<Ack>()->cursor, f.ann.last<Ack>()->cursor);
}

TEST(Subscriber, PassesOnTypingAndReadWithoutAnOffset) {
    SubscriberFixture f;
    f.ann.join("r");
    f.bob.join("r");
    f.ann.say(protocol::Typing{"r", false});
    f.ann.say(protocol::Read{"r", 7});
    f.hub.settle();
    EXPECT_EQ(f.ann.all<Ack>(), (std::vector<Ack>(2, Ack{"r", {}, {}})));
    EXPECT_EQ(*f.bob.last<protocol::TypingPush>(),
              (protocol::TypingPush{"r", f.ann.user(), false}));
    EXPECT_EQ(*f.bob.last<protocol::ReadPush>(), (protocol::ReadPush{"r", f.ann.user(), 7}));
    f.say(1);
    EXPECT_EQ(f.bob.last<Message>()->cursor.offset, 1u);
    EXPECT_EQ(f.hub.total(Metric::transients_published), 2u);
    EXPECT_EQ(f.hub.total(Metric::messages_published), 1u);
}

TEST(Subscriber, HearsNothingAnyMoreOfARoomItLeft) {
    SubscriberFixture f;
    f.ann.join("r");
    f.bob.join("r");
    f.bob.say(protocol::Leave{"r"});
    EXPECT_EQ(*f.bob.last<Left>(), Left{"r"});
    f.say(3);
    EXPECT_TRUE(f.bob.texts("r").empty());
    f.bob.send("r", "not there");
    EXPECT_EQ(f.bob.error(), "not_joined");
    f.bob.join("r");
    EXPECT_EQ(f.bob.last<Joined>()->history.size(), 3u);
}

TEST(Subscriber, ThatSendsRubbishIsRefusedAndThenClosed) {
    Config config;
    config.limits.errors_in_a_row = 3;
    SubscriberFixture f(config);
    f.ann.subscriber().refuse(protocol::DecodeError{"no JSON", std::int64_t{9}});
    EXPECT_EQ(f.ann.heard().back().id, CommandId(std::int64_t{9}));
    EXPECT_EQ(f.ann.error(), "bad_request");
    f.ann.say(protocol::Ping{});
    f.ann.send("r", "not joined");
    f.ann.send("r", "not joined");
    EXPECT_FALSE(f.ann.transport().closed_for);
    f.ann.send("r", "not joined");
    ASSERT_TRUE(f.ann.transport().closed_for);
    EXPECT_EQ(f.ann.transport().closed_for->code, 4009);
    EXPECT_FALSE(f.ann.subscriber().ready());
    EXPECT_EQ(f.hub.total(Metric::errors), 4u);
}

TEST(Subscriber, AnnouncesADrainWithARetryOfItsOwn) {
    SubscriberFixture f;
    std::vector<std::uint64_t> drawn;
    for (int i = 0; i < 50; ++i) {
        f.ann.subscriber().announce_drain();
        drawn.push_back(f.ann.last<protocol::Drain>()->retry_after_ms);
        EXPECT_GE(drawn.back(), 500u);
        EXPECT_LE(drawn.back(), 10'000u);
    }
    std::ranges::sort(drawn);
    EXPECT_GT(std::ranges::unique(drawn).begin() - drawn.begin(), 40);
}

TEST(Subscriber, CountsItsEndOnce) {
    SubscriberFixture f;
    f.ann.join("r");
    f.ann.end(close_reasons::vanished);
    EXPECT_EQ(f.hub.total(Metric::sessions_closed), 1u);
}

TEST(Subscriber, WhoListsMembersSeesEachUserOnce) {
    SubscriberFixture f;
    TestSession second(f.hub, 0, "ann");
    f.ann.join("r");
    second.join("r");
    f.bob.join("r", true);
    EXPECT_EQ(f.bob.last<Joined>()->count, 2u);
    EXPECT_EQ(f.bob.last<Joined>()->members->size(), 2u);
    TestSession outside(f.hub, 0, "eve");
    outside.say(protocol::Members{"r"});
    EXPECT_EQ(outside.last<MemberList>()->count, 2u);
    EXPECT_EQ(outside.last<MemberList>()->members.size(), 2u);
}

TEST(Subscriber, CannotMakeMoreRoomsThanTheServerKeeps) {
    Config config = unlimited_config();
    config.limits.rooms = 2;
    SubscriberFixture f(config);
    f.ann.join("a");
    f.ann.join("b");
    f.ann.join("c");
    EXPECT_EQ(f.ann.error(), "unavailable");
    f.bob.join("b");
    EXPECT_EQ(f.bob.error(), "");
    f.ann.say(protocol::Leave{"a"});
    f.hub.settle();
    f.ann.join("c");
    EXPECT_EQ(f.ann.all<Joined>().size(), 3u);
}

}  // namespace
}  // namespace parley::core
