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
#include "loadtest/time_series.hpp"

namespace parley::load {

// One stretch of publishing, warm-up and measured window. A run has one, or many where the highest
// rate is searched.
struct Pass {
    std::int64_t start_ns = 0;
    std::int64_t warmup_ns = 0;
    std::int64_t duration_ns = 0;
    double rate_per_s = 0;

    [[nodiscard]] std::int64_t window_from_ns() const { return start_ns + warmup_ns; }
    [[nodiscard]] double messages_in_window() const {
        return rate_per_s * static_cast<double>(duration_ns) / static_cast<double>(ns_per_s);
    }
    [[nodiscard]] std::int64_t end_ns() const { return window_from_ns() + duration_ns; }
};

struct Control {
    explicit Control(const Scenario& scenario)
        : published(scenario.publishers()),
          refused(scenario.publishers()),
          accepted_before(scenario.publishers()),
          accepted_elsewhere(scenario.split.of > 1 ? scenario.rooms : 0),
          others_published(scenario.split.of == 1),
          others_drained(scenario.split.of == 1) {}

    // What to publish next. Written by run() before publish_start_ns tells of it, and not again
    // before all threads have rested.
    Pass pass;

    // When the pass's first message is meant to be sent; 0 until everybody is ready. Stored with
    // release by run(), loaded with acquire by the load threads.
    std::atomic<std::int64_t> publish_start_ns{0};
    // Earlier than planned when the run is interrupted. Relaxed: it carries nothing else.
    std::atomic<std::int64_t> publish_end_ns{never_ns};
    // Ends the run where nothing was published yet, or no further pass follows. Relaxed.
    std::atomic<bool> abort{false};

    // How many threads have sent their last message, over all passes: fetch_add(release) after the
    // counters below are final, load(acquire) before they are read.
    std::atomic<unsigned> threads_published{0};
    // How many threads await nothing more: fetch_add(release) after they have counted what they
    // gave up, load(acquire) before the books are closed.
    std::atomic<unsigned> threads_drained{0};
    // How many threads have closed the books of a pass and have everybody connected again:
    // fetch_add(release) after that, load(acquire) by run() before it looks into the books.
    std::atomic<unsigned> threads_rested{0};

    // By publisher; written by its thread alone (relaxed). `published` is final as told above;
    // `refused` may still grow while the last answers come.
    std::vector<std::atomic<std::uint32_t>> published;
    std::vector<std::atomic<std::uint32_t>> refused;
    // What of that belongs to earlier passes. Written by run() as `pass` is.
    std::vector<std::int64_t> accepted_before;

    // What publishers in other processes had accepted, by room; none where there are none. Stored
    // relaxed by the main thread before it sets the flags below.
    std::vector<std::atomic<std::uint64_t>> accepted_elsewhere;
    // The other processes have sent their last message; they await nothing more. Stored with release
    // by the main thread, loaded with acquire by the load threads.
    std::atomic<bool> others_published;
    std::atomic<bool> others_drained;

    // How many of a publisher's messages were accepted in this pass. Negative where a refusal came
    // so late that the pass before had counted its message as accepted.
    [[nodiscard]] std::int64_t accepted_of(std::uint32_t publisher) const {
        return std::int64_t{published[publisher].load(std::memory_order_relaxed)} -
               refused[publisher].load(std::memory_order_relaxed) - accepted_before[publisher];
    }
    // What this process's publishers had accepted in this pass, by room; once final.
    void count_accepted_here(const Scenario& scenario, std::vector<std::uint64_t>& rooms) const {
        rooms.assign(scenario.rooms, 0);
        for (std::uint32_t p = 0; p < published.size(); ++p) {
            // Modulo 2^64: only the room's sum is to be no less than nothing.
            rooms[scenario.room_of(p)] += static_cast<std::uint64_t>(accepted_of(p));
        }
        for (std::uint64_t& room : rooms) room = no_less_than_nothing(room);
    }
    // And everybody's: what the members of the rooms are due.
    void count_accepted(const Scenario& scenario, std::vector<std::uint64_t>& rooms) const {
        count_accepted_here(scenario, rooms);
        for (std::size_t room = 0; room < accepted_elsewhere.size(); ++room) {
            rooms[room] += accepted_elsewhere[room].load(std::memory_order_relaxed);
        }
    }
    // By run(), before it tells of a further pass.
    void begin_books() {
        for (std::uint32_t p = 0; p < published.size(); ++p) accepted_before[p] += accepted_of(p);
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
