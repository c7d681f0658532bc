// Scenario file: a run as a file (TOML): what the flags say, under their names, and the phases and
// personas, which no flag says.
//
// Path:     file → [scenario_file] → command line → Scenario
// Runs on:  the main thread, at start.
// Owned by: parse_command_line().
// Bounds:   scenario_file_bytes_max.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/persona.hpp"
#include "loadtest/phase_plan.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

inline constexpr std::size_t scenario_file_bytes_max = std::size_t{256} << 10;

struct ScenarioFile {
    // One key of the top, in the words that its flag takes.
    struct Value {
        std::string key;  // "slow_readers"
        std::string word;
        std::string place;  // "FILE:12: slow_readers: "
    };
    std::string name;
    std::vector<Value> values;
    std::vector<Phase> phases;
    std::vector<Persona> personas;
    bool counts_personas = false;  // their weights are counts, not per cent

    // How many connections the file names: those of its personas, or of its largest phase; 0: none.
    [[nodiscard]] std::uint32_t connections() const;
};

// `known`: the keys that the top may have. An error names file, line and key, and of an unknown key
// the nearest known one.
[[nodiscard]] Checked<ScenarioFile> parse_scenario_file(std::string_view text,
                                                        const std::string& name,
                                                        const std::vector<std::string>& known);
[[nodiscard]] Checked<ScenarioFile> load_scenario_file(const std::string& file,
                                                       const std::vector<std::string>& known);

}  // namespace parley::load
