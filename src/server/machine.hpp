// Machine: what this process may use of the machine it runs on.
//
// Path:     kernel → [Machine] → Server, Doctor
// Runs on:  the main thread, before others start.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace parley::server {

// CPUs that this process may run on (sched_getaffinity), at least 1: less than the machine has
// under taskset or in a container with a cpuset.
[[nodiscard]] std::uint32_t usable_cpus();

// RLIMIT_NOFILE.
struct OpenFileLimit {
    std::uint64_t soft;
    std::uint64_t hard;
};
[[nodiscard]] OpenFileLimit open_file_limit();
// Raises the soft limit to the hard one, which needs no privilege. Returns what is in force then.
OpenFileLimit raise_open_file_limit();

// What the process holds open beside connections: listeners, event descriptors, standard streams,
// libraries' files. 64 shards hold five each.
inline constexpr std::uint64_t open_files_spare = 512;
[[nodiscard]] constexpr std::uint64_t open_files_for(std::uint64_t connections) {
    return connections + open_files_spare;
}

}  // namespace parley::server
