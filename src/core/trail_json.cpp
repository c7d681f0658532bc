// How a trail is kept beyond its process.
#include <boost/json.hpp>

#include "core/limits.hpp"
#include "core/trail.hpp"

namespace parley::core {
namespace {

namespace json = boost::json;

json::value of_offset(const std::optional<std::uint64_t>& offset) {
    return offset ? json::value(*offset) : json::value(nullptr);
}

std::optional<std::uint64_t> to_offset(const json::value& value) {
    if (value.is_null()) return std::nullopt;
    return value.to_number<std::uint64_t>();
}

// Throws std::exception, as the rest of the reading does.
protocol::Epoch to_epoch(const json::value& value) {
    return protocol::Epoch::parse(value.as_string()).value();
}

}  // namespace

std::string Trail::to_json() const {
    const auto of_run = [](const Run& run) { return json::value{run.offset, run.room, run.join}; };
    json::array rooms;
    for (const Room& room : rooms_) {
        rooms.push_back({room.name, room.epoch.view(), room.joined, room.runs, of_offset(room.base),
                         room.latest});
    }
    json::array runs;
    for (const Run& run : runs_) runs.push_back(of_run(run));
    json::object out{{"rooms", std::move(rooms)}, {"runs", std::move(runs)}, {"joins", joins_}};
    if (forgotten_) out["forgotten"] = of_run(*forgotten_);
    if (begin_) {
        out["begin"] = {begin_->cursor.epoch.view(), begin_->cursor.offset, begin_->join,
                        begin_->events};
    }
    return json::serialize(out);
}

std::optional<Trail> Trail::from_json(std::string_view text) try {
    const json::value parsed = json::parse(text);
    const json::object& in = parsed.as_object();
    Trail trail;
    for (const json::value& value : in.at("rooms").as_array()) {
        const json::array& room = value.as_array();
        trail.rooms_.push_back({std::string(room.at(0).as_string()), to_epoch(room.at(1)),
                                room.at(2).as_bool(), room.at(3).to_number<std::uint32_t>(),
                                to_offset(room.at(4)), room.at(5).to_number<std::uint64_t>()});
    }
    const auto to_run = [&trail](const json::value& value) {
        const json::array& run = value.as_array();
        const Run read{run.at(0).to_number<std::uint64_t>(), run.at(1).to_number<std::uint32_t>(),
                       run.at(2).to_number<std::uint32_t>()};
        static_cast<void>(trail.rooms_.at(read.room));
        return read;
    };
    const json::array& runs = in.at("runs").as_array();
    if (runs.size() > limits::trail_runs_max) return std::nullopt;
    if (!runs.empty()) trail.runs_.set_capacity(limits::trail_runs_max);
    for (const json::value& value : runs) trail.runs_.push_back(to_run(value));
    trail.joins_ = in.at("joins").to_number<std::uint32_t>();
    if (const json::value* value = in.if_contains("forgotten")) trail.forgotten_ = to_run(*value);
    if (const json::value* value = in.if_contains("begin")) {
        const json::array& place = value->as_array();
        trail.begin_ = StreamPlace{{to_epoch(place.at(0)), place.at(1).to_number<std::uint64_t>()},
                                   place.at(2).to_number<std::uint32_t>(),
                                   place.at(3).to_number<std::uint32_t>()};
    }
    return trail;
} catch (const std::exception&) {
    return std::nullopt;
}

}  // namespace parley::core
