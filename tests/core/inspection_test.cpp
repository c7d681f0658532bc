#include "core/inspection.hpp"

#include <gtest/gtest.h>

#include "support/test_session.hpp"

namespace parley::core {
namespace {

using test::TestHub;
using test::TestSession;

TEST(Inspection, FindsNobodyWhereEverybodyHasEverything) {
    TestHub hub;
    TestSession ann(hub, 0, "ann");
    ann.join("r");
    ann.send("r", "one");
    hub.settle();
    const auto sessions = inspect_sessions(hub.shard(), Weight::lag, 10);
    EXPECT_TRUE(sessions.rows.empty());
    EXPECT_TRUE(sessions.all);
    const auto rooms = inspect_rooms(hub.shard(), Weight::bytes, 10);
    ASSERT_EQ(rooms.rows.size(), 1U);
    EXPECT_EQ(rooms.rows[0].room, "r");
    EXPECT_TRUE(rooms.rows[0].home);
    EXPECT_EQ(rooms.rows[0].listeners, 1U);
    EXPECT_EQ(rooms.rows[0].members, 1U);
    EXPECT_EQ(rooms.rows[0].lag, 0U);
    EXPECT_EQ(rooms.rows[0].window_bytes, 0U);
    EXPECT_EQ(rooms.rows[0].history_messages, 1U);
    EXPECT_GT(rooms.rows[0].history_bytes, 0U);
}

// Bob lags by many small messages, Eve by one large one.
struct LaggingFixture {
    TestHub hub;
    TestSession ann{hub, 0, "ann"};
    TestSession bob{hub, 0, "bob", "192.0.2.7"};
    TestSession eve{hub, 0, "eve"};

    LaggingFixture() {
        for (const auto* room : {"many", "large"}) ann.join(room);
        bob.join("many");
        eve.join("large");
        hub.settle();
        bob.block();
        eve.block();
        for (int i = 0; i < 5; ++i) ann.send("many", "x");
        ann.send("large", std::string(10'000, 'x'));
        hub.settle();
    }
};

TEST(Inspection, ListsTheHeaviestSessionsFirst) {
    LaggingFixture f;
    const auto by_lag = inspect_sessions(f.hub.shard(), Weight::lag, 10);
    ASSERT_EQ(by_lag.rows.size(), 2U);
    EXPECT_EQ(by_lag.rows[0].user_name, "bob");
    EXPECT_EQ(by_lag.rows[0].address, "192.0.2.7");
    EXPECT_EQ(by_lag.rows[0].transport, "test");
    EXPECT_EQ(by_lag.rows[0].room, "many");
    EXPECT_EQ(by_lag.rows[0].rooms, 1U);
    EXPECT_EQ(by_lag.rows[0].lag, 5U);
    EXPECT_EQ(by_lag.rows[1].user_name, "eve");
    EXPECT_EQ(by_lag.rows[1].lag, 1U);
    EXPECT_GE(by_lag.rows[1].lag_bytes, 10'000U);
    const auto by_bytes = inspect_sessions(f.hub.shard(), Weight::bytes, 1);
    ASSERT_EQ(by_bytes.rows.size(), 1U);
    EXPECT_EQ(by_bytes.rows[0].user_name, "eve");
}

TEST(Inspection, ListsTheHeaviestRoomsFirst) {
    LaggingFixture f;
    const auto by_lag = inspect_rooms(f.hub.shard(), Weight::lag, 1);
    ASSERT_EQ(by_lag.rows.size(), 1U);
    EXPECT_EQ(by_lag.rows[0].room, "many");
    EXPECT_EQ(by_lag.rows[0].lag, 5U);
    const auto by_bytes = inspect_rooms(f.hub.shard(), Weight::bytes, 10);
    ASSERT_EQ(by_bytes.rows.size(), 2U);
    EXPECT_EQ(by_bytes.rows[0].room, "large");
    EXPECT_GE(by_bytes.rows[0].window_bytes, 10'000U);
    EXPECT_EQ(by_bytes.rows[0].listeners, 2U);
}

TEST(Inspection, KeepsTheTopOfManyInOrder) {
    TestHub hub;
    TestSession ann(hub, 0, "ann");
    for (int i = 0; i < 50; ++i) {
        // In an order that is neither up nor down.
        const int size = (i * 37) % 50;
        const std::string room = "r" + std::to_string(size);
        ann.join(room);
        ann.send(room, std::string(static_cast<std::size_t>(size) + 1, 'x'));
    }
    hub.settle();
    const auto rooms = inspect_rooms(hub.shard(), Weight::bytes, 5);
    std::vector<std::string> names;
    for (const auto& row : rooms.rows) names.push_back(row.room);
    EXPECT_EQ(names, (std::vector<std::string>{"r49", "r48", "r47", "r46", "r45"}));
    EXPECT_EQ(rooms.looked_at, 50U);
}

}  // namespace
}  // namespace parley::core
