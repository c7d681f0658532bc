// time_series_json: a time series as JSON and back, whole, so that several processes of one run may
// add theirs up. What a report shows of it is series_json's.
//
// Path:     a process's TimeSeries → [time_series_json] → another's TimeSeries::merge
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   TimeSeries::points_max points; what is no such JSON is refused whole.
#pragma once

#include <boost/json/value.hpp>
#include <optional>

#include "loadtest/time_series.hpp"

namespace parley::load {

// Null for one that was not started.
[[nodiscard]] boost::json::value time_series_to_json(const TimeSeries& series);
// Nothing where it is not what time_series_to_json() makes.
[[nodiscard]] std::optional<TimeSeries> time_series_from_json(const boost::json::value& json);

}  // namespace parley::load
