// TimeSeries: what happened when: a row of intervals, each with a histogram of the latencies that
// were measured in it and with the counts as they stood at its end. An interval is a second long;
// when the row is full, neighbours are folded into one and every interval is twice as long.
//
// Path:     VirtualUser, LoadThread → [TimeSeries] → Report
// Runs on:  one load thread; merged after the threads have ended.
// Owned by: UserContext; Report holds the sum.
// Bounds:   points_max intervals, 7.4 KiB each, allocated by start(): 4.4 MiB a thread however long
//           the run is. Recording allocates nothing; a fold happens once each doubling of the time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "loadtest/clock.hpp"
#include "loadtest/interval_histogram.hpp"

namespace parley::load {

// A sum that was taken modulo 2^64, of parts that may be negative.
[[nodiscard]] constexpr std::uint64_t no_less_than_nothing(std::uint64_t sum) noexcept {
    return static_cast<std::int64_t>(sum) < 0 ? 0 : sum;
}

// Since the run began, but for `open`.
struct SeriesCounts {
    // Connections that take part at this instant; of a part of the tallies modulo 2^64, since a
    // connection may end in another pass than it was opened in.
    std::uint64_t open = 0;
    std::uint64_t published = 0;
    std::uint64_t received = 0;
    std::uint64_t answered = 0;
    std::uint64_t withheld = 0;
    std::uint64_t refused = 0;
    std::uint64_t ended = 0;   // connections that failed, or were ended by the other side
    std::uint64_t faulty = 0;  // duplicate, out of order, stray, announced as skipped

    void add(const SeriesCounts& other) noexcept;
};

class TimeSeries {
public:
    static constexpr std::size_t points_max = 600;

    struct Point {
        IntervalHistogram latency;
        SeriesCounts counts;  // at its end
    };

    // From when on it records; before, everything is forgotten. Allocates.
    void start(std::int64_t origin_ns);

    // One latency, measured now; `now_ns` never goes back by more than the interval at hand. What is
    // older counts in the interval at hand.
    void record(std::int64_t now_ns, std::int64_t latency_ns) noexcept {
        if (now_ns >= end_ns_ && !advance(now_ns)) return;
        points_[last_].latency.record(latency_ns);
    }
    // How the counts stand now.
    void count(std::int64_t now_ns, const SeriesCounts& counts) noexcept {
        if (now_ns >= end_ns_ && !advance(now_ns)) return;
        points_[last_].counts = counts;
    }
    // Adds another one of the same origin, point by point; the finer of the two is folded first.
    void merge(const TimeSeries& other);
    // A series as another one was: its origin, width (a second doubled some times) and points.
    // False: such a one cannot be.
    [[nodiscard]] bool restore(std::int64_t origin_ns, std::int64_t width_ns,
                               const std::vector<Point>& points);

    // Intervals since the origin, the last of them begun and not over; 0 before start().
    [[nodiscard]] std::size_t size() const noexcept { return points_.empty() ? 0 : last_ + 1; }
    [[nodiscard]] const Point& operator[](std::size_t i) const noexcept { return points_[i]; }
    [[nodiscard]] std::int64_t origin_ns() const noexcept { return origin_ns_; }
    [[nodiscard]] std::int64_t width_ns() const noexcept { return width_ns_; }

private:
    bool advance(std::int64_t now_ns) noexcept;
    void extend_to(std::size_t last) noexcept;
    void fold() noexcept;

    std::vector<Point> points_;  // points_max of them once started
    std::size_t last_ = 0;
    std::int64_t origin_ns_ = 0;
    std::int64_t width_ns_ = ns_per_s;
    // Of the interval at hand; while not started every instant is behind it.
    std::int64_t end_ns_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace parley::load
