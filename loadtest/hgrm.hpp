// hgrm: a histogram in HdrHistogram's text form of a percentile distribution, which its plotter and
// its log processor read: rows of `Value Percentile TotalCount 1/(1-Percentile)`, and a summary in
// lines that begin with '#'.
//
// Path:     Histogram → [hgrm] → --hgrm
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   5 rows for each halving of what is left above a percentile.
#pragma once

#include <string>

#include "loadtest/histogram.hpp"

namespace parley::load {

// Values in milliseconds. As in HdrHistogram, five rows are given for each halving of the distance
// to 100 %, a value is the upper edge of its bucket, and the last row is the maximum at 1.0.
[[nodiscard]] std::string to_hgrm(const Histogram& histogram);

}  // namespace parley::load
