// The command line of parley-load.
//
// Path:     argv → [command_line] → Scenario, Target
// Runs on:  the main thread, at start.
// Owned by: main.
// Bounds:   none needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/report_options.hpp"
#include "loadtest/scenario.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

// Several processes that play one scenario.
struct Crew {
    std::uint32_t workers = 0;  // to be started by this process, which leads them; 0: none
    std::string coordinator;    // ADDRESS:PORT to await others at, and to lead them; empty: no
    std::uint32_t expect = 0;   // how many of them
    std::string join;           // ADDRESS:PORT of who leads; empty: nobody

    [[nodiscard]] bool leads() const { return workers > 0 || !coordinator.empty(); }
    [[nodiscard]] std::uint32_t size() const { return workers > 0 ? workers : expect; }
};

struct CommandLine {
    Scenario scenario;
    Target target;
    ReportFiles files;
    bool quiet = false;  // no progress
    Crew crew;
    std::string help;  // not empty: to be printed, and nothing else to be done
};

// `arguments` without the program's name. An error is one line that names the option.
[[nodiscard]] Checked<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

// Why these parts can't be played together, or not at all; nothing: they can.
[[nodiscard]] std::optional<std::string> crew_problem(const CommandLine& line);

}  // namespace parley::load
