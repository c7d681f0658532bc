#include "sim/simulation.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

namespace parley::sim {
namespace {

// PARLEY_SIM_SEEDS: one seed, or a range as "1-1000"; else as many as fit a test run.
struct Seeds {
    std::uint64_t first = 1;
    std::uint64_t last = 75;
};

Seeds chosen_seeds() {
    Seeds seeds;
    if (const char* text = std::getenv("PARLEY_SIM_SEEDS")) {
        std::istringstream in(text);
        char dash = 0;
        in >> seeds.first;
        if (!(in >> dash >> seeds.last)) seeds.last = seeds.first;
    }
    return seeds;
}

class Simulations : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Simulations, KeepEveryPromiseForEverySeed) {
    const auto seeds = chosen_seeds();
    Outcome sum;
    for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
        const auto outcome = Simulation({seed, GetParam(), 400, {}}).run();
        for (const auto& failure : outcome.failures) {
            ADD_FAILURE() << "PARLEY_SIM_SEEDS=" << seed << " with " << GetParam()
                          << " shards: " << failure;
        }
        if (!outcome.failures.empty()) return;
        sum.messages_heard += outcome.messages_heard;
        sum.acks_confirmed += outcome.acks_confirmed;
        sum.gaps += outcome.gaps;
        sum.slow_disconnects += outcome.slow_disconnects;
        sum.recoveries += outcome.recoveries;
        sum.duplicates += outcome.duplicates;
        sum.holds += outcome.holds;
    }
    std::cout << seeds.last - seeds.first + 1 << " seeds: " << sum.messages_heard
              << " messages heard, " << sum.acks_confirmed << " acks confirmed, " << sum.gaps
              << " gaps, " << sum.slow_disconnects << " slow disconnects, " << sum.recoveries
              << " recoveries, " << sum.duplicates << " duplicates, " << sum.holds
              << " rooms held\n";
    if (seeds.last - seeds.first < 50) return;
    // What never happens is not tested.
    EXPECT_GT(sum.acks_confirmed, 1000u);
    EXPECT_GT(sum.gaps, 100u);
    EXPECT_GT(sum.slow_disconnects, 20u);
    EXPECT_GT(sum.recoveries, 50u);
    EXPECT_GT(sum.duplicates, 50u);
    EXPECT_GT(sum.holds, 1000u);
}

INSTANTIATE_TEST_SUITE_P(Shards, Simulations, testing::Values(1u, 2u, 3u, 4u),
                         [](const auto& shards) { return std::to_string(shards.param); });

TEST(Simulation, IsTheSameForTheSameSeedToTheByte) {
    for (std::uint64_t seed = 1000; seed < 1020; ++seed) {
        const Options options{seed, static_cast<std::uint32_t>(1 + seed % 4), 400, {}};
        const auto one = Simulation(options).run();
        const auto two = Simulation(options).run();
        EXPECT_EQ(one.trace, two.trace) << "seed " << seed;
        EXPECT_NE(one.trace, 0u);
    }
    EXPECT_NE(Simulation({1, 2, 400, {}}).run().trace, Simulation({2, 2, 400, {}}).run().trace);
}

TEST(Simulation, NoticesASingleMessageThatWentMissing) {
    int noticed = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        noticed += Simulation({seed, 2, 400, 20}).run().failures.empty() ? 0 : 1;
    }
    // Not where it was the last before that person went.
    EXPECT_GE(noticed, 15);
}

}  // namespace
}  // namespace parley::sim
