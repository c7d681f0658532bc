// What a run costs the server: its processor time and memory, as the kernel accounts for them.
//
// Path:     /proc/PID → [server_cost] → Report
// Runs on:  the main thread.
// Owned by: run().
// Bounds:   none needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace parley::load {

struct ServerSample {
    double cpu_s = 0;           // user and system time of all threads since the process began
    std::uint64_t pss_kib = 0;  // proportional set size; resident size where PSS is not readable
};

// Of the process and of whatever it has started that still runs: a server of several processes is
// one server. Nothing where there is no such process.
[[nodiscard]] std::optional<ServerSample> sample_server(std::int32_t pid);

// The process and its descendants.
[[nodiscard]] std::vector<std::int32_t> process_tree(std::int32_t pid);

// A file of /proc as one text; empty where it can't be read.
[[nodiscard]] std::string read_all(const std::string& path);
// The fields of /proc/PID/stat that count processor time, in clock ticks: utime + stime. The
// process's name may hold anything, brackets and spaces included.
[[nodiscard]] std::optional<std::uint64_t> read_cpu_ticks(const std::string& stat);
// The number of KiB behind "Pss:" or "VmRSS:" at a line's start.
[[nodiscard]] std::optional<std::uint64_t> read_kib(const std::string& text,
                                                    const std::string& name);

}  // namespace parley::load
