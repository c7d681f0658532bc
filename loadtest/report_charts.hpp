// report_charts: the charts of a result's page, each an SVG figure or nothing where the result does
// not have what it shows.
//
// Path:     result as JSON → [report_charts] → html_report
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   the result's.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace parley::load {

// Over the seconds of the run; the measured window is shaded.
[[nodiscard]] std::string latency_over_time(const boost::json::value& result);
[[nodiscard]] std::string throughput_over_time(const boost::json::value& result);
[[nodiscard]] std::string connections_over_time(const boost::json::value& result);
[[nodiscard]] std::string server_cpu_over_time(const boost::json::value& result);
[[nodiscard]] std::string server_memory_over_time(const boost::json::value& result);
// What the server itself counted: a chart for each counter.
[[nodiscard]] std::string server_counters_over_time(const boost::json::value& result);

// Of the measured window: how many values fell where, both axes logarithmic.
[[nodiscard]] std::string latency_histogram(const boost::json::value& result);
// The value that so many per cent do not exceed, over the halvings of what is left.
[[nodiscard]] std::string percentile_curve(const boost::json::value& result);

// "1.5 us", "2.25 ms", "3 s".
[[nodiscard]] std::string format_us(double us);
// "950", "12.5 k", "3.2 M".
[[nodiscard]] std::string format_count(double value);

}  // namespace parley::load
