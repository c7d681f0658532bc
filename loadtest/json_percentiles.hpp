// json_percentiles: a histogram, and counts by their keys, as JSON.
//
// Path:     Report, HandshakeReport → [json_percentiles] → --json
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>

#include "loadtest/histogram.hpp"
#include "loadtest/tally.hpp"

namespace parley::load {

// Times in microseconds.
[[nodiscard]] boost::json::object json_percentiles(const Histogram& histogram);
[[nodiscard]] boost::json::object json_counts(const std::map<std::uint16_t, std::uint64_t>& counts);
[[nodiscard]] boost::json::object json_counts(const Reasons& counts);

}  // namespace parley::load
