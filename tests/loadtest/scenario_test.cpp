#include "loadtest/scenario.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace parley::load {
namespace {

using namespace std::chrono_literals;

template <typename T>
T value_of(const Checked<T>& checked) {
    EXPECT_TRUE(checked) << (checked ? "" : checked.error().text);
    return checked ? *checked : T{};
}

Scenario valid() {
    Scenario scenario;
    scenario.url = {"127.0.0.1", 8080, "/ws"};
    return scenario;
}

TEST(Scenario, DefaultsCanBePlayed) {
    EXPECT_EQ(scenario_problem(valid()), std::nullopt);
}

TEST(Scenario, EveryRefusalNamesItsOption) {
    struct Case {
        const char* option;
        std::function<void(Scenario&)> break_it;
    };
    const Case cases[] = {
        {"--connections", [](Scenario& s) { s.connections = 0; }},
        {"--connections", [](Scenario& s) { s.connections = 1'000'001; }},
        {"--rooms", [](Scenario& s) { s.rooms = 0; }},
        {"--rooms", [](Scenario& s) { s.rooms = 101; }},
        {"--spread", [](Scenario& s) { s.spread = 0; }},
        {"--spread", [](Scenario& s) { s.spread = 101; }},
        {"--rate", [](Scenario& s) { s.rate_per_s = -1; }},
        {"--payload", [](Scenario& s) { s.payload_bytes = 33; }},
        {"--payload", [](Scenario& s) { s.payload_bytes = (1u << 20) + 1; }},
        {"--duration", [](Scenario& s) { s.duration = 0ns; }},
        {"24h", [](Scenario& s) { s.warmup = 25h; }},
        {"--slow-readers", [](Scenario& s) { s.slow_readers_percent = 101; }},
        {"--slow-readers", [](Scenario& s) { s.slow_readers_percent = 100; }},
        {"--churn", [](Scenario& s) { s.churn_per_s = -1; }},
        {"--churn",
         [](Scenario& s) {
             s.churn_per_s = 1;
             s.spread = 100;
         }},
        {"--threads", [](Scenario& s) { s.threads = 0; }},
        {"--room-prefix", [](Scenario& s) { s.room_prefix = "a b"; }},
        {"--room-prefix", [](Scenario& s) { s.room_prefix = ""; }},
    };
    for (const Case& c : cases) {
        Scenario scenario = valid();
        c.break_it(scenario);
        const auto problem = scenario_problem(scenario);
        ASSERT_TRUE(problem) << c.option;
        EXPECT_NE(problem->find(c.option), std::string::npos) << *problem;
    }
}

TEST(Scenario, SlowReadersAreAsManyAsAskedEvenlySpreadAndNeverPublish) {
    for (const double percent : {0.0, 1.0, 10.0, 33.0, 50.0, 90.0}) {
        Scenario scenario = valid();
        scenario.connections = 1000;
        scenario.rooms = 10;
        scenario.spread = 2;
        scenario.slow_readers_percent = percent;
        std::uint32_t slow = 0;
        std::uint32_t in_first_half = 0;
        for (std::uint32_t user = 0; user < scenario.connections; ++user) {
            if (!scenario.is_slow(user)) continue;
            EXPECT_GE(user, scenario.publishers());
            ++slow;
            if (user < scenario.publishers() + 490) ++in_first_half;
        }
        EXPECT_EQ(slow, scenario.slow_readers());
        EXPECT_NEAR(in_first_half, slow / 2, 1);
    }
}

TEST(Scenario, NobodyChurnsWhoPublishesOrReadsSlowly) {
    Scenario scenario = valid();
    scenario.churn_per_s = 5;
    scenario.slow_readers_percent = 30;
    scenario.rooms = 4;
    for (std::uint32_t user = 0; user < scenario.connections; ++user) {
        EXPECT_EQ(scenario.may_churn(user),
                  user >= scenario.publishers() && !scenario.is_slow(user));
    }
    scenario.churn_per_s = 0;
    EXPECT_FALSE(scenario.may_churn(99));
}

TEST(Scenario, TheFirstMembersOfEveryRoomAreItsPublishers) {
    Scenario scenario = valid();
    scenario.rooms = 7;
    scenario.spread = 3;
    std::set<std::pair<std::uint32_t, std::uint32_t>> places;
    for (std::uint32_t user = 0; user < scenario.publishers(); ++user) {
        EXPECT_LT(scenario.member_of(user), scenario.spread);
        places.emplace(scenario.room_of(user), scenario.member_of(user));
    }
    EXPECT_EQ(places.size(), 21u);
}

TEST(Scenario, DurationsAreReadAndWritten) {
    const std::pair<const char*, std::chrono::nanoseconds> known[] = {
        {"25s", 25s}, {"500ms", 500ms}, {"2m", 120s}, {"1h", 1h}, {"0s", 0s}};
    for (const auto& [text, value] : known) {
        const auto parsed = parse_duration(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(*parsed, value);
        EXPECT_EQ(format_duration(value), text);
    }
    for (const char* text : {"", "25", "s", "-1s", "1.5s", "25 s", "25sec", "9999999999s"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Scenario, SizesAreRead) {
    EXPECT_EQ(value_of(parse_size("512")), 512u);
    EXPECT_EQ(value_of(parse_size("1KiB")), 1024u);
    EXPECT_EQ(value_of(parse_size("2MiB")), 2u << 20);
    for (const char* text : {"", "KiB", "1KB", "1 KiB", "-1", "4096MiB", "99999999999"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(Scenario, UrlsAreRead) {
    const auto full = parse_url("ws://chat.example:9001/a/b?c=d");
    ASSERT_TRUE(full);
    EXPECT_EQ(full->host, "chat.example");
    EXPECT_EQ(full->port, 9001);
    EXPECT_EQ(full->path, "/a/b?c=d");
    EXPECT_EQ(value_of(parse_url("ws://h")).port, 80);
    EXPECT_EQ(value_of(parse_url("http://h")).port, 80);
    EXPECT_FALSE(value_of(parse_url("http://h")).tls);
    EXPECT_EQ(value_of(parse_url("wss://h")).port, 443);
    EXPECT_EQ(value_of(parse_url("https://h:8443")).port, 8443);
    EXPECT_TRUE(value_of(parse_url("https://h")).tls);
    EXPECT_TRUE(value_of(parse_url("wss://h")).tls);
    EXPECT_EQ(value_of(parse_url("ws://h")).path, "/");
    EXPECT_EQ(value_of(parse_url("ws://h:81?x=y")).path, "/?x=y");
    EXPECT_EQ(value_of(parse_url("ws://[::1]:82/ws")).host, "::1");
    EXPECT_EQ(value_of(parse_url("ws://[::1]:82/ws")).port, 82);
}

TEST(Scenario, UrlsThatCannotBeUsedAreRefusedInWords) {
    for (const char* text : {"", "h:80", "ftp://h/", "ws://", "ws://:80/", "ws://h:0/",
                             "ws://h:65536/", "ws://h:8x/", "ws://[::1/", "ws://h/a b"}) {
        EXPECT_FALSE(parse_url(text)) << text;
    }
}

TEST(Scenario, SourceAddressesAreListsAndRanges) {
    const auto list = parse_source_ips("127.0.0.2,127.0.0.254-127.0.1.1,::1");
    ASSERT_TRUE(list);
    const std::vector<std::string> expected = {"127.0.0.2", "127.0.0.254", "127.0.0.255",
                                               "127.0.1.0", "127.0.1.1",   "::1"};
    EXPECT_EQ(*list, expected);
    EXPECT_EQ(value_of(parse_source_ips("0.0.0.0-0.0.15.255")).size(), 4096u);
    for (const char* text : {"", ",", "127.0.0", "127.0.0.3-127.0.0.2", "a-b",
                             "0.0.0.0-255.255.255.255", "0.0.0.0-0.0.16.0"}) {
        EXPECT_FALSE(parse_source_ips(text)) << text;
    }
}

}  // namespace
}  // namespace parley::load
