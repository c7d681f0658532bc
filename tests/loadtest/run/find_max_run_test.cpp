// The search of the highest rate against a real server: the same connections through all steps.
#include <gtest/gtest.h>

#include "loadtest/broadcast_server.hpp"
#include "loadtest/chat_server.hpp"
#include "loadtest/run.hpp"
#include "loadtest/thread_cost.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;

Scenario searching(std::uint16_t port) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", port, "/"};
    scenario.connections = 8;
    scenario.rooms = 2;
    scenario.spread = 2;
    scenario.payload_bytes = 64;
    scenario.ramp = 5ms;
    scenario.settle = 10s;
    scenario.drain = 10s;
    scenario.threads = 2;
    // Bounds that a busy machine keeps: what is looked at here is not its speed.
    scenario.find_max = FindMax{{20s}};
    scenario.find_max->step = 100ms;
    scenario.find_max->confirmation = 200ms;
    scenario.find_max->start_per_s = 100;
    scenario.find_max->rate_max_per_s = 400;
    return scenario;
}

Report search_on(Mischief mischief, void (*change)(Scenario&) = nullptr) {
    const BroadcastServer server(mischief);
    Scenario scenario = searching(server.port());
    if (change != nullptr) change(scenario);
    Target target;
    target.path = "/r/{room}";
    const std::atomic<bool> interrupted{false};
    const auto report = run(scenario, target, nullptr, interrupted);
    EXPECT_TRUE(report) << (report ? "" : report.error().text);
    return report ? *report : Report{};
}

TEST(FindMaxRun, TheSameConnectionsGoThroughAllStepsAndEachHasBooksOfItsOwn) {
    const Report report = search_on(Mischief::none);
    ASSERT_TRUE(report.find_max);
    EXPECT_EQ(report.exit_code(), ExitCode::clean) << format_table(report);
    const FindMaxResult& result = *report.find_max;
    ASSERT_EQ(result.steps.size(), 4u) << format_table(report);  // 100, 200, 400, confirmed
    ASSERT_TRUE(result.bounds.at(0).found);
    EXPECT_EQ(result.bounds[0].found->rate_per_s, 400);
    EXPECT_EQ(result.bounds[0].limited_by, Limit::rate);
    for (const FindMaxResult::Step& step : result.steps) {
        EXPECT_EQ(step.measured.arrived_share, 1);
        EXPECT_EQ(step.measured.closed, 0u);
    }
    EXPECT_EQ(report.tally.opened, 8u);
    EXPECT_EQ(report.tally.rejoined, 0u);
    // 25 ms of warm-up and 200 ms at 400 messages a second to four members each.
    EXPECT_EQ(report.tally.published, 90u);
    EXPECT_EQ(report.tally.steady.expected, 360u);
    EXPECT_EQ(report.tally.steady.received, 360u);
    EXPECT_EQ(report.tally.steady.lost, 0u);
    EXPECT_EQ(report.tally.latency.count(), 320u);
}

TEST(FindMaxRun, WhoeverAStepHasCostTheConnectionIsBackInTheNext) {
    const Report report = search_on(Mischief::hang_up);
    ASSERT_TRUE(report.find_max);
    const FindMaxResult& result = *report.find_max;
    EXPECT_EQ(result.steps.at(0).measured.closed, 1u);
    StepResult first = result.steps[0].measured;
    first.generator_limited = false;  // whatever the machine was doing
    EXPECT_EQ(judge(first, 20 * ns_per_s), Limit::connections);
    for (std::size_t i = 1; i < result.steps.size(); ++i) {
        EXPECT_EQ(result.steps[i].measured.closed, 0u);
        EXPECT_EQ(result.steps[i].measured.arrived_share, 1) << i;
    }
    EXPECT_EQ(result.bounds.at(0).found->rate_per_s, 400);
    EXPECT_EQ(report.tally.opened, 8u);
    EXPECT_EQ(report.tally.steady.lost, 0u);
}

TEST(FindMaxRun, APollingGeneratorMeasuresTheSame) {
    const Report report = search_on(Mischief::none, [](Scenario& scenario) {
        scenario.spin = true;
        scenario.threads = 1;
    });
    ASSERT_TRUE(report.find_max);
    EXPECT_EQ(report.find_max->bounds.at(0).found->rate_per_s, 400);
    EXPECT_EQ(report.tally.steady.received, 360u);
}

TEST(FindMaxRun, WaitingAwakeIsNotCountedAsWork) {
    constexpr std::int64_t awake_ns = 50 * ns_per_ms;
    CostMeter works;
    CostMeter waits;
    for (CostMeter* const meter : {&works, &waits}) meter->look(0, 0, ns_per_s);
    for (const std::int64_t from_ns = thread_cpu_ns(); thread_cpu_ns() < from_ns + awake_ns;) {
    }
    waits.waited_awake(awake_ns);
    for (CostMeter* const meter : {&works, &waits}) meter->look(ns_per_s, 0, ns_per_s);
    EXPECT_GE(works.cost().busy, 0.05);
    EXPECT_LT(waits.cost().busy, works.cost().busy - 0.025);
}

class FindMaxSecurely : public ::testing::TestWithParam<std::tuple<Transport, bool>> {};

TEST_P(FindMaxSecurely, EveryStepBringsEverythingOnceAndInOrder) {
    const auto [transport, tls] = GetParam();
    const TestCertificate certificate;
    const ChatServer server({.tls = tls ? &certificate : nullptr});
    Scenario scenario = searching(server.port());
    scenario.url.tls = tls;
    if (tls) scenario.tls.ca_file = certificate.path();
    scenario.mix = Mix(transport);
    scenario.senders = 3;
    const std::atomic<bool> interrupted{false};
    const auto report = run(scenario, parley_target("/ws"), nullptr, interrupted);
    ASSERT_TRUE(report) << report.error().text;
    ASSERT_TRUE(report->find_max);
    EXPECT_EQ(report->exit_code(), ExitCode::clean) << format_table(*report);
    EXPECT_EQ(report->find_max->steps.size(), 4u) << format_table(*report);
    ASSERT_TRUE(report->find_max->bounds.at(0).found);
    EXPECT_EQ(report->find_max->bounds[0].found->rate_per_s, 400);
    EXPECT_EQ(report->tally.published, 90u);
    EXPECT_EQ(report->tally.steady.lost, 0u);
    EXPECT_EQ(report->tally.steady.received, entry_of(transport).listens ? 360u : 0u);
    const bool answered = transport != Transport::websocket;
    EXPECT_EQ(report->tally.answered, answered ? 90u : 0u);
}

INSTANTIATE_TEST_SUITE_P(PlainAndTls, FindMaxSecurely,
                         ::testing::Combine(::testing::Values(Transport::websocket, Transport::sse,
                                                              Transport::longpoll, Transport::rest,
                                                              Transport::socketio,
                                                              Transport::socketio_polling),
                                            ::testing::Bool()),
                         [](const auto& tested) {
                             std::string name(name_of(std::get<0>(tested.param)));
                             std::erase(name, '-');
                             return name + (std::get<1>(tested.param) ? "Tls" : "Plain");
                         });

}  // namespace
}  // namespace parley::load
