#include "loadtest/find_max.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "loadtest/command_line.hpp"
#include "loadtest/find_max_run.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;
using Arguments = std::vector<std::string>;

Scenario searching(std::vector<std::chrono::nanoseconds> bounds) {
    Scenario scenario;
    scenario.connections = 100;
    scenario.find_max = FindMax{std::move(bounds)};
    return scenario;
}

// What a step on a server gives that answers in `latency` up to `capacity` messages a second, and
// in a second above.
Report step_on(const Scenario& scenario, double capacity, std::chrono::nanoseconds latency,
               double rate) {
    Report report;
    report.scenario = scenario;
    report.window_s = 1;
    report.tally.opened = scenario.connections;
    const std::chrono::nanoseconds took = rate <= capacity ? latency : 1s;
    for (int i = 0; i < 100; ++i) report.tally.latency.record(took.count());
    report.tally.expected_in_window = 100;
    report.tally.received_in_window = static_cast<std::uint64_t>(rate * 100);
    return report;
}

struct Played {
    Report report;
    std::vector<std::pair<std::chrono::nanoseconds, double>> steps;
};

Played play(const Scenario& scenario, const std::function<Report(double)>& server) {
    Played played;
    Progress silence(nullptr, scenario);
    const std::atomic<bool> interrupted{false};
    played.report = find_max(
        scenario,
        [&](std::chrono::nanoseconds window, double rate) {
            played.steps.emplace_back(window, rate);
            return server(rate);
        },
        silence, interrupted);
    return played;
}

TEST(FindMax, TheReportIsTheLastConfirmationWithEveryStepBesideIt) {
    const Scenario scenario = searching({25ms});
    const Played played =
        play(scenario, [&](double rate) { return step_on(scenario, 3000, 2ms, rate); });
    ASSERT_TRUE(played.report.find_max);
    const FindMaxResult& result = *played.report.find_max;
    ASSERT_EQ(result.bounds.size(), 1u);
    ASSERT_TRUE(result.bounds[0].found);
    EXPECT_LE(result.bounds[0].found->rate_per_s, 3000);
    EXPECT_GE(result.bounds[0].found->rate_per_s, 2900);
    EXPECT_EQ(result.bounds[0].limited_by, Limit::latency);
    EXPECT_EQ(result.steps.size(), played.steps.size());
    EXPECT_EQ(played.report.exit_code(), ExitCode::clean);
    // By default three times as long as a step; 20,000 deliveries a second come first.
    EXPECT_EQ(played.steps.front(), std::pair(std::chrono::nanoseconds(2s), 200.0));
    EXPECT_EQ(played.steps.back().first, 6s);
    EXPECT_EQ(played.steps.back().second, result.bounds[0].found->rate_per_s);
    EXPECT_EQ(played.report.tally.received_in_window,
              static_cast<std::uint64_t>(played.steps.back().second * 100));
}

TEST(FindMax, SeveralBoundsAreSearchedInOneRun) {
    const Scenario scenario = searching({25ms, 200ms});
    const Played played = play(scenario, [&](double rate) {
        return step_on(scenario, 8000, rate <= 3000 ? 2ms : 100ms, rate);
    });
    const FindMaxResult& result = *played.report.find_max;
    ASSERT_EQ(result.bounds.size(), 2u);
    EXPECT_NEAR(result.bounds[0].found->rate_per_s, 2950, 60);
    EXPECT_NEAR(result.bounds[1].found->rate_per_s, 7850, 160);
    const boost::json::object json = to_json(result);
    EXPECT_EQ(json.at("p99_max_ms").to_number<double>(), 200);
    EXPECT_EQ(json.at("rate").to_number<double>(), result.bounds[1].found->rate_per_s);
    EXPECT_EQ(json.at("limited_by").as_string(), "latency");
    EXPECT_EQ(json.at("bounds").as_array().size(), 2u);
    EXPECT_EQ(json.at("steps").as_array().size(), result.steps.size());
}

TEST(FindMax, AGeneratorThatGivesWayFirstMakesALowerBound) {
    const Scenario scenario = searching({25ms});
    const Played played = play(scenario, [&](double rate) {
        Report report = step_on(scenario, 1000, 2ms, rate);
        report.generator.busiest_share = rate > 1000 ? 0.99 : 0.5;
        return report;
    });
    EXPECT_EQ(played.report.exit_code(), ExitCode::generator_limited);
    EXPECT_EQ(played.report.find_max->bounds[0].limited_by, Limit::generator);
    EXPECT_EQ(to_json(*played.report.find_max).at("lower_bound"), true);
    EXPECT_NE(format_table(played.report).find("the server bears more"), std::string::npos);
}

TEST(FindMax, WithoutAnAnswerTheRunIsFaulty) {
    const Scenario scenario = searching({25ms});
    const Played played =
        play(scenario, [&](double rate) { return step_on(scenario, 0, 2ms, rate); });
    EXPECT_FALSE(played.report.find_max->complete());
    EXPECT_EQ(played.report.exit_code(), ExitCode::faulty);
    EXPECT_TRUE(to_json(*played.report.find_max).at("rate").is_null());
}

