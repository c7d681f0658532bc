// scenario_merge: what a scenario file says becomes part of the Scenario, where the flags leave room:
// a flag goes before the file.
//
// Path:     command line, ScenarioFile → [scenario_merge] → Scenario
// Runs on:  the main thread, at start.
// Owned by: parse_command_line().
// Bounds:   none needed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "loadtest/scenario.hpp"
#include "loadtest/scenario_file.hpp"

namespace parley::load {

// Who said something: "--rate" on the command line, or in the file.
struct Said {
    std::function<bool(std::string_view option)> by_flag;
    std::function<bool(std::string_view option)> by_file;
    [[nodiscard]] bool at_all(std::string_view option) const {
        return by_flag(option) || by_file(option);
    }
};

// Takes the phases and personas. Flags scale them: --connections and --rate say the highest of all
// phases, and the others keep their proportion to it. Returns why that can't be; nothing: it can.
[[nodiscard]] std::optional<std::string> merge_scenario_file(const ScenarioFile& file,
                                                             const Said& said, Scenario& scenario);

// All times but settle and drain last so much longer.
void scale_time(Scenario& scenario, double factor);

}  // namespace parley::load
