// tally_json: what a process has counted as JSON and back, whole: histograms bucket by bucket, so that
// the sum of several processes is what one would have counted.
//
// Path:     worker's Report → [tally_json] → coordinator's Report
// Runs on:  the main thread.
// Owned by: worker_link, coordinator.
// Bounds:   what is not such JSON is refused whole.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <vector>

#include "loadtest/tally.hpp"
#include "loadtest/verdict.hpp"

namespace parley::load {

[[nodiscard]] boost::json::value tallies_to_json(const std::vector<Tally>& tallies);
// Nothing where it is not what tallies_to_json() makes of `count` tallies of `phases` phases each.
[[nodiscard]] std::optional<std::vector<Tally>> tallies_from_json(const boost::json::value& json,
                                                                  std::size_t count,
                                                                  std::size_t phases);

[[nodiscard]] boost::json::value cost_to_json(const GeneratorCost& cost);
[[nodiscard]] std::optional<GeneratorCost> cost_from_json(const boost::json::value& json);

}  // namespace parley::load
