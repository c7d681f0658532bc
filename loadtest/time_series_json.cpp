#include "loadtest/time_series_json.hpp"

#include <array>
#include <boost/json.hpp>
#include <string_view>
#include <vector>

namespace parley::load {
namespace {

namespace json = boost::json;

constexpr std::array counts_in_order{
    &SeriesCounts::open,     &SeriesCounts::published, &SeriesCounts::received,
    &SeriesCounts::answered, &SeriesCounts::withheld,  &SeriesCounts::refused,
    &SeriesCounts::ended,    &SeriesCounts::faulty,
};
static_assert(sizeof(SeriesCounts) == counts_in_order.size() * sizeof(std::uint64_t),
              "a count is missing here");

template <typename T>
std::optional<T> whole(const json::value* value) {
    if (value == nullptr) return std::nullopt;
    json::error_code error;
    const T number = value->to_number<T>(error);
    return error || value->is_double() ? std::nullopt : std::optional(number);
}

const json::array* array_in(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_array();
}

std::optional<TimeSeries::Point> point_from_json(const json::value& value) {
    const json::object* const object = value.if_object();
    if (object == nullptr) return std::nullopt;
    const json::array* const counts = array_in(*object, "counts");
    const json::array* const buckets = array_in(*object, "buckets");
    const auto max = whole<std::uint64_t>(object->if_contains("max"));
    if (counts == nullptr || buckets == nullptr || !max) return std::nullopt;
    if (counts->size() != counts_in_order.size() || buckets->size() % 2 != 0) return std::nullopt;
    TimeSeries::Point point;
    for (std::size_t i = 0; i < counts->size(); ++i) {
        const auto count = whole<std::uint64_t>(&(*counts)[i]);
        if (!count) return std::nullopt;
        point.counts.*counts_in_order[i] = *count;
    }
    for (std::size_t i = 0; i < buckets->size(); i += 2) {
        const auto bucket = whole<std::uint64_t>(&(*buckets)[i]);
        const auto times = whole<std::uint64_t>(&(*buckets)[i + 1]);
        if (!bucket || !times || !point.latency.add(*bucket, *times, *max)) return std::nullopt;
    }
    return point;
}

}  // namespace

json::value time_series_to_json(const TimeSeries& series) {
    if (series.size() == 0) return nullptr;
    json::array points;
    for (std::size_t i = 0; i < series.size(); ++i) {
        json::array counts;
        for (const auto count : counts_in_order) counts.emplace_back(series[i].counts.*count);
        json::array buckets;
        series[i].latency.each_bucket([&buckets](std::size_t bucket, std::uint64_t times) {
            buckets.emplace_back(bucket);
            buckets.emplace_back(times);
        });
        points.push_back({{"counts", std::move(counts)},
                          {"max", series[i].latency.max()},
                          {"buckets", std::move(buckets)}});
    }
    return {{"origin_ns", series.origin_ns()},
            {"width_ns", series.width_ns()},
            {"points", std::move(points)}};
}

std::optional<TimeSeries> time_series_from_json(const json::value& value) {
    TimeSeries series;
    if (value.is_null()) return series;
    const json::object* const object = value.if_object();
    if (object == nullptr) return std::nullopt;
    const auto origin = whole<std::int64_t>(object->if_contains("origin_ns"));
    const auto width = whole<std::int64_t>(object->if_contains("width_ns"));
    const json::array* const listed = array_in(*object, "points");
    if (!origin || !width || listed == nullptr) return std::nullopt;
    if (listed->size() > TimeSeries::points_max) return std::nullopt;
    std::vector<TimeSeries::Point> points;
    for (const json::value& each : *listed) {
        const auto point = point_from_json(each);
        if (!point) return std::nullopt;
        points.push_back(*point);
    }
    return series.restore(*origin, *width, points) ? std::optional(series) : std::nullopt;
}

}  // namespace parley::load
