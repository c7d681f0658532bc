// Clocks: time is an argument everywhere; this is the one place that asks the machine for it.
//
// Path:     shard loop → [clock] → everything, as an argument
// Runs on:  any thread.
// Owned by: nobody.
// Bounds:   none.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace parley::core {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;
using WallTime = std::chrono::system_clock::time_point;

// What a shard knows of time: the monotonic clock for deadlines, the wall clock for `at`. Taken
// together once a turn, so that everything in a turn agrees.
struct Instant {
    TimePoint mono;
    WallTime wall;
};

[[nodiscard]] Instant machine_now() noexcept;
// The monotonic clock alone, where nobody asks for the date.
[[nodiscard]] TimePoint monotonic_now() noexcept;

// A time in microseconds modulo 2^32, for intervals well under an hour: the difference of two, again
// modulo 2^32, is the time between.
[[nodiscard]] constexpr std::uint32_t stamp_of(TimePoint at) noexcept {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count());
}

// RFC 3339, UTC, milliseconds: "2026-01-31T23:59:59.999Z".
[[nodiscard]] std::string format_rfc3339(WallTime at);

}  // namespace parley::core
