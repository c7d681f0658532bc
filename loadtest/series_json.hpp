// series_json: what happened when, as JSON: columns of equal length, times in seconds since the
// ramp began; and a histogram as its buckets.
//
// Path:     TimeSeries, ServerWatch::Seen, Histogram → [series_json] → --json, --html
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   TimeSeries::points_max and ServerWatch::points_max rows.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>

#include "loadtest/histogram.hpp"
#include "loadtest/server_watch.hpp"
#include "loadtest/time_series.hpp"

namespace parley::load {

// The measured window; its end is open.
struct WindowNs {
    std::int64_t from = 0;
    std::int64_t to = 0;
};

// {interval_s, window_s: [from, to], at_s, open, sent_per_s, delivered_per_s, …, p50_us … max_us}:
// a row for each interval, at_s its end; a percentile is null where nothing was measured. The last
// interval may be shorter than the others; its rates are by what it lasted until `end_ns`.
[[nodiscard]] boost::json::object json_series(const TimeSeries& series, WindowNs window,
                                              std::int64_t end_ns);
// {at_s, cpu_cores, resident_kib, counters: {…}}: rows between two looks that are half a second
// apart at least, at_s that of the second;
// columns of which nothing was told are absent. Null where the server was not looked at.
[[nodiscard]] boost::json::value json_server_series(const ServerWatch::Seen& seen,
                                                    std::int64_t origin_ns);
// {upper_us: [...], count: [...]}: the buckets that hold something, by their greatest value.
[[nodiscard]] boost::json::object json_buckets(const Histogram& histogram);

}  // namespace parley::load
