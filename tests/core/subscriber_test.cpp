// One session on one shard: commands in, replies and pushes out.
#include "core/subscriber.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/subscriber_fixture.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::CommandId;
using protocol::Cursor;
using protocol::Join;
using protocol::Joined;
using protocol::Left;
using protocol::MemberList;
using protocol::Message;
using protocol::Welcome;
using test::SubscriberFixture;
using test::TestSession;
using test::unlimited_config;

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
    EXPECT_TRUE(welcome.features.empty());
    EXPECT_FALSE(welcome.signed_in);
}

TEST(Subscriber, IsToldWhatThisServerHasBesides) {
    Config config = unlimited_config();
    config.features = {"accounts", "files"};
    config.file_bytes = 1024;
    SubscriberFixture f(config);
    const auto welcome = *f.ann.last<Welcome>();
    EXPECT_EQ(welcome.features, config.features);
    EXPECT_EQ(welcome.limits.file_bytes, 1024u);
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
    f.say(1);
    f.ann.forget();
    f.ann.say(protocol::Typing{"r", false});
    f.ann.say(protocol::Read{"r", 7});
    f.hub.settle();
    EXPECT_EQ(f.ann.all<Ack>(), (std::vector<Ack>(2, Ack{"r", {}, {}})));
    EXPECT_EQ(*f.bob.last<protocol::TypingPush>(),
              (protocol::TypingPush{"r", f.ann.user(), false}));
    EXPECT_EQ(*f.bob.last<protocol::ReadPush>(), (protocol::ReadPush{"r", f.ann.user(), 1}))
        << "nobody has read what was not said";
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

TEST(Subscriber, ThatIsDroppedWithoutAWordLeavesItsRooms) {
    SubscriberFixture f;
    test::TestTransport transport;
    auto dropped = Subscriber::open(f.hub.shard(), transport, {"10.0.0.1", "eve"});
    dropped->handle({{}, Join{"r", {}, 50, false}});
    f.hub.settle();
    EXPECT_EQ(f.hub.shard().find_audience("r")->size(), 1u);
    dropped.reset();
    EXPECT_EQ(f.hub.shard().find_audience("r")->size(), 0u);
    f.hub.pass(std::chrono::seconds(11));
    EXPECT_EQ(f.hub.shard().room_count(), 0u);
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
