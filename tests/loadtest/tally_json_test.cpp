// What several processes have counted adds up to what one would have: a simulated run, whole and in
// parts, over the wire's JSON.
#include "loadtest/tally_json.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "loadtest/luck.hpp"
#include "loadtest/report.hpp"
#include "loadtest/user_context.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

Scenario simulated() {
    Scenario s;
    s.url = {"127.0.0.1", 8080, "/ws", false};
    s.connections = 60;
    s.rooms = 3;
    for (const char* const name : {"first", "second"}) {
        Phase phase;
        phase.name = name;
        phase.duration = 1s;
        s.phases.push_back(phase);
    }
    s.phases[0].measured = false;
    Persona talkers;
    talkers.name = "talkers";
    talkers.kind = Persona::Kind::talker;
    talkers.weight = 10;
    Persona slow;
    slow.name = "slow";
    slow.kind = Persona::Kind::slow_reader;
    slow.weight = 20;
    Persona polls;
    polls.name = "polls";
    polls.kind = Persona::Kind::poller;
    polls.transport = Transport::longpoll;
    polls.weight = 70;
    s.personas = {talkers, slow, polls};
    assign_parts(s);
    return s;
}

// What the users u with u mod shares == share count in a run that is the same every time.
std::vector<Tally> counted(const Scenario& s, unsigned share, unsigned shares) {
    std::vector<Tally> tallies(tallies_count + s.personas.size());
    const PhasePlan plan(s);
    for (Tally& tally : tallies) {
        tally.window_from_ns = plan.window_from_ns();
        tally.window_to_ns = plan.window_to_ns();
        if (s.phases.empty()) continue;
        for (const PhasePlan::Part& part : plan.parts()) {
            PhaseTally& phase = tally.phases.emplace_back();
            phase.from_ns = part.from_ns;
            phase.to_ns = part.to_ns;
            phase.measured = part.measured;
        }
    }
    for (std::uint32_t user = share; user < s.connections; user += shares) {
        Luck luck(user);
        Tally& tally = tallies[UserContext::tally_index(s, user)];
        DeliveryCounts& counts = s.is_slow(user) ? tally.slow : tally.steady;
        ++tally.opened;
        for (int message = 0; message < 200; ++message) {
            const auto meant = static_cast<std::int64_t>(luck.next() % (2 * ns_per_s));
            const auto took = static_cast<std::int64_t>(luck.next() % (50 * ns_per_ms));
            ++counts.expected;
            ++counts.received;
            counts.out_of_order += luck.next() % 50 == 0;
            if (tally.in_window(meant)) tally.latency.record(took);
            if (tally.in_window(meant + took)) ++tally.received_in_window;
            if (PhaseTally* const phase = tally.phase_at(meant)) phase->latency.record(took);
            if (PhaseTally* const phase = tally.phase_at(meant + took)) ++phase->received;
            if (luck.next() % 100 == 0) ++tally.closes[static_cast<std::uint16_t>(4100 + user % 3)];
            if (luck.next() % 100 == 0)
                count_reason(tally.failures, "why " + std::to_string(user % 4));
        }
    }
    return tallies;
}

Report reported(const Scenario& s) {
    Report report;
    report.scenario = s;
    report.target = "parley.v1";
    report.url = "ws://h/ws";
    report.window_s = 1;
    report.phases = PhasePlan(s).parts();
    return report;
}

TEST(TallyJson, PartsOverTheWireAddUpToTheWhole) {
    const Scenario s = simulated();
    Report whole = reported(s);
    whole.add(counted(s, 0, 1));
    ASSERT_GT(whole.tally.latency.count(), 1000u);
    ASSERT_GT(whole.tally.failures.size(), 2u);
    for (unsigned shares = 1; shares <= 7; ++shares) {
        Report together = reported(s);
        for (unsigned share = 0; share < shares; ++share) {
            Report part = reported(s);
            part.add(counted(s, share, shares));
            const std::string text = json::serialize(tallies_to_json(part.counted()));
            const auto read = tallies_from_json(json::parse(text), part.counted().size(), 2);
            ASSERT_TRUE(read);
            together.add(*read);
        }
        EXPECT_EQ(to_json(together), to_json(whole)) << shares;
        EXPECT_EQ(format_table(together), format_table(whole)) << shares;
    }
}

TEST(TallyJson, WithoutPersonasTheTransportsAddUp) {
    Scenario s = simulated();
    s.personas.clear();
    s.phases.clear();
    s.cast.reset();
    Report whole = reported(s);
    whole.add(counted(s, 0, 1));
    Report together = reported(s);
    for (const unsigned share : {0u, 1u}) {
        Report part = reported(s);
        part.add(counted(s, share, 2));
        const auto read = tallies_from_json(tallies_to_json(part.counted()), tallies_count, 0);
        together.add(read.value());
    }
    EXPECT_EQ(to_json(together), to_json(whole));
}

// Every value of the JSON in turn spoilt, or away.
TEST(TallyJson, WhatIsNoTallyIsRefusedWhole) {
    const Scenario s = simulated();
    const json::value good = tallies_to_json(counted(s, 0, 1));
    const std::size_t count = good.as_array().size();
    ASSERT_TRUE(tallies_from_json(good, count, 2));
    EXPECT_FALSE(tallies_from_json(good, count + 1, 2));
    EXPECT_FALSE(tallies_from_json(good, count, 1));
    EXPECT_FALSE(tallies_from_json({{"no", "list"}}, count, 2));
    const json::object first = good.as_array().back().as_object();
    for (const auto& [name, value] : first) {
        for (const bool away : {false, true}) {
            json::value bad = good;
            json::object& tally = bad.as_array().back().as_object();
            if (away) {
                tally.erase(name);
            } else {
                tally[name] = "spoilt";
            }
            EXPECT_FALSE(tallies_from_json(bad, count, 2)) << name << away;
        }
    }
    json::value beyond = good;
    beyond.as_array().back().at("latency").at("buckets") = {1'000'000, 1};
    EXPECT_FALSE(tallies_from_json(beyond, count, 2));
    beyond.as_array().back().at("latency").at("buckets") = {1, 1, 2};
    EXPECT_FALSE(tallies_from_json(beyond, count, 2));
}

TEST(TallyJson, TheGeneratorsCostComesBack) {
    const GeneratorCost cost{1.5, 0.75, 0.125};
    const auto read = cost_from_json(cost_to_json(cost));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->cpu_cores, 1.5);
    EXPECT_EQ(read->busiest_share, 0.75);
    EXPECT_EQ(read->longest_wait_share, 0.125);
    EXPECT_FALSE(cost_from_json({{"cpu_cores", 1}}));
}

}  // namespace
}  // namespace parley::load
