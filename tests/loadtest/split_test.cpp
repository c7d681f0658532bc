// How users and messages are split over threads and processes.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "loadtest/clock.hpp"
#include "loadtest/control.hpp"
#include "loadtest/talk_pacer.hpp"
#include "loadtest/user_context.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;

Scenario scenario_of(std::uint32_t connections, unsigned threads, unsigned processes) {
    Scenario s;
    s.url = {"127.0.0.1", 8080, "/ws", false};
    s.connections = connections;
    s.threads = threads;
    s.split.of = processes;
    s.rooms = 3;
    s.rate_per_s = 97;
    s.warmup = 1s;
    s.duration = 4s;
    return s;
}

Persona persona(const char* name, Persona::Kind kind, double weight, double rate) {
    Persona persona;
    persona.name = name;
    persona.kind = kind;
    persona.weight = weight;
    if (persona.publishes()) persona.rate_per_s = rate;
    return persona;
}

using Sent = std::multimap<std::int64_t, std::uint32_t>;

// What one share publishes.
Sent played(const Plan& plan, unsigned share, unsigned shares) {
    const Pass pass{ns_per_s, 0, plan.phases.length_ns(), plan.scenario.rate_per_s};
    TalkPacer pacer(plan, pass, share, shares);
    Sent sent;
    while (const auto tick = pacer.take(never_ns - 1)) {
        EXPECT_EQ(tick->publisher % shares, share);
        sent.emplace(tick->intended_ns, tick->publisher);
    }
    return sent;
}

Sent sorted(const Sent& sent) {
    std::set<std::pair<std::int64_t, std::uint32_t>> order(sent.begin(), sent.end());
    EXPECT_EQ(order.size(), sent.size());
    return {order.begin(), order.end()};
}

TEST(Split, EveryUserIsPlayedByOneThreadOfOneProcess) {
    for (const std::uint32_t connections : {12u, 13u, 100u, 101u, 999u}) {
        for (unsigned processes = 1; processes <= 4; ++processes) {
            for (unsigned threads = 1; threads <= 3; ++threads) {
                Scenario s = scenario_of(connections, threads, processes);
                ASSERT_EQ(scenario_problem(s), std::nullopt);
                std::vector<int> played(connections, 0);
                for (s.split.index = 0; s.split.index < processes; ++s.split.index) {
                    const unsigned first = s.split.index * threads;
                    for (unsigned share = first; share < first + threads; ++share) {
                        for (std::uint32_t u = share; u < connections; u += s.shares()) ++played[u];
                    }
                }
                for (const int times : played) EXPECT_EQ(times, 1);
            }
        }
    }
}

TEST(Split, AThreadWithoutAConnectionIsRefused) {
    EXPECT_EQ(scenario_problem(scenario_of(6, 2, 3)), std::nullopt);
    const auto problem = scenario_problem(scenario_of(5, 2, 3));
    ASSERT_TRUE(problem);
    EXPECT_NE(problem->find("--workers 3 of --threads 2"), std::string::npos) << *problem;
    // One process takes fewer threads.
    EXPECT_EQ(scenario_of(5, 8, 1).shares(), 5u);
}

TEST(Split, TheSharesTogetherPublishWhatOneWould) {
    Scenario plain = scenario_of(20, 1, 1);
    plain.spread = 3;
    Scenario phased = plain;
    phased.phases.resize(2);
    phased.phases[0].name = "up";
    phased.phases[0].duration = 2s;
    phased.phases[0].rates = {10, 200};
    phased.phases[0].linear = true;
    phased.phases[1].name = "steps";
    phased.phases[1].duration = 1s;
    phased.phases[1].rates = {50, 0, 100};
    Scenario cast = phased;
    cast.personas = {persona("a", Persona::Kind::talker, 30, 7),
                     persona("b", Persona::Kind::listener, 40, 0),
                     persona("c", Persona::Kind::talker, 30, 3)};
    assign_parts(cast);
    for (const Scenario& scenario : {plain, phased, cast}) {
        const Plan plan(scenario, parley_target("/ws"));
        const Sent whole = sorted(played(plan, 0, 1));
        ASSERT_GT(whole.size(), 200u);
        for (unsigned shares = 2; shares <= 9; ++shares) {
            Sent together;
            for (unsigned share = 0; share < shares; ++share)
                together.merge(played(plan, share, shares));
            EXPECT_EQ(sorted(together), whole) << shares;
        }
    }
}

TEST(Split, EachPersonaSendsItsPartOfThePhasesRate) {
    Scenario s = scenario_of(20, 1, 1);
    s.phases.resize(1);
    s.phases[0].name = "all";
    s.phases[0].duration = 10s;
    s.phases[0].rates = {100};
    s.personas = {persona("a", Persona::Kind::talker, 25, 3),
                  persona("b", Persona::Kind::talker, 75, 1)};
    assign_parts(s);
    const Plan plan(s, parley_target("/ws"));
    std::map<std::string, int> sent;
    for (const auto& [at, publisher] : played(plan, 0, 1)) ++sent[s.persona_of(publisher)->name];
    EXPECT_EQ(sent["a"], 750);
    EXPECT_EQ(sent["b"], 250);
}

TEST(Split, WhatWasAcceptedHereAndElsewhereIsWhatIsDue) {
    Scenario s = scenario_of(12, 1, 2);
    Control control(s);
    EXPECT_FALSE(control.others_published);
    EXPECT_FALSE(control.others_drained);
    for (std::uint32_t p = 0; p < s.publishers(); ++p) {
        control.published[p] = 10 * (p + 1);
        control.refused[p] = p;
    }
    control.accepted_elsewhere[1] = 5;
    std::vector<std::uint64_t> rooms;
    control.count_accepted_here(s, rooms);
    EXPECT_EQ(rooms, (std::vector<std::uint64_t>{10, 19, 28}));
    control.count_accepted(s, rooms);
    EXPECT_EQ(rooms, (std::vector<std::uint64_t>{10, 24, 28}));
    // Refusals that come after the books were opened anew.
    control.begin_books();
    control.refused[0] = 3;
    EXPECT_EQ(control.accepted_of(0), -3);
    control.count_accepted_here(s, rooms);
    EXPECT_EQ(rooms, (std::vector<std::uint64_t>{0, 0, 0}));
    const Control alone(scenario_of(12, 1, 1));
    EXPECT_TRUE(alone.others_published);
    EXPECT_TRUE(alone.others_drained);
}

}  // namespace
}  // namespace parley::load
