// Control: what the main thread and the load threads tell each other, and how many messages each
// publisher has sent, which every room's members need to know at the end.
//
// Path:     run ⇄ [Control] ⇄ LoadThread
// Runs on:  every thread.
// Owned by: run(). Outlives the threads.
// Bounds:   two counters a publisher.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "loadtest/clock.hpp"
#include "loadtest/scenario.hpp"

namespace parley::load {

struct Control {
    explicit Control(const Scenario& scenario)
        : published(scenario.publishers()), refused(scenario.publishers()) {}

    // When the first message is meant to be sent; 0 until everybody is ready. Stored with release
    // by run(), loaded with acquire by the load threads.
    std::atomic<std::int64_t> publish_start_ns{0};
    // Earlier than planned when the run is interrupted. Relaxed: it carries nothing else.
    std::atomic<std::int64_t> publish_end_ns{never_ns};
    // Ends the run where nothing was published yet. Relaxed.
    std::atomic<bool> abort{false};

    // How many threads have sent their last message: fetch_add(release) after the counters below
    // are final, load(acquire) before they are read.
    std::atomic<unsigned> threads_published{0};
    // How many threads await nothing more: fetch_add(release) after they have counted what they
    // gave up, load(acquire) before the books are closed.
    std::atomic<unsigned> threads_drained{0};

    // By publisher; written by its thread alone (relaxed). `published` is final as told above;
    // `refused` may still grow while the last answers come.
    std::vector<std::atomic<std::uint32_t>> published;
    std::vector<std::atomic<std::uint32_t>> refused;

    // How many messages of a room were accepted; for members of the room, once final.
    [[nodiscard]] std::uint64_t accepted_in(const Scenario& scenario, std::uint32_t room) const {
        std::uint64_t sum = 0;
        for (std::uint32_t p = room; p < published.size(); p += scenario.rooms) {
            sum += published[p].load(std::memory_order_relaxed) -
                   refused[p].load(std::memory_order_relaxed);
        }
        return sum;
    }
};

// One thread's counters for the progress line: stored relaxed by the thread once a turn, loaded
// relaxed by the main thread. On a cache line of its own.
struct alignas(64) Live {
    std::atomic<std::uint64_t> ready{0};  // became ready for the first time
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> received{0};
};

}  // namespace parley::load
