// Program: what parleyd does from its arguments to its exit code.
//
// Path:     main → [Program] → CommandLine, ConfigSources, Doctor, Server
// Runs on:  the main thread.
// Owned by: main.
// Bounds:   none needed.
#pragma once

#include <span>
#include <string>

namespace parley::server {

// The exit code: 0 done, 1 the configuration can't be used, the start failed, or doctor found
// something in the way. `arguments` without the program's name, `environment` as "NAME=value".
[[nodiscard]] int run_program(std::span<const std::string> arguments,
                              std::span<const char* const> environment);

}  // namespace parley::server
