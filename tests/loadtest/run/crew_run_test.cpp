// Whole runs of several parts: a coordinator and its workers in threads of the test, against a server
// of the test; and of phases and personas.
#include <gtest/gtest.h>

#include <future>

#include "loadtest/broadcast_server.hpp"
#include "loadtest/coordinator.hpp"
#include "loadtest/crew_session.hpp"
#include "loadtest/run.hpp"
#include "loadtest/run/short_scenario.hpp"
#include "loadtest/worker_link.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;

// The report of `workers` workers, each as its process would be.
Checked<Report> run_crew(Scenario scenario, unsigned workers) {
    const std::atomic<bool> interrupted{false};
    CommandLine line;
    line.target = echo_target();
    line.crew.coordinator = "127.0.0.1:0";
    line.crew.expect = workers;
    scenario.split.of = workers;
    line.scenario = scenario;
    Coordinator coordinator(line, {}, interrupted);
    EXPECT_EQ(coordinator.error(), "");
    std::vector<std::thread> parts;
    for (unsigned n = 0; n < workers; ++n) {
        parts.emplace_back([&] {
            WorkerLink link(std::move(*connect_to(coordinator.address())));
            const auto order = link.await_order();
            ASSERT_TRUE(order) << order.error().text;
            Scenario part = scenario;
            part.split = {order->worker, order->workers};
            const auto report = run(part, echo_target(), nullptr, interrupted, &link);
            ASSERT_TRUE(report) << report.error().text;
            link.send_result(*report);
        });
    }
    auto report = coordinator.lead();
    for (std::thread& part : parts) part.join();
    return report;
}

TEST(CrewRun, SeveralProcessesCountWhatOneDoes) {
    for (unsigned workers = 1; workers <= 4; ++workers) {
        const BroadcastServer server(Mischief::none);
        const auto report = run_crew(short_scenario(server.port()), workers);
        ASSERT_TRUE(report) << report.error().text;
        EXPECT_FALSE(report->faulty()) << format_table(*report);
        EXPECT_EQ(report->tally.opened, 12u);
        EXPECT_EQ(report->tally.published, 40u);
        EXPECT_EQ(report->tally.steady.expected, 240u);
        EXPECT_EQ(report->tally.steady.received, 240u);
        EXPECT_EQ(report->tally.latency.count(), 216u);
    }
}

TEST(CrewRun, WhatIsLostBetweenProcessesIsFound) {
    const BroadcastServer server(Mischief::drop);
    Scenario scenario = short_scenario(server.port());
    scenario.drain = 2s;
    const auto report = run_crew(scenario, 3);
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_EQ(report->exit_code(), ExitCode::faulty);
    EXPECT_EQ(report->tally.steady.lost, 1u);
}

Persona persona(const char* name, Persona::Kind kind, double weight) {
    Persona persona;
    persona.name = name;
    persona.kind = kind;
    persona.weight = weight;
    return persona;
}

Scenario phased(std::uint16_t port) {
    Scenario scenario = short_scenario(port);
    const auto phase = [](const char* name, std::uint32_t connections, double rate) {
        Phase one;
        one.name = name;
        one.duration = 300ms;
        one.connections = connections;
        one.ramp = 100ms;
        one.rates = {rate};
        return one;
    };
    scenario.phases = {phase("few", 6, 20), phase("all", 12, 100), phase("few again", 6, 40)};
    scenario.phases[0].measured = false;
    scenario.personas = {persona("talkers", Persona::Kind::talker, 25),
                         persona("listeners", Persona::Kind::listener, 75)};
    assign_parts(scenario);
    return scenario;
}

TEST(CrewRun, PhasesAndPersonasAreToldByThemselvesByOneProcessOrSeveral) {
    for (const unsigned workers : {1u, 2u}) {
        const BroadcastServer server(Mischief::none);
        const std::atomic<bool> interrupted{false};
        const Scenario scenario = phased(server.port());
        const auto report = workers == 1 ? run(scenario, echo_target(), nullptr, interrupted)
                                         : run_crew(scenario, workers);
        ASSERT_TRUE(report) << report.error().text;
        EXPECT_FALSE(report->faulty()) << format_table(*report);
        ASSERT_EQ(report->by_persona.size(), 2u);
        EXPECT_EQ(report->by_persona[0].opened, 3u);
        // A machine that is busy elsewhere may be too late for a short phase.
        EXPECT_GE(report->by_persona[1].opened, 3u);
        EXPECT_LE(report->by_persona[1].opened, 9u);
        EXPECT_EQ(report->by_persona[1].published, 0u);
        const auto& phases = report->tally.phases;
        ASSERT_EQ(phases.size(), 3u);
        EXPECT_EQ(phases[0].published, 6u);
        EXPECT_EQ(phases[1].published, 30u);
        EXPECT_EQ(phases[2].published, 12u);
        EXPECT_EQ(report->tally.published, 48u);
        EXPECT_LE(phases[0].opened + phases[1].opened + phases[2].opened, 6u);
        EXPECT_EQ(report->tally.latency.count(),
                  phases[1].latency.count() + phases[2].latency.count());
        EXPECT_NEAR(report->window_s, 0.6, 1e-9);
    }
}

TEST(CrewRun, AStormCutsTheListenersOffAndTheyAreBack) {
    const BroadcastServer server(Mischief::none);
    const std::atomic<bool> interrupted{false};
    Scenario scenario = phased(server.port());
    for (Phase& phase : scenario.phases) phase.connections = 12;
    scenario.phases[1].storm_percent = 100;
    scenario.phases[1].storm_over = 100ms;
    const auto report = run(scenario, echo_target(), nullptr, interrupted);
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_FALSE(report->faulty()) << format_table(*report);
    EXPECT_EQ(report->by_persona[1].churned, 9u);
    EXPECT_EQ(report->by_persona[1].rejoined, 9u);
    EXPECT_EQ(report->by_persona[0].churned, 0u);
}

}  // namespace
}  // namespace parley::load
