// html_report: a result as one page that needs nothing else: no network, no script, charts as inline
// SVG, for light and dark, wide and narrow screens. It shows what the JSON holds and nothing more.
//
// Path:     result as JSON → [html_report] → --html
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   some 100 bytes for each point of each line.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace parley::load {

// A page that is well-formed XML as well. `result`: of either kind of run, with its head.
[[nodiscard]] std::string html_report(const boost::json::value& result);

}  // namespace parley::load
