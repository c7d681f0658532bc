#include "loadtest/json_percentiles.hpp"

#include <boost/json.hpp>
#include <string>

#include "loadtest/clock.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

}  // namespace

json::object json_percentiles(const Histogram& h) {
    return {{"count", h.count()},
            {"mean", h.mean() / 1e3},
            {"min", in_microseconds(h.min())},
            {"p50", in_microseconds(h.percentile(50))},
            {"p90", in_microseconds(h.percentile(90))},
            {"p99", in_microseconds(h.percentile(99))},
            {"p99_9", in_microseconds(h.percentile(99.9))},
            {"p99_99", in_microseconds(h.percentile(99.99))},
            {"max", in_microseconds(h.max())}};
}

json::object json_counts(const std::map<std::uint16_t, std::uint64_t>& counts) {
    json::object out;
    for (const auto& [key, times] : counts) out[std::to_string(key)] = times;
    return out;
}

json::object json_counts(const Reasons& counts) {
    json::object out;
    for (const auto& [reason, times] : counts) out[reason] = times;
    return out;
}

}  // namespace parley::load
