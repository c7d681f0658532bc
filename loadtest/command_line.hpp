// The command line of parley-load.
//
// Path:     argv → [command_line] → Scenario, Target
// Runs on:  the main thread, at start.
// Owned by: main.
// Bounds:   none needed.
#pragma once

#include <string>
#include <vector>

#include "loadtest/scenario.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

struct CommandLine {
    Scenario scenario;
    Target target;
    std::string json_file;  // empty: none; "-": standard output
    bool quiet = false;     // no progress
    std::string help;       // not empty: to be printed, and nothing else to be done
};

// `arguments` without the program's name. An error is one line that names the option.
[[nodiscard]] Checked<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace parley::load
