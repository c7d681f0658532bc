// FindMax's outcome: every step of the search of the highest rate, what each bound came to, and how
// that is shown.
//
// Path:     Run's steps → [FindMaxResult] → Report → table, JSON
// Runs on:  the main thread.
// Owned by: Report.
// Bounds:   RateSearch::steps_max steps a bound.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/rate_search.hpp"
#include "loadtest/table.hpp"

namespace parley::load {

struct FindMaxResult {
    struct Step {
        StepResult measured;
        std::int64_t p99_max_ns;  // the bound that asked for it
        bool confirms;
    };
    struct Bound {
        std::int64_t p99_max_ns;
        std::optional<StepResult> found;  // as the longer step confirmed it
        Limit limited_by;                 // why nothing higher was found
    };
    std::vector<Step> steps;
    std::vector<Bound> bounds;    // ascending
    bool wrong_anywhere = false;  // a step had deliveries twice, out of order or from elsewhere

    // A rate was found for every bound.
    [[nodiscard]] bool complete() const;
    // Some bound's rate is the generator's, so that the server's is higher.
    [[nodiscard]] bool generator_limited() const;
    // A sentence for each bound.
    [[nodiscard]] std::vector<std::string> remarks() const;
};

// One line for a step: the rate, what arrived, its latency, and what came of it.
[[nodiscard]] std::vector<std::string> find_max_columns();
[[nodiscard]] std::vector<std::string> cells_of(const FindMaxResult::Step& step);
void add_find_max(Table& table, const FindMaxResult& result);
// The last bound's figures, all bounds and all steps.
[[nodiscard]] boost::json::object to_json(const FindMaxResult& result);

}  // namespace parley::load
