#include "loadtest/run.hpp"

#include <gtest/gtest.h>

#include "loadtest/broadcast_server.hpp"
#include "loadtest/run/short_scenario.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;

Scenario scenario_for(std::uint16_t port) {
    Scenario scenario = short_scenario(port);
    scenario.connections = 8;
    scenario.drain = 40ms;
    scenario.threads = 2;
    return scenario;
}

Report run_against(Mischief mischief, const Scenario& changes = {}) {
    const BroadcastServer server(mischief);
    Scenario scenario = scenario_for(server.port());
    scenario.churn_per_s = changes.churn_per_s;
    scenario.slow_readers_percent = changes.slow_readers_percent;
    // A busy machine may be late, but what was sent arrives; only what was dropped is waited for in
    // vain.
    if (mischief != Mischief::drop) scenario.drain = mischief == Mischief::none ? 10s : 2s;
    const std::atomic<bool> interrupted{false};
    const auto report = run(scenario, echo_target(), nullptr, interrupted);
    EXPECT_TRUE(report) << (report ? "" : report.error().text);
    return report ? *report : Report{};
}

TEST(Run, AgainstAnHonestServerEverythingArrivesOnceAndInOrder) {
    const Report report = run_against(Mischief::none);
    EXPECT_FALSE(report.faulty()) << format_table(report);
    EXPECT_EQ(report.tally.opened, 8u);
    EXPECT_EQ(report.tally.published, 40u);
    EXPECT_EQ(report.tally.steady.expected, 160u);
    EXPECT_EQ(report.tally.steady.received, 160u);
    EXPECT_EQ(report.tally.latency.count(), 144u);
}

TEST(Run, SlowReadersAndChurnDoNotSpoilTheBooks) {
    Scenario changes;
    changes.slow_readers_percent = 25;
    changes.churn_per_s = 50;
    const Report report = run_against(Mischief::none, changes);
    EXPECT_FALSE(report.faulty()) << format_table(report);
    EXPECT_GT(report.tally.churned, 0u);
    EXPECT_EQ(report.tally.rejoined, report.tally.churned);
    EXPECT_EQ(report.tally.slow.received, 40u);
    EXPECT_EQ(report.tally.slow.lost, 0u);
}

TEST(Run, OneLostDeliveryIsFound) {
    const Report report = run_against(Mischief::drop);
    EXPECT_EQ(report.exit_code(), ExitCode::faulty);
    EXPECT_GE(report.tally.steady.lost, 1u);
    EXPECT_EQ(report.tally.steady.duplicate, 0u);
}

TEST(Run, OneDuplicateIsFound) {
    const Report report = run_against(Mischief::duplicate);
    EXPECT_EQ(report.exit_code(), ExitCode::faulty);
    EXPECT_EQ(report.tally.steady.duplicate, 1u);
}

TEST(Run, OneReorderedDeliveryIsFound) {
    // One publisher a room: with more, a swap of two publishers' messages breaks no order.
    const BroadcastServer server(Mischief::reorder);
    Scenario scenario = scenario_for(server.port());
    scenario.spread = 1;
    scenario.drain = 2s;
    const std::atomic<bool> interrupted{false};
    const auto report = run(scenario, echo_target(), nullptr, interrupted);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->exit_code(), ExitCode::faulty);
    EXPECT_EQ(report->tally.steady.out_of_order, 1u);
}

TEST(Run, AConnectionThatTheServerEndsIsFound) {
    const Report report = run_against(Mischief::hang_up);
    EXPECT_EQ(report.exit_code(), ExitCode::faulty);
    EXPECT_EQ(report.tally.dropped, 1u);
    EXPECT_EQ(report.tally.closes.at(1006), 1u);
}

TEST(Run, AServerThatIsNotThereIsToldAtOnce) {
    // Bound, so that nobody else gets the port, but not listening.
    const FileDescriptor taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(taken.get(), generic, size), 0);
    ASSERT_EQ(::getsockname(taken.get(), generic, &size), 0);
    const std::atomic<bool> interrupted{false};
    const auto report =
        run(scenario_for(ntohs(address.sin_port)), echo_target(), nullptr, interrupted);
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().text.find("cannot connect to 127.0.0.1"), std::string::npos);
}

TEST(Run, AnInterruptedRunEndsEarlyAndSaysSo) {
    const BroadcastServer server(Mischief::none);
    Scenario scenario = scenario_for(server.port());
    scenario.warmup = 0ns;
    scenario.duration = 1h;
    scenario.drain = 10s;
    std::atomic<bool> interrupted{false};
    std::thread operator_at_the_keyboard([&] {
        while (server.messages() < 5) std::this_thread::yield();
        interrupted.store(true, std::memory_order_relaxed);
    });
    const auto report = run(scenario, echo_target(), nullptr, interrupted);
    operator_at_the_keyboard.join();
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_TRUE(report->interrupted);
    EXPECT_LT(report->window_s, 600);
    EXPECT_GE(report->tally.published, 5u);
    EXPECT_FALSE(report->faulty()) << format_table(*report);
}

}  // namespace
}  // namespace parley::load
