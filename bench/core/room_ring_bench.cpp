// What a publication costs on its way through the ring, from any number of threads to every shard,
// and what it costs through the same thing under a mutex. The clock stops when the last shard has
// taken the last entry.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "core/room_ring.hpp"
#include "support/mutex_room_ring.hpp"
#include "support/ring_entry.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using parley::core::EntryKind;
using parley::test::RingEntry;
using parley::test::RingEntryPtr;

constexpr std::uint64_t entries = 1 << 16;
constexpr std::size_t batch = 256;

// Waits for the start, so that starting threads is not measured.
void await(const std::atomic<bool>& started) {
    while (!started.load(std::memory_order_acquire)) std::this_thread::yield();  // with measure()
}

template <class Ring>
void produce(Ring& ring, std::uint64_t count, const RingEntryPtr& entry) {
    for (std::uint64_t i = 0; i < count; ++i) {
        auto claim = ring.try_claim(EntryKind::message);
        for (; !claim; claim = ring.try_claim(EntryKind::message)) std::this_thread::yield();
        ring.publish(*claim, entry);
        for (std::uint32_t shard = 0; shard < ring.shards(); ++shard) {
            benchmark::DoNotOptimize(ring.flag(shard));
        }
    }
}

template <class Ring>
Clock::time_point consume(Ring& ring, std::uint32_t shard, std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::uint64_t taken = 0; taken < count;) {
        // In place of a mailbox and a wake-up, which cost both rings the same.
        while (!ring.flagged(shard)) std::this_thread::yield();
        ring.unflag(shard);
        std::size_t news = batch;
        while (news == batch) {
            news = ring.drain(shard, batch, [&](const RingEntryPtr& entry) { sum += entry->id; });
            taken += news;
        }
    }
    benchmark::DoNotOptimize(sum);
    return Clock::now();
}

template <class Ring>
double measure(std::uint32_t producers, std::uint32_t shards) {
    Ring ring(shards, 0);
    for (std::uint32_t shard = 1; shard < shards; ++shard) ring.attach(shard);
    const std::uint64_t each = entries / producers;
    std::atomic<bool> started{false};
    std::vector<Clock::time_point> ends(shards);
    std::vector<std::thread> threads;
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
        threads.emplace_back([&, shard] {
            await(started);
            ends[shard] = consume(ring, shard, each * producers);
        });
    }
    for (std::uint32_t i = 0; i < producers; ++i) {
        threads.emplace_back([&, i] {
            const RingEntryPtr entry = parley::test::make_ring_entry(i);
            await(started);
            produce(ring, each, entry);
        });
    }
    const Clock::time_point begin = Clock::now();
    started.store(true, std::memory_order_release);  // with await()
    for (std::thread& thread : threads) thread.join();
    const Clock::time_point end = *std::max_element(ends.begin(), ends.end());
    return std::chrono::duration<double>(end - begin).count();
}

template <class Ring>
void publish_and_drain(benchmark::State& state) {
    const auto producers = static_cast<std::uint32_t>(state.range(0));
    const auto shards = static_cast<std::uint32_t>(state.range(1));
    for (auto iteration : state) {
        static_cast<void>(iteration);
        state.SetIterationTime(measure<Ring>(producers, shards));
    }
    state.SetItemsProcessed(state.iterations() *
                            static_cast<std::int64_t>(entries / producers * producers));
}

// One thread publishes and takes: what the steps cost when nobody is in the way. Another one
// sleeps, because glibc's mutex is no atomic operation while the process has a single thread.
template <class Ring>
void alone(benchmark::State& state) {
    std::atomic<bool> ended{false};
    std::thread sleeper([&] { ended.wait(false); });
    Ring ring(1, 0);
    const RingEntryPtr entry = parley::test::make_ring_entry(1);
    for (auto iteration : state) {
        static_cast<void>(iteration);
        produce(ring, 1, entry);
        ring.unflag(0);
        ring.drain(0, batch,
                   [](const RingEntryPtr& taken) { benchmark::DoNotOptimize(taken.get()); });
    }
    state.SetItemsProcessed(state.iterations());
    ended.store(true);
    ended.notify_one();
    sleeper.join();
}

using LockFree = parley::core::BasicRoomRing<RingEntry>;
using WithMutex = parley::test::MutexRoomRing<RingEntry>;

BENCHMARK(alone<LockFree>);
BENCHMARK(alone<WithMutex>);
BENCHMARK(publish_and_drain<LockFree>)
    ->ArgNames({"producers", "shards"})
    ->ArgsProduct({{1, 2, 3, 4}, {1, 2}})
    ->UseManualTime();
BENCHMARK(publish_and_drain<WithMutex>)
    ->ArgNames({"producers", "shards"})
    ->ArgsProduct({{1, 2, 3, 4}, {1, 2}})
    ->UseManualTime();

}  // namespace
