#include "loadtest/transport.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "loadtest/scenario.hpp"

namespace parley::load {
namespace {

Scenario with(const char* mix, std::uint32_t connections, std::uint32_t rooms) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", 8080, "/ws"};
    const auto parsed = parse_mix(mix);
    EXPECT_TRUE(parsed) << mix;
    scenario.mix = *parsed;
    scenario.connections = connections;
    scenario.rooms = rooms;
    return scenario;
}

std::uint32_t count_of(const Scenario& scenario, Transport transport) {
    std::uint32_t count = 0;
    for (std::uint32_t user = 0; user < scenario.connections; ++user) {
        if (scenario.transport_of(user) == transport) ++count;
    }
    return count;
}

TEST(Transport, EveryNameIsRead) {
    for (const TransportEntry& entry : transports()) {
        const auto mix = parse_transport(entry.name);
        ASSERT_TRUE(mix);
        EXPECT_TRUE(mix->only(entry.transport));
        EXPECT_NE(transport_names().find(entry.name), std::string::npos);
    }
    EXPECT_FALSE(parse_transport("pigeon"));
}

TEST(Mix, WhatDoesNotMakeAHundredIsRefused) {
    for (const char* text : {"", "sse", "sse=", "sse=99", "sse=101", "sse=50,sse=50", "sse=0",
                             "sse=x", "pigeon=100", "sse=60,rest=60", "=100"}) {
        EXPECT_FALSE(parse_mix(text)) << text;
    }
}

TEST(Mix, SharesAreExactToOneConnection) {
    for (const std::uint32_t connections : {10u, 99u, 100u, 101u, 997u, 1000u, 15000u}) {
        for (const std::uint32_t rooms : {1u, 2u, 3u, 7u, 10u}) {
            const Scenario s = with("websocket=60,sse=20,longpoll=15,rest=5", connections, rooms);
            std::uint32_t sum = 0;
            for (const TransportEntry& entry : transports()) {
                const std::uint32_t count = count_of(s, entry.transport);
                const double due = connections * s.mix.percent(entry.transport) / 100.0;
                EXPECT_NEAR(count, due, 1.5) << entry.name << " of " << connections;
                sum += count;
            }
            EXPECT_EQ(sum, connections);
        }
    }
}

TEST(Mix, EveryRoomHasEveryTransport) {
    for (const std::uint32_t rooms : {1u, 2u, 4u, 5u, 10u, 25u, 50u, 100u}) {
        const Scenario s = with("websocket=50,sse=25,longpoll=25", 40 * rooms, rooms);
        std::map<std::uint32_t, std::map<Transport, int>> by_room;
        for (std::uint32_t user = 0; user < s.connections; ++user) {
            ++by_room[s.room_of(user)][s.transport_of(user)];
        }
        for (const auto& [room, counts] : by_room) {
            EXPECT_EQ(counts.size(), 3u) << "room " << room << " of " << rooms;
            EXPECT_NEAR(counts.at(Transport::websocket), 20, 1) << rooms;
        }
    }
}

TEST(Mix, UsersOfRestComeFirstAndPublish) {
    const Scenario s = with("websocket=70,rest=30", 100, 7);
    EXPECT_EQ(s.publishers(), 30u);
    EXPECT_EQ(s.publishers_in(0), 5u);
    for (std::uint32_t user = 0; user < s.connections; ++user) {
        EXPECT_EQ(s.transport_of(user) == Transport::rest, user < 30) << user;
    }
    EXPECT_EQ(scenario_problem(s), std::nullopt);
    const auto problem = scenario_problem(with("websocket=70,rest=30", 100, 31));
    ASSERT_TRUE(problem);
    EXPECT_NE(problem->find("--rooms"), std::string::npos);
}

}  // namespace
}  // namespace parley::load
