// figures: what a population was found to cost at each of its sizes.
//
// Path:     Population → [figures] → report
// Runs on:  the thread that measures.
// Owned by: passed by value.
// Bounds:   a point for each size that was asked for.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "loadtest/histogram.hpp"

namespace parley::bench {

// Who sits where, and what is asked on the way.
struct Layout {
    std::string name;
    std::size_t room_size = 0;       // sessions in a room; 0: all of them in one
    std::size_t watchers_every = 0;  // of so many, one asked for presence; 0: nobody
    std::size_t history = 0;         // messages that a room keeps, and a join is told
    bool limits = false;             // rates are held, as the server's default is
};

// Nanoseconds of one operation.
struct Cost {
    double mean = 0;
    std::uint64_t p50 = 0;
    std::uint64_t p99 = 0;
    std::uint64_t max = 0;

    Cost() = default;
    // The mean by the processor's time, the rest by the clock: so it was for who waited.
    Cost(const load::Histogram& times, double cpu_mean)
        : mean(cpu_mean), p50(times.percentile(50)), p99(times.percentile(99)), max(times.max()) {}
};

struct Point {
    std::size_t sessions = 0;
    std::size_t rooms = 0;
    // Bytes of each session: all that is not the simulated peer, rooms included.
    double heap = 0;
    double resident = 0;
    double share = 0;
    double heap_open = 0;  // of a session that has joined nothing
    double room_heap = 0;  // of a room, beyond what its members cost
    // Of those that came since the last point: growth is in it.
    Cost open;
    Cost growing_join;
    // Of some that leave and come again while nobody else does.
    Cost leave;
    Cost join;
    std::uint64_t join_allocations = 0;   // of the one that made most
    std::uint64_t leave_allocations = 0;  // the same
    std::size_t largest_allocation = 0;   // bytes, of any join up to here
    double delivery = 0;                  // ns, the median of some rounds
    double message = 0;                   // ns, the publication's own share included
    double message_allocations = 0;       // of a publication, however many are handed it
    double ping = 0;                      // ns of a heartbeat's timer
    std::uint64_t ping_stall = 0;         // ns, the longest that the timers took at once
    double count_push = 0;                // ns a member for one presence count; 0: nobody watches
    std::uint64_t goodbye = 0;            // ns a session when all of them end; the last point's
};

struct Curve {
    Layout layout;
    std::vector<Point> points;
};

[[nodiscard]] boost::json::object to_json(const Curve& curve);
[[nodiscard]] Curve curve_from_json(const boost::json::object& json, const Layout& layout);

}  // namespace parley::bench
