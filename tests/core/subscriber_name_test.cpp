// A session that takes another name, and a transport whose writer changes.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/cross_shard_fixture.hpp"
#include "core/subscriber_fixture.hpp"

namespace parley::core {
namespace {

using protocol::MemberList;
using protocol::PresencePush;
using test::SubscriberFixture;
using test::TestSession;

std::vector<std::string> presence(TestSession& session) {
    std::vector<std::string> out;
    for (const auto& push : session.all<PresencePush>()) {
        const bool came = push.action == PresencePush::Action::join;
        out.push_back((came ? "+" : "-") + push.user->name + std::to_string(push.count));
    }
    return out;
}

TEST(SubscriberName, ChangesInJoinedRoomsToo) {
    SubscriberFixture f;
    f.bob.join("r", true);
    f.ann.join("r");
    f.hub.settle();
    f.bob.forget();
    EXPECT_EQ(f.ann.subscriber().take_name("eve"), std::nullopt);
    f.hub.settle();
    EXPECT_EQ(presence(f.bob), (std::vector<std::string>{"+eve2", "-ann2"}));
    f.ann.send("r", "hi");
    f.hub.settle();
    EXPECT_EQ(f.bob.all<protocol::Message>().back().from.name, "eve");
    f.ann.end(close_reasons::normal);
    f.hub.settle();
    EXPECT_EQ(presence(f.bob).back(), "-eve1");
}

TEST(SubscriberName, CostsATokenForEachRoomBeyondTheFirst) {
    Config config;
    config.limits.session = {1.0, 2.0};
    SubscriberFixture f(config);
    for (const std::string room : {"r", "s", "t", "u"}) f.ann.join(room);
    f.hub.settle();
    EXPECT_EQ(f.ann.subscriber().take_name("eve")->code, "rate_limited");
    EXPECT_EQ(f.ann.user().name, "ann");
}

TEST(SubscriberName, StaysWhereItIsTheSameOrBad) {
    SubscriberFixture f;
    f.bob.join("r", true);
    f.ann.join("r");
    f.hub.settle();
    f.bob.forget();
    EXPECT_EQ(f.ann.subscriber().take_name("ann"), std::nullopt);
    EXPECT_NE(f.ann.subscriber().take_name(" x"), std::nullopt);
    EXPECT_NE(f.ann.subscriber().take_name(""), std::nullopt);
    f.hub.settle();
    EXPECT_TRUE(presence(f.bob).empty());
    EXPECT_EQ(f.ann.user().name, "ann");
}

TEST(SubscriberName, IsToldToTheHomeOnAnotherShard) {
    test::TwoShards f;
    TestSession ann(f.hub, test::away, "ann");
    ann.join(f.room);
    f.hub.settle();
    EXPECT_EQ(ann.subscriber().take_name("eve"), std::nullopt);
    f.hub.settle();
    ann.say(protocol::Members{f.room});
    f.hub.settle();
    const auto members = *ann.last<MemberList>();
    EXPECT_EQ(members.count, 1u);
    EXPECT_EQ(members.members.front().name, "eve");
    ann.end(close_reasons::normal);
    f.expect_nothing_left();
}

// A transport that writes through another, and then through a third.
class MovingTransport : public test::TestTransport {
public:
    explicit MovingTransport(FrameWriter& first) { set_writer(first); }
    void move_to(FrameWriter& next) { set_writer(next); }
};

TEST(SubscriberWriter, IsAnotherForAllRoomsOnceItWasTold) {
    test::TestHub hub;
    test::TestTransport first;
    test::TestTransport next;
    MovingTransport transport(first);
    const auto subscriber = Subscriber::open(hub.shard(), transport, {"127.0.0.1", "ann"});
    TestSession bob(hub, 0, "bob");
    const auto join_room = [&subscriber](const char* room) {
        protocol::Join join;
        join.room = room;
        subscriber->handle({{}, std::move(join)});
    };
    join_room("r");
    bob.join("r");
    bob.send("r", "one");
    hub.settle();
    transport.move_to(next);
    subscriber->writer_changed();
    bob.send("r", "two");
    hub.settle();
    EXPECT_NE(first.bytes.find("one"), std::string::npos);
    EXPECT_EQ(first.bytes.find("two"), std::string::npos);
    EXPECT_NE(next.bytes.find("two"), std::string::npos);
    EXPECT_EQ(next.bytes.find("one"), std::string::npos);
    subscriber->closed(close_reasons::normal);
}

}  // namespace
}  // namespace parley::core
