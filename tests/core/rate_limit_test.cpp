// Subscriber::admit(): the token buckets of sessions, users and addresses.
#include <gtest/gtest.h>

#include "core/address_key.hpp"
#include "support/test_session.hpp"

namespace parley::core {
namespace {

using test::TestHub;
using test::TestSession;

Config with_rates(double session, double user, double address) {
    Config config;
    config.limits.session = {10, session};
    config.limits.user = {10, user};
    config.limits.address = {10, address};
    return config;
}

int admitted(TestSession& session, int commands = 1000) {
    int count = 0;
    for (int i = 0; i < commands; ++i) count += session.subscriber().admit() ? 0 : 1;
    return count;
}

TEST(RateLimits, HoldASessionToItsBurstAndItsRate) {
    TestHub hub(with_rates(5, 1000, 1000));
    TestSession ann(hub, 0, "ann");
    EXPECT_EQ(admitted(ann), 5);
    hub.jump(milliseconds(300));
    EXPECT_EQ(admitted(ann), 3);
    EXPECT_EQ(hub.total(Metric::rate_limited), 2000u - 8u);
    EXPECT_EQ(hub.total(Metric::commands), 2000u);
}

TEST(RateLimits, HoldAUserWhateverSessionsSpeak) {
    TestHub hub(with_rates(100, 5, 1000));
    TestSession one(hub, 0, "ann");
    TestSession two(hub, 0, "ann");
    TestSession bob(hub, 0, "bob");
    EXPECT_EQ(admitted(one, 3) + admitted(two, 3), 5);
    EXPECT_EQ(admitted(bob, 3), 3);
}

TEST(RateLimits, HoldAnAddressWhoeverSpeaksFromIt) {
    TestHub hub(with_rates(100, 100, 5));
    TestSession ann(hub, 0, "ann", "10.0.0.1");
    TestSession bob(hub, 0, "bob", "10.0.0.1");
    TestSession eve(hub, 0, "eve", "10.0.0.2");
    EXPECT_EQ(admitted(ann, 3) + admitted(bob, 3), 5);
    EXPECT_EQ(admitted(eve, 3), 3);
}

TEST(RateLimits, AreNotEscapedByReconnecting) {
    TestHub hub(with_rates(100, 5, 1000));
    int count = 0;
    for (int i = 0; i < 10; ++i) {
        TestSession again(hub, 0, "ann");
        count += admitted(again, 3);
    }
    EXPECT_EQ(count, 5);
}

TEST(RateLimits, SayWhenToTryAgain) {
    TestHub hub(with_rates(1, 1000, 1000));
    TestSession ann(hub, 0, "ann");
    EXPECT_FALSE(ann.subscriber().admit());
    auto refused = ann.subscriber().admit();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, "rate_limited");
    EXPECT_TRUE(refused->temporary);
    EXPECT_EQ(refused->retry_after_ms, 100u);
    ann.subscriber().refuse(protocol::CommandId{std::int64_t{3}}, std::move(*refused));
    EXPECT_EQ(ann.error(), "rate_limited");
    hub.jump(milliseconds(100));
    EXPECT_FALSE(ann.subscriber().admit());
}

TEST(RateLimits, EndASessionThatDoesNotHeedThem) {
    TestHub hub(with_rates(1, 1000, 1000));
    TestSession ann(hub, 0, "ann");
    static_cast<void>(ann.subscriber().admit());
    for (std::uint32_t i = 0; i < LimitsConfig{}.errors_in_a_row; ++i) {
        EXPECT_FALSE(ann.transport().closed_for);
        auto refused = ann.subscriber().admit();
        ASSERT_TRUE(refused);
        ann.subscriber().refuse(protocol::CommandId{}, std::move(*refused));
    }
    ASSERT_TRUE(ann.transport().closed_for);
    EXPECT_EQ(ann.transport().closed_for->code, 4129);
}

TEST(RateLimits, AreOnlyCountedInADryRun) {
    Config config = with_rates(5, 1000, 1000);
    config.limits.dry_run = true;
    TestHub hub(config);
    TestSession ann(hub, 0, "ann");
    EXPECT_EQ(admitted(ann, 100), 100);
    EXPECT_EQ(hub.total(Metric::rate_limited), 95u);
    // As many as would have been refused: what is counted takes no token.
    hub.jump(milliseconds(300));
    EXPECT_EQ(admitted(ann, 10), 10);
    EXPECT_EQ(hub.total(Metric::rate_limited), 95u + 7u);
}

TEST(RateLimits, CountAnIpv6NetworkOf64BitsAsOneAddress) {
    TestHub hub(with_rates(100, 100, 5));
    TestSession ann(hub, 0, "ann", "2001:db8:1:2::1");
    TestSession bob(hub, 0, "bob", "2001:db8:1:2:3:4:5:6");
    TestSession eve(hub, 0, "eve", "2001:db8:1:3::1");
    EXPECT_EQ(admitted(ann, 3) + admitted(bob, 3), 5);
    EXPECT_EQ(admitted(eve, 3), 3);
}

TEST(RateLimits, HoldARoomWhateverShardItIsSpokenFrom) {
    Config config;
    config.shards = 2;
    config.limits.room = {10, 4};
    TestHub hub(config);
    TestSession ann(hub, 0, "ann");
    TestSession bob(hub, 1, "bob");
    for (TestSession* session : {&ann, &bob}) {
        session->join("lobby");
        session->join("other");
    }
    hub.settle();
    const auto refused = [&hub] { return hub.total(Metric::room_rate_limited); };
    for (int i = 0; i < 3; ++i) {
        ann.send("lobby", "hi");
        bob.send("lobby", "hi");
    }
    EXPECT_EQ(refused(), 2u);
    EXPECT_EQ(hub.total(Metric::messages_published), 4u);
    bob.send("other", "hi");
    EXPECT_EQ(hub.total(Metric::messages_published), 5u) << "another room has its own";
    hub.jump(milliseconds(100));
    ann.say(protocol::Typing{"lobby", true});
    EXPECT_EQ(hub.total(Metric::transients_published), 1u);
    bob.say(protocol::Typing{"lobby", true});
    EXPECT_EQ(refused(), 3u);
    EXPECT_EQ(bob.error(), "rate_limited");
}

TEST(RateLimits, OfARoomSayWhenToTryAgainAndSpareRepeatedKeysAndPresence) {
    Config config;
    config.limits.room = {10, 1};
    TestHub hub(config);
    TestSession ann(hub, 0, "ann");
    ann.join("lobby", true);
    ann.send("lobby", "hi", "key");
    ann.send("lobby", "hi", "key");
    EXPECT_EQ(hub.total(Metric::duplicates_answered), 1u) << "it was published once and is free";
    ann.send("lobby", "more");
    EXPECT_EQ(hub.total(Metric::room_rate_limited), 1u);
    EXPECT_EQ(ann.error(), "rate_limited");
    const auto transients = hub.total(Metric::transients_published);
    TestSession bob(hub, 0, "bob");
    bob.join("lobby", true);
    EXPECT_EQ(hub.total(Metric::transients_published), transients + 1) << "bob's arrival";
    EXPECT_EQ(hub.total(Metric::room_rate_limited), 1u);
}

TEST(RateLimits, OfARoomAreOnlyCountedInADryRunAndOffWithTheOthers) {
    Config config;
    config.limits.room = {10, 1};
    for (const bool enabled : {true, false}) {
        config.limits.enabled = enabled;
        config.limits.dry_run = enabled;
        TestHub hub(config);
        TestSession ann(hub, 0, "ann");
        ann.join("lobby");
        for (int i = 0; i < 3; ++i) ann.send("lobby", "hi");
        EXPECT_EQ(hub.total(Metric::messages_published), 3u);
        EXPECT_EQ(hub.total(Metric::room_rate_limited), enabled ? 2u : 0u);
    }
}

TEST(AddressKey, IsOneForEveryAddressThatCountsAsOne) {
    struct Row {
        std::string_view address, key;
    };
    for (const Row& row : {
             Row{"192.0.2.1", "192.0.2.1"},
             Row{"::ffff:192.0.2.1", "192.0.2.1"},
             Row{"2001:db8:1:2::1", "2001:db8:1:2::/64"},
             Row{"2001:0DB8:0001:0002:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
             Row{"::1", "::/64"},
             Row{"fe80::1%eth0", "fe80::/64"},
             Row{"nobody", "nobody"},
             Row{"", ""},
         }) {
        EXPECT_EQ(address_key(row.address), row.key);
    }
}

TEST(RateLimits, DoNotExistWhereLimitsAreOff) {
    Config config = with_rates(1, 1, 1);
    config.limits.enabled = false;
    TestHub hub(config);
    TestSession ann(hub, 0, "ann");
    EXPECT_EQ(admitted(ann), 1000);
    EXPECT_EQ(hub.total(Metric::rate_limited), 0u);
    EXPECT_EQ(hub.hub().user_buckets().size(), 0u);
}

TEST(RateLimits, FollowTheUserToItsNewName) {
    TestHub hub(with_rates(100, 2, 1000));
    TestSession ann(hub, 0, "ann");
    EXPECT_EQ(admitted(ann, 5), 2);
    ann.say(protocol::Hello{"eve", {}});
    EXPECT_EQ(admitted(ann, 5), 2);
    ann.say(protocol::Hello{"ann", {}});
    EXPECT_EQ(admitted(ann, 5), 0);
}

}  // namespace
}  // namespace parley::core
