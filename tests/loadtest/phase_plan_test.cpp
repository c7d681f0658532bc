#include "loadtest/phase_plan.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "loadtest/clock.hpp"
#include "loadtest/scenario.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;

Phase phase(const char* name, std::chrono::nanoseconds duration) {
    Phase phase;
    phase.name = name;
    phase.duration = duration;
    return phase;
}

Scenario with(std::vector<Phase> phases) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", 8080, "/ws", false};
    scenario.connections = 100;
    scenario.phases = std::move(phases);
    return scenario;
}

// Messages that are due up to an instant, from the rate itself, in small steps.
double integrated(std::int64_t until_ns, const std::function<double(double)>& rate_at) {
    constexpr std::int64_t step_ns = ns_per_ms / 10;
    double sum = 0;
    for (std::int64_t t = 0; t < until_ns; t += step_ns) {
        const double middle = static_cast<double>(t + step_ns / 2) / ns_per_s;
        sum += rate_at(middle) * static_cast<double>(step_ns) / ns_per_s;
    }
    return sum;
}

TEST(RateCurve, MessagesAreDueWhenTheRateHasMadeThem) {
    struct Case {
        double from, to;
    };
    for (const Case& c : {Case{10, 10}, {0, 100}, {100, 0}, {20, 200}, {200, 20}, {1, 1000}}) {
        RateCurve curve;
        curve.add(2 * ns_per_s, c.from, c.to);
        EXPECT_NEAR(curve.messages(), c.from + c.to, 1e-9);
        const auto rate_at = [&c](double t) { return c.from + (c.to - c.from) * t / 2; };
        std::int64_t last = -1;
        for (int n = 0; n < static_cast<int>(curve.messages()); ++n) {
            const auto at = curve.time_of(n);
            ASSERT_TRUE(at) << c.from << " to " << c.to << ", message " << n;
            EXPECT_GT(*at, last);
            EXPECT_NEAR(integrated(*at, rate_at), n, 0.15);
            last = *at;
        }
        EXPECT_FALSE(curve.time_of(curve.messages()));
    }
}

TEST(RateCurve, PiecesWithoutMessagesArePassedOver) {
    RateCurve curve;
    curve.add(ns_per_s, 0, 0);
    curve.add(ns_per_s, 10, 10);
    curve.add(ns_per_s, 0, 0);
    curve.add(ns_per_s, 10, 10);
    EXPECT_EQ(curve.time_of(0), ns_per_s);
    EXPECT_EQ(curve.time_of(9), 1'900'000'000);
    EXPECT_EQ(curve.time_of(10), 3 * ns_per_s);
    EXPECT_EQ(curve.time_of(20), std::nullopt);
    EXPECT_EQ(RateCurve().time_of(0), std::nullopt);
}

TEST(PhasePlan, WithoutPhasesThereIsAWarmUpAndAMeasuredPart) {
    Scenario scenario = with({});
    scenario.warmup = 2s;
    scenario.duration = 10s;
    const PhasePlan plan(scenario);
    EXPECT_EQ(plan.length_ns(), 12 * ns_per_s);
    EXPECT_EQ(plan.window_from_ns(), 2 * ns_per_s);
    EXPECT_EQ(plan.window_to_ns(), 12 * ns_per_s);
    EXPECT_EQ(plan.measured_ns(5 * ns_per_s), 3 * ns_per_s);
    for (const std::int64_t at : {0l, 6 * ns_per_s, 20 * ns_per_s}) {
        EXPECT_EQ(plan.connections_at(at), 100u);
    }
}

TEST(PhasePlan, ConnectionsRiseAndFallAlongTheRampOfEachPhase) {
    std::vector<Phase> phases{phase("few", 10s), phase("more", 10s), phase("all", 10s),
                              phase("few again", 10s)};
    phases[0].connections = 20;
    phases[1].connections = 40;
    phases[2].connections = 100;
    phases[2].ramp = 5s;
    phases[3].connections = 10;
    phases[3].ramp = 0s;
    const PhasePlan plan(with(phases));
    EXPECT_EQ(plan.connections_at_first(), 20u);
    struct Case {
        std::int64_t s;
        std::uint32_t connections;
    };
    const Case cases[] = {{-1, 20}, {0, 20},  {9, 20},   {10, 20},  {15, 30}, {20, 40},
                          {21, 52}, {24, 88}, {25, 100}, {29, 100}, {30, 10}, {50, 10}};
    for (const Case& c : cases)
        EXPECT_EQ(plan.connections_at(c.s * ns_per_s), c.connections) << c.s;
}

TEST(PhasePlan, OnlyMeasuredPhasesCount) {
    std::vector<Phase> phases{phase("a", 1s), phase("b", 2s), phase("c", 4s), phase("d", 8s)};
    phases[0].measured = phases[2].measured = false;
    const PhasePlan plan(with(phases));
    EXPECT_EQ(plan.window_from_ns(), ns_per_s);
    EXPECT_EQ(plan.window_to_ns(), 15 * ns_per_s);
    EXPECT_EQ(plan.measured_ns(plan.length_ns()), 10 * ns_per_s);
    EXPECT_EQ(plan.measured_ns(2 * ns_per_s), ns_per_s);
}

TEST(PhasePlan, StepsShareTheirPhaseEvenly) {
    Phase steps = phase("steps", 3s);
    steps.rates = {10, 20, 30};
    const PhasePlan plan(with({steps}));
    EXPECT_EQ(plan.rate().messages(), 60);
    EXPECT_EQ(plan.rate().time_of(10), ns_per_s);
    EXPECT_EQ(plan.rate().time_of(30), 2 * ns_per_s);
    EXPECT_EQ(plan.length_ns(), 3 * ns_per_s);
}

TEST(PhasePlan, EveryRefusalNamesItsPhase) {
    struct Case {
        const char* words;
        std::function<void(Scenario&)> break_it;
    };
    const Case cases[] = {
        {"two of this name", [](Scenario& s) { s.phases[1].name = "one"; }},
        {"has no name", [](Scenario& s) { s.phases[1].name = ""; }},
        {"phase 'two': duration", [](Scenario& s) { s.phases[1].duration = 0s; }},
        {"phase 'two': duration", [](Scenario& s) { s.phases[1].duration = 25h; }},
        {"phase 'two': duration", [](Scenario& s) { s.phases[1].ramp = 3s; }},
        {"phase 'two': connections", [](Scenario& s) { s.phases[1].connections = 101; }},
        {"phase 'two': its 1 connections are fewer than the 5",
         [](Scenario& s) {
             s.rooms = 5;
             s.phases[1].connections = 1;
         }},
        {"phase 'two': rate", [](Scenario& s) { s.phases[1].rates = {-1}; }},
        {"phase 'two': rate", [](Scenario& s) { s.phases[1].rates.resize(65, 1); }},
        {"phase 'two': storm", [](Scenario& s) { s.phases[1].storm_percent = 101; }},
        {"no phase is measured",
         [](Scenario& s) { s.phases[0].measured = s.phases[1].measured = false; }},
        {"64 phases", [](Scenario& s) { s.phases.resize(65); }},
    };
    ASSERT_EQ(scenario_problem(with({phase("one", 1s), phase("two", 2s)})), std::nullopt);
    for (const Case& c : cases) {
        Scenario scenario = with({phase("one", 1s), phase("two", 2s)});
        c.break_it(scenario);
        const auto problem = scenario_problem(scenario);
        ASSERT_TRUE(problem) << c.words;
        EXPECT_NE(problem->find(c.words), std::string::npos) << *problem;
    }
}

}  // namespace
}  // namespace parley::load
