// The judge of the simulation must be able to say no: each promise, broken once.
#include "sim/order_check.hpp"

#include <gtest/gtest.h>

namespace parley::sim {
namespace {

using protocol::Cursor;
using protocol::Message;

Cursor at(std::uint64_t offset, const char* epoch = "e") {
    return {*protocol::Epoch::parse(epoch), offset};
}
Message message(std::uint64_t offset, std::string text = "x") {
    return {"r", at(offset), {"id", "ann"}, {protocol::Body::Kind::text, std::move(text)}, {}, {}};
}
protocol::Joined joined(std::uint64_t from, std::uint64_t to, bool recovered) {
    protocol::Joined reply;
    reply.room = "r";
    reply.cursor = at(to);
    reply.recovered = recovered;
    for (auto offset = from; offset <= to; ++offset) reply.history.push_back(message(offset));
    reply.count = 1;
    return reply;
}

struct OrderCheckFixture {
    OrderCheck check{10};
    Place place{at(0).epoch, 1, false};
    std::size_t failures() {
        check.finish();
        return check.failures().size();
    }
};

TEST(OrderCheck, AcceptsWhatIsInOrder) {
    OrderCheckFixture f;
    f.check.joined("bob", f.place, {at(2), 50, false}, joined(3, 5, true));
    f.check.pushed("bob", f.place, message(6));
    f.check.gap("bob", f.place, {"r", 7, 9, at(9)});
    f.check.pushed("bob", f.place, message(10, "hi"));
    f.check.acked("ann", "hi", "k", {"r", at(10), {}}, 0);
    f.check.acked("ann", "hi", "k", {"r", at(10), {}}, 0);
    EXPECT_EQ(f.failures(), 0u);
    EXPECT_EQ(f.check.acks_confirmed(), 2u);
}

TEST(OrderCheck, SeesADroppedPush) {
    OrderCheckFixture f;
    f.check.pushed("bob", f.place, message(1));
    f.check.pushed("bob", f.place, message(3));
    EXPECT_EQ(f.failures(), 1u);
}

TEST(OrderCheck, SeesARepeatedPush) {
    OrderCheckFixture f;
    f.check.pushed("bob", f.place, message(1));
    f.check.pushed("bob", f.place, message(1));
    EXPECT_EQ(f.failures(), 1u);
}

TEST(OrderCheck, SeesTwoClientsHearDifferentThingsAtOnePlace) {
    OrderCheckFixture f;
    Place other = f.place;
    f.check.pushed("bob", f.place, message(1, "this"));
    f.check.pushed("eve", other, message(1, "that"));
    EXPECT_EQ(f.failures(), 1u);
}

TEST(OrderCheck, SeesAPushOfAnotherEpochOrARoomThatWasLeft) {
    OrderCheckFixture f;
    Place gone;
    f.check.pushed("bob", gone, message(1));
    EXPECT_GE(f.failures(), 1u);
    OrderCheckFixture g;
    g.place.epoch = at(0, "other").epoch;
    g.check.pushed("bob", g.place, message(1));
    EXPECT_EQ(g.failures(), 1u);
}

TEST(OrderCheck, SeesAGapThatDoesNotMeetItsEdges) {
    for (const std::uint64_t from : {1u, 2u, 4u}) {
        OrderCheckFixture f;
        f.place.next = 3;
        f.check.gap("bob", f.place, {"r", from, 7, at(7)});
        EXPECT_EQ(f.failures(), 1u);
    }
    OrderCheckFixture f;
    f.check.gap("bob", f.place, {"r", 1, 7, at(6)});
    EXPECT_EQ(f.failures(), 1u);
}

TEST(OrderCheck, SeesAResumptionThatIsNotWhole) {
    OrderCheckFixture f;
    f.check.joined("bob", f.place, {at(2), 50, false}, joined(4, 5, true));
    EXPECT_EQ(f.failures(), 1u);
}

TEST(OrderCheck, SeesARecoveryThatWasPossibleAndNotMadeAndOneThatWasNot) {
    OrderCheckFixture f;
    f.check.joined("bob", f.place, {at(2), 50, false}, joined(1, 5, false));
    EXPECT_EQ(f.failures(), 1u);
    OrderCheckFixture g;
    g.check.joined("bob", g.place, {at(2, "old"), 50, false}, joined(3, 5, true));
    EXPECT_EQ(g.failures(), 1u);
}

TEST(OrderCheck, SeesAHistoryThatIsTooShort) {
    OrderCheckFixture f;
    f.check.joined("bob", f.place, {{}, 4, false}, joined(3, 5, false));
    EXPECT_EQ(f.failures(), 1u);
}

TEST(OrderCheck, SeesAnAckForSomethingElse) {
    OrderCheckFixture f;
    f.check.pushed("bob", f.place, message(1, "hi"));
    f.check.acked("ann", "ho", {}, {"r", at(1), {}}, 0);
    f.check.acked("eve", "hi", {}, {"r", at(1), {}}, 0);
    EXPECT_EQ(f.failures(), 2u);
}

TEST(OrderCheck, SeesAKeyPublishedTwiceWithinFiveMinutes) {
    for (const std::int64_t later_ms : {0, 299'999, 300'000}) {
        OrderCheckFixture f;
        f.check.acked("ann", "hi", "k", {"r", at(1), {}}, 1000);
        f.check.acked("ann", "hi", "k", {"r", at(2), {}}, 1000 + later_ms);
        EXPECT_EQ(f.failures(), later_ms < 300'000 ? 1u : 0u);
    }
}

TEST(OrderCheck, SeesPresenceThatNobodyAskedFor) {
    OrderCheckFixture f;
    f.check.presence("bob", f.place, {"r", protocol::PresencePush::Action::count, {}, 3});
    EXPECT_EQ(f.failures(), 1u);
}

TEST(OrderCheck, SeesAHoleInAPage) {
    OrderCheckFixture f;
    f.check.page("bob", {"r", at(9), {message(3), message(5)}, false});
    EXPECT_EQ(f.failures(), 1u);
}

}  // namespace
}  // namespace parley::sim
