#include "report.hpp"

#include <algorithm>

#include "loadtest/table.hpp"

namespace parley::bench {
namespace {

using load::format_decimal;
using load::format_ns;
using load::format_number;

// Of a session, rooms not counted.
constexpr double session_bytes_max = 1.2 * 1024;
// A room of two is to cost less; the rest of a session that shares it with one other.
constexpr double room_bytes_max = 1.5 * 1024;
// A message kept, of 128 bytes of text: its JSON, and what goes with it.
constexpr double message_bytes_max = 768;
// Of a delivery at the largest size, to that at the smallest.
constexpr double delivery_growth_max = 1.3;
// No join may move a table whole: the largest piece of memory that one asks for, but for directories
// of pieces, of which a million need less than this.
constexpr std::size_t largest_allocation_max = 128 * 1024;
// Malloc's chunks and a half-filled last piece leave this much between two sizes.
constexpr double heap_growth_max = 1.1;

double without_rooms(const Point& point, double bytes) {
    return bytes -
           point.room_heap * static_cast<double>(point.rooms) / static_cast<double>(point.sessions);
}

std::string whole(double value) {
    return format_number(static_cast<std::uint64_t>(std::max(0.0, value) + 0.5));
}

std::string at(const Curve& curve, const Point& point) {
    return "rooms of " + curve.layout.name + ", " + format_number(point.sessions) + " sessions: ";
}

void add_costs(load::Table& table, const Curve& curve) {
    table.cells({"sessions", "leave", "p99", "join", "p99", "new join", "p99", "max", "goodbye"});
    for (const Point& p : curve.points) {
        table.cells({format_number(p.sessions), whole(p.leave.mean), whole(double(p.leave.p99)),
                     whole(p.join.mean), whole(double(p.join.p99)), whole(p.growing_join.mean),
                     whole(double(p.growing_join.p99)), format_ns(p.growing_join.max),
                     p.goodbye == 0 ? "" : whole(double(p.goodbye))});
    }
}

}  // namespace

std::string table_of(const Curve& curve) {
    load::Table table;
    table.heading("rooms of " + curve.layout.name);
    table.text("  bytes of a session (heap; resident, rooms in it), ns of a delivery");
    table.cells({"sessions", "rooms", "heap", "of a room", "resident", "PSS", "delivery", "message",
                 "ping", "stall"});
    for (const Point& p : curve.points) {
        table.cells({format_number(p.sessions), format_number(p.rooms),
                     whole(without_rooms(p, p.heap)), whole(p.room_heap), whole(p.resident),
                     whole(p.share), format_decimal(p.delivery, 1),
                     format_ns(std::uint64_t(p.message)), whole(p.ping), format_ns(p.ping_stall)});
    }
    table.text("  ns of an operation: of those that leave and return, and of those that are new");
    add_costs(table, curve);
    if (curve.layout.watchers_every != 0) {
        table.text("  ns a member when somebody leaves, and those who watch are told the count");
        for (const Point& p : curve.points) {
            table.row(format_number(p.sessions), format_decimal(p.count_push, 1));
        }
    }
    return table.str();
}

std::vector<std::string> faults_of(const Curve& curve) {
    std::vector<std::string> faults;
    const Point& first = curve.points.front();
    for (const Point& p : curve.points) {
        const auto expect = [&](bool holds, const std::string& what) {
            if (!holds) faults.push_back(at(curve, p) + what);
        };
        const double session = without_rooms(p, p.heap);
        expect(session <= session_bytes_max, whole(session) + " bytes of heap, at most " +
                                                 whole(session_bytes_max) + " are expected");
        const double room_max =
            room_bytes_max + message_bytes_max * static_cast<double>(curve.layout.history);
        expect(p.room_heap <= room_max, "a room has " + whole(p.room_heap) + " bytes, at most " +
                                            whole(room_max) + " are expected");
        expect(p.heap <= first.heap * heap_growth_max,
               whole(p.heap) + " bytes of heap with rooms, at " + format_number(first.sessions) +
                   " it was " + whole(first.heap));
        expect(p.largest_allocation <= largest_allocation_max,
               "a join asked for " + format_number(p.largest_allocation) + " bytes at once");
        expect(p.join_allocations <= first.join_allocations,
               "a join made " + format_number(p.join_allocations) + " allocations, at " +
                   format_number(first.sessions) + " it was " +
                   format_number(first.join_allocations));
        expect(p.leave_allocations <= first.leave_allocations,
               "leaving made " + format_number(p.leave_allocations) + " allocations, at " +
                   format_number(first.sessions) + " it was " +
                   format_number(first.leave_allocations));
        // Of a whole message: one more for each further delivery would be a million.
        expect(p.message_allocations <= first.message_allocations + 1,
               "a message made " + format_decimal(p.message_allocations, 2) + " allocations, at " +
                   format_number(first.sessions) + " it was " +
                   format_decimal(first.message_allocations, 2));
    }
    return faults;
}

std::vector<std::string> missed_by(const Curve& curve) {
    const Point& first = curve.points.front();
    const Point& last = curve.points.back();
    std::vector<std::string> missed;
    if (last.share > session_bytes_max) {
        missed.push_back(at(curve, last) + whole(last.share) + " bytes (PSS) with rooms, aim " +
                         whole(session_bytes_max));
    }
    if (last.delivery > first.delivery * delivery_growth_max) {
        missed.push_back(at(curve, last) + "a delivery takes " +
                         format_decimal(last.delivery / first.delivery, 2) + " times that at " +
                         format_number(first.sessions) + ", aim " +
                         format_decimal(delivery_growth_max, 1));
    }
    return missed;
}

}  // namespace parley::bench