TEST(FindMax, WhatCameTwiceInAnyStepIsAFault) {
    const Scenario scenario = searching({25ms});
    const Played played = play(scenario, [&](double rate) {
        Report report = step_on(scenario, 1000, 2ms, rate);
        report.tally.steady.duplicate = rate > 1000 ? 1 : 0;
        return report;
    });
    EXPECT_TRUE(played.report.find_max->complete());
    EXPECT_EQ(played.report.exit_code(), ExitCode::faulty);
}

TEST(FindMax, WhereNobodyCouldConnectTheFirstStepIsTheLast) {
    const Scenario scenario = searching({25ms, 200ms});
    const Played played = play(scenario, [](double) { return Report(); });
    EXPECT_EQ(played.steps.size(), 1u);
    EXPECT_EQ(played.report.tally.opened, 0u);
}

TEST(FindMax, AnInterruptionKeepsWhatIsKnown) {
    const Scenario scenario = searching({25ms});
    Progress silence(nullptr, scenario);
    std::atomic<bool> interrupted{false};
    int steps = 0;
    const Report report = find_max(
        scenario,
        [&](std::chrono::nanoseconds, double rate) {
            interrupted.store(++steps == 3);
            return step_on(scenario, 1e6, 2ms, rate);
        },
        silence, interrupted);
    EXPECT_EQ(steps, 3);
    EXPECT_EQ(report.find_max->steps.size(), 3u);
    EXPECT_EQ(report.find_max->bounds[0].limited_by, Limit::steps);
    EXPECT_EQ(report.exit_code(), ExitCode::faulty);
}

// ---- the command line --------------------------------------------------------------------------

Checked<CommandLine> parsed(const Arguments& more) {
    Arguments arguments{"--url", "ws://127.0.0.1:1/ws"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return parse_command_line(arguments);
}

TEST(FindMaxCommandLine, TheBoundIsWrittenEitherWay) {
    const std::vector<std::chrono::nanoseconds> both{25ms, 200ms};
    const std::vector<std::pair<Arguments, std::vector<std::chrono::nanoseconds>>> cases{
        {{"--find-max"}, {200ms}},
        {{"--find-max", "p99=25ms"}, {25ms}},
        {{"--find-max", "--p99-max", "25ms"}, {25ms}},
        {{"--p99-max", "25ms", "--find-max"}, {25ms}},
        {{"--find-max", "--p99-max", "200ms,25ms"}, both},
        {{"--find-max", "p99=25ms,200ms,25ms"}, both},
    };
    for (const auto& [arguments, bounds] : cases) {
        const auto line = parsed(arguments);
        ASSERT_TRUE(line) << line.error().text;
        ASSERT_TRUE(line->scenario.find_max);
        EXPECT_EQ(line->scenario.find_max->p99_max, bounds);
    }
}

TEST(FindMaxCommandLine, RateAndDurationSpeakOfTheSearchOnlyWhereGiven) {
    const auto plain = parsed({"--find-max"});
    EXPECT_EQ(plain->scenario.find_max->start_per_s, 0);
    EXPECT_EQ(plain->scenario.find_max->confirmation, 0s);
    EXPECT_EQ(plain->scenario.find_max->step, 2s);
    const auto given = parsed({"--find-max", "--rate", "500", "--duration", "10s",
                               "--step-duration", "1s", "--max-rate", "9000"});
    EXPECT_EQ(given->scenario.find_max->start_per_s, 500);
    EXPECT_EQ(given->scenario.find_max->confirmation, 10s);
    EXPECT_EQ(given->scenario.find_max->step, 1s);
    EXPECT_EQ(given->scenario.find_max->rate_max_per_s, 9000);
    EXPECT_FALSE(parsed({})->scenario.find_max);
}

TEST(FindMaxCommandLine, TheHelpTellsOfIt) {
    const auto line = parse_command_line({"--help"});
    for (const char* words : {"--find-max", "--p99-max", "--step-duration", "--max-rate", "--spin",
                              "FINDING THE HIGHEST RATE"}) {
        EXPECT_NE(line->help.find(words), std::string::npos) << words;
    }
}

TEST(FindMaxCommandLine, WhatDoesNotGoTogetherIsRefusedByName) {
    const std::vector<std::pair<Arguments, std::string>> cases{
        {{"--find-max", "25ms"}, "expected nothing or p99=TIME"},
        {{"--find-max", "p99=soon"}, "'soon' is no duration"},
        {{"--find-max", "p99="}, "'' is no duration"},
        {{"--find-max", "--p99-max", "25ms,"}, "'' is no duration"},
        {{"--find-max", "--p99-max", "0s"}, "--p99-max must be more than 0"},
        {{"--p99-max", "25ms"}, "--find-max"},
        {{"--step-duration", "1s"}, "--find-max"},
        {{"--find-max", "--step-duration", "50ms"}, "--step-duration must be at least 100ms"},
        {{"--find-max", "--max-rate", "0"}, "--max-rate must be more than 0"},
        {{"--find-max", "--churn", "1"}, "--churn"},
        {{"--find-max", "--slow-readers", "10"}, "--slow-readers"},
        {{"--find-max", "--handshakes", "max"}, "--handshakes"},
        {{"--find-max", "--transport", "rest", "--rate", "max"}, "--rate max"},
    };
    for (const auto& [arguments, words] : cases) {
        const auto line = parsed(arguments);
        ASSERT_FALSE(line) << words;
        EXPECT_NE(line.error().text.find(words), std::string::npos) << line.error().text;
    }
}

}  // namespace
}  // namespace parley::load
