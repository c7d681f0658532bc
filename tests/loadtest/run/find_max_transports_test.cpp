// The search of the highest rate over every transport: what one step leaves unanswered must not
// stand in the way of the next.
#include <gtest/gtest.h>

#include "loadtest/chat_server.hpp"
#include "loadtest/run.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;

Scenario searching(const ChatServer& server, Transport transport) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", server.port(), "/"};
    scenario.mix = Mix(transport);
    scenario.connections = 8;
    scenario.rooms = 2;
    scenario.payload_bytes = 64;
    scenario.ramp = 5ms;
    scenario.settle = 10s;
    scenario.drain = 10s;
    scenario.find_max = FindMax{{20s}};
    scenario.find_max->step = 100ms;
    scenario.find_max->confirmation = 100ms;
    scenario.find_max->start_per_s = 100;
    scenario.find_max->rate_max_per_s = 200;
    return scenario;
}

void expect_all_borne(const Scenario& scenario, const Target& target) {
    const std::atomic<bool> interrupted{false};
    const auto report = run(scenario, target, nullptr, interrupted);
    ASSERT_TRUE(report) << report.error().text;
    ASSERT_TRUE(report->find_max);
    EXPECT_EQ(report->find_max->steps.size(), 3u) << format_table(*report);
    for (const FindMaxResult::Step& step : report->find_max->steps) {
        EXPECT_EQ(step.measured.arrived_share, 1) << format_table(*report);
    }
    ASSERT_TRUE(report->find_max->bounds.at(0).found) << format_table(*report);
    EXPECT_EQ(report->find_max->bounds[0].found->rate_per_s, 200);
}

class FindMaxOver : public ::testing::TestWithParam<Transport> {};

TEST_P(FindMaxOver, EveryTransportGoesFromStepToStep) {
    const ChatServer server({});
    expect_all_borne(searching(server, GetParam()), parley_target("/ws"));
}

INSTANTIATE_TEST_SUITE_P(Transports, FindMaxOver,
                         ::testing::Values(Transport::websocket, Transport::sse,
                                           Transport::longpoll, Transport::rest,
                                           Transport::socketio, Transport::socketio_polling),
                         [](const auto& tested) {
                             std::string name(name_of(tested.param));
                             std::erase(name, '-');
                             return name;
                         });

TEST(FindMaxRun, PublishersWhoPostGoFromStepToStep) {
    const ChatServer server({});
    const auto target = parse_target(
        "path=/ws?name=u{id}&room={room}\nexpect=\"type\":\"joined\"\n"
        "publish_http=/api/v1/rooms/{room}/messages\npublish={\"text\":\"{payload}\"}",
        "posting");
    ASSERT_TRUE(target) << target.error().text;
    expect_all_borne(searching(server, Transport::websocket), *target);
}

}  // namespace
}  // namespace parley::load
