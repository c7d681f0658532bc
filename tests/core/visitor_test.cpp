#include "core/visitor.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/test_session.hpp"

namespace parley::core {
namespace {

using test::TestHub;
using test::TestSession;

Config with_rates(double user, double address) {
    Config config;
    config.limits.session = {1000, 1000};
    config.limits.user = {10, user};
    config.limits.address = {10, address};
    return config;
}

// One request from there by that name: the code of its refusal, or nothing.
std::string ask(TestHub& hub, const std::string& address, const std::string& name) {
    Visitor visitor(hub.shard(), address);
    if (const auto refused = visitor.admit_address()) return refused->code;
    visitor.name_user(name);
    if (const auto refused = visitor.admit_user()) return refused->code;
    return {};
}

TEST(Visitor, IsTheUserThatASessionOfThatNameAndAddressIs) {
    TestHub hub;
    TestSession session(hub, 0, "ann", "10.0.0.1");
    Visitor visitor(hub.shard(), "10.0.0.1");
    visitor.name_user("ann");
    EXPECT_EQ(visitor.user()->who, session.user());
    Visitor elsewhere(hub.shard(), "10.0.0.2");
    elsewhere.name_user("ann");
    EXPECT_NE(elsewhere.user()->who.id, session.user().id);
}

TEST(Visitor, IsOneGuestAnAddressWithoutAName) {
    TestHub hub;
    const auto guest_at = [&](const std::string& address) {
        Visitor visitor(hub.shard(), address);
        visitor.name_user(std::nullopt);
        return visitor.user()->who;
    };
    EXPECT_EQ(guest_at("10.0.0.1"), guest_at("10.0.0.1"));
    EXPECT_NE(guest_at("10.0.0.1"), guest_at("10.0.0.2"));
    EXPECT_EQ(guest_at("10.0.0.1").name.substr(0, 6), "guest-");
    EXPECT_EQ(guest_at("10.0.0.1").name.size(), 10u);
}

TEST(Visitor, TakesFromTheBucketsThatSessionsTakeFrom) {
    TestHub hub(with_rates(3, 100));
    TestSession session(hub, 0, "ann", "10.0.0.1");
    EXPECT_EQ(ask(hub, "10.0.0.1", "ann"), "");
    EXPECT_FALSE(session.subscriber().admit());
    EXPECT_EQ(ask(hub, "10.0.0.1", "ann"), "");
    EXPECT_TRUE(session.subscriber().admit());
    EXPECT_EQ(ask(hub, "10.0.0.1", "ann"), "rate_limited");
    EXPECT_EQ(ask(hub, "10.0.0.1", "bob"), "");
    hub.jump(milliseconds(100));
    EXPECT_EQ(ask(hub, "10.0.0.1", "ann"), "");
}

TEST(Visitor, IsHeldByTheAddressBeforeItIsAskedForAName) {
    TestHub hub(with_rates(100, 2));
    EXPECT_EQ(ask(hub, "10.0.0.1", "ann"), "");
    EXPECT_EQ(ask(hub, "10.0.0.1", "bob"), "");
    Visitor visitor(hub.shard(), "10.0.0.1");
    const auto refused = visitor.admit_address();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->retry_after_ms, 100u);
    const TimePoint now = hub.shard().now().mono;
    EXPECT_EQ(visitor.buckets()->user_refill(now), std::nullopt);
    EXPECT_EQ(visitor.buckets()->address_refill(now), milliseconds(200));
    EXPECT_EQ(ask(hub, "10.0.0.2", "ann"), "");
    EXPECT_EQ(hub.total(Metric::rate_limited), 1u);
}

TEST(Visitor, TakesNothingWhereItIsRefused) {
    TestHub hub(with_rates(1, 100));
    EXPECT_EQ(ask(hub, "10.0.0.1", "ann"), "");
    for (int i = 0; i < 50; ++i) EXPECT_EQ(ask(hub, "10.0.0.1", "ann"), "rate_limited");
    hub.jump(milliseconds(100));
    EXPECT_EQ(ask(hub, "10.0.0.1", "ann"), "");
}

TEST(Visitor, SharesTheBucketOfItsNetwork) {
    TestHub hub(with_rates(100, 2));
    EXPECT_EQ(ask(hub, "2001:db8::1", "ann"), "");
    EXPECT_EQ(ask(hub, "2001:db8::2", "bob"), "");
    EXPECT_EQ(ask(hub, "2001:db8::3", "eve"), "rate_limited");
    EXPECT_EQ(ask(hub, "2001:db8:0:1::3", "eve"), "");
}

}  // namespace
}  // namespace parley::core
