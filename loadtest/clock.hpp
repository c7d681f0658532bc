// The generator's one clock: nanoseconds of CLOCK_MONOTONIC, and a thread's own processor time.
//
// Path:     kernel → [clock] → load_thread, run; everything else is told the time
// Runs on:  any thread.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <cstdint>
#include <limits>

namespace parley::load {

inline constexpr std::int64_t ns_per_ms = 1'000'000;
inline constexpr std::int64_t ns_per_s = 1'000'000'000;
inline constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

// As reports have them.
[[nodiscard]] constexpr double in_seconds(std::int64_t ns) noexcept {
    return static_cast<double>(ns) / static_cast<double>(ns_per_s);
}
[[nodiscard]] constexpr double in_microseconds(std::uint64_t ns) noexcept {
    return static_cast<double>(ns) / 1e3;
}

[[nodiscard]] std::int64_t monotonic_ns() noexcept;

// Processor time of the calling thread.
[[nodiscard]] std::int64_t thread_cpu_ns() noexcept;

// How long the calling thread was ready to run and was not run (/proc/thread-self/schedstat);
// 0 where the kernel does not tell.
[[nodiscard]] std::int64_t thread_wait_ns() noexcept;

// Sleeps until the instant; may return early when a signal arrives.
void sleep_until(std::int64_t instant_ns) noexcept;

}  // namespace parley::load
