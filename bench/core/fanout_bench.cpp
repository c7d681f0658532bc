// What a delivery costs in user space, from publish to the hand-over to the transport. The clock
// stops when the last subscriber has been handed the last message.
#include <benchmark/benchmark.h>

#include <chrono>
#include <thread>

#include "simulated_audience.hpp"

namespace parley::bench {
namespace {

using Clock = std::chrono::steady_clock;

const std::string text(128, 'x');

// One room, one shard, a message at a time: each goes out alone.
void FanOutOneByOne(benchmark::State& state) {
    const auto subscribers = static_cast<std::size_t>(state.range(0));
    SimulatedAudience audience(1, subscribers, "bench");
    for (auto _ : state) {
        audience.publish(0, text);
        audience.run(0);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(FanOutOneByOne)->RangeMultiplier(10)->Range(1, 100'000)->UseRealTime();

// Thirty-two messages are published before the shard's turn: they are gathered.
void FanOutGathered(benchmark::State& state) {
    constexpr int burst = 32;
    const auto subscribers = static_cast<std::size_t>(state.range(0));
    SimulatedAudience audience(1, subscribers, "bench");
    for (auto _ : state) {
        for (int i = 0; i < burst; ++i) audience.publish(0, text);
        audience.run(0);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0) * burst);
}
BENCHMARK(FanOutGathered)->RangeMultiplier(10)->Range(1, 100'000)->UseRealTime();

// The same room on one shard or on two, each with its own thread and 10,000 subscribers; the first
// shard publishes. Twice the deliveries in the same time would be a ratio of 2.
void FanOutOverShards(benchmark::State& state) {
    constexpr std::size_t subscribers = 10'000;
    constexpr std::uint64_t messages = 200;
    const auto shards = static_cast<std::uint32_t>(state.range(0));
    SimulatedAudience audience(shards, subscribers, "bench");
    std::vector<std::uint64_t> goal(shards, 0);
    for (std::uint32_t i = 0; i < shards; ++i) goal[i] = audience.delivered(i);
    for (auto _ : state) {
        for (auto& g : goal) g += subscribers * messages;
        const auto start = Clock::now();
        std::vector<std::jthread> others;
        for (std::uint32_t i = 1; i < shards; ++i) {
            others.emplace_back([&audience, &goal, i] {
                while (audience.delivered(i) < goal[i]) audience.run_once(i);
            });
        }
        for (std::uint64_t sent = 0; sent < messages; ++sent) {
            audience.publish(0, text);
            audience.run(0);
        }
        others.clear();
        state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
    }
    state.SetItemsProcessed(state.iterations() *
                            static_cast<std::int64_t>(subscribers * messages * shards));
}
BENCHMARK(FanOutOverShards)->Arg(1)->Arg(2)->UseManualTime();

}  // namespace
}  // namespace parley::bench
