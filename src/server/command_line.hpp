// CommandLine: what parleyd was asked to do.
//
// Path:     main → [CommandLine] → ConfigSources, Server, Doctor
// Runs on:  the main thread.
// Owned by: main.
// Bounds:   none needed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/config_file.hpp"

namespace parley::server {

enum class Action : std::uint8_t { serve, check_config, default_config, doctor, token, version };

// What `parleyd token` is to make.
struct TokenOrder {
    std::string user;
    std::string name;
    std::vector<std::string> rooms;
    std::chrono::seconds ttl{3600};
    bool moderates = false;
};

struct CommandLine {
    // A setting that a flag gives, as ConfigSources::set() takes it.
    struct Flag {
        std::string key;
        std::vector<std::string> words;
        std::string place;
    };

    Action action = Action::serve;
    std::optional<std::string> config_file;
    std::vector<Flag> flags;
    std::size_t doctor_connections = 10'000;
    TokenOrder token;
};

// There is nothing to do but to say something and to go.
struct EarlyExit {
    int code;
    std::string out;  // for standard output
    std::string err;  // for standard error: one line
};

// `arguments` without the program's name.
[[nodiscard]] std::variant<CommandLine, EarlyExit> parse_command_line(
    std::span<const std::string> arguments);

// Defaults, then the file, then `environment` ("NAME=value" each), then the flags. Throws
// ConfigError.
void load_config(ConfigSources& sources, const CommandLine& command_line,
                 std::span<const char* const> environment);

[[nodiscard]] std::string_view version();

}  // namespace parley::server
