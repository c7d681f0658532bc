// Doctor: what on this machine is in the way of a number of connections, and the command that
// lifts it.
//
// Path:     main → [Doctor] → standard output
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "server/machine.hpp"

namespace parley::server {

struct DoctorQuestion {
    std::uint64_t connections;
    OpenFileLimit open_files;
    std::uint32_t cpus;
    std::filesystem::path proc = "/proc";
    std::optional<std::string> uring_refusal =
        std::nullopt;  // why the kernel has no io_uring for us
};

struct Finding {
    std::string what;   // "open files"
    std::string state;  // what there is, and what is needed
    std::string lift;   // the command that lifts it; empty where nothing is in the way
};

[[nodiscard]] std::vector<Finding> examine(const DoctorQuestion& question);

// One line each: `ok` or `in the way`, what, its state, the command.
[[nodiscard]] std::string format_findings(const std::vector<Finding>& findings);
[[nodiscard]] bool nothing_in_the_way(const std::vector<Finding>& findings);

}  // namespace parley::server
