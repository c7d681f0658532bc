#include "figures.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value_to.hpp>

namespace parley::bench {
namespace {

namespace json = boost::json;

// Each member of Point once, by the name that it has in the JSON.
template <typename P, typename F>
void each_number(P& point, F&& f) {
    f("sessions", point.sessions);
    f("rooms", point.rooms);
    f("heap_bytes", point.heap);
    f("resident_bytes", point.resident);
    f("pss_bytes", point.share);
    f("heap_bytes_before_a_join", point.heap_open);
    f("room_heap_bytes", point.room_heap);
    f("join_allocations_max", point.join_allocations);
    f("leave_allocations_max", point.leave_allocations);
    f("largest_allocation_bytes", point.largest_allocation);
    f("delivery_ns", point.delivery);
    f("message_ns", point.message);
    f("message_allocations", point.message_allocations);
    f("ping_ns", point.ping);
    f("ping_stall_ns", point.ping_stall);
    f("count_push_ns", point.count_push);
    f("goodbye_ns", point.goodbye);
}

template <typename P, typename F>
void each_cost(P& point, F&& f) {
    f("open_ns", point.open);
    f("growing_join_ns", point.growing_join);
    f("join_ns", point.join);
    f("leave_ns", point.leave);
}

}  // namespace

json::object to_json(const Curve& curve) {
    json::array points;
    for (const Point& point : curve.points) {
        json::object out;
        each_number(point, [&out](const char* name, const auto& value) { out[name] = value; });
        each_cost(point, [&out](const char* name, const Cost& cost) {
            out[name] = json::object{
                {"mean", cost.mean}, {"p50", cost.p50}, {"p99", cost.p99}, {"max", cost.max}};
        });
        points.push_back(std::move(out));
    }
    return {{"rooms_of", curve.layout.name}, {"points", std::move(points)}};
}

Curve curve_from_json(const json::object& from, const Layout& layout) {
    Curve curve{layout, {}};
    for (const json::value& value : from.at("points").as_array()) {
        const json::object& in = value.as_object();
        Point point;
        each_number(point, [&in]<typename T>(const char* name, T& number) {
            number = json::value_to<T>(in.at(name));
        });
        each_cost(point, [&in](const char* name, Cost& cost) {
            const json::object& found = in.at(name).as_object();
            cost.mean = json::value_to<double>(found.at("mean"));
            cost.p50 = json::value_to<std::uint64_t>(found.at("p50"));
            cost.p99 = json::value_to<std::uint64_t>(found.at("p99"));
            cost.max = json::value_to<std::uint64_t>(found.at("max"));
        });
        curve.points.push_back(point);
    }
    return curve;
}

}  // namespace parley::bench
