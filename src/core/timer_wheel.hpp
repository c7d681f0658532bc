// TimerWheel: all deadlines of a shard, true to a millisecond (Varghese and Lauck, 1987: hierarchical
// timing wheels).
//
// Path:     beside it; transports and rooms arm it, the shard's loop turns it
// Runs on:  its shard.
// Owned by: Shard. A Timer is part of what it wakes and takes itself off when destroyed.
// Bounds:   no allocation. Five wheels of 64 slots: 1 ms, 64 ms, 4 s, 4.4 min, 4.7 h a slot; a later
//           deadline waits in the last slot and is placed again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/clock.hpp"

namespace parley::core {

namespace detail {
struct TimerLink {
    TimerLink* next = nullptr;
    TimerLink* previous = nullptr;
};
}  // namespace detail

// An intrusive deadline. `fire` is called once per arming, from TimerWheel::advance(); it may arm
// again, cancel others or destroy its own timer.
class Timer : private detail::TimerLink {
public:
    using Fire = void (*)(Timer& timer) noexcept;
    explicit Timer(Fire fire) noexcept : fire_(fire) {}
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    [[nodiscard]] bool armed() const noexcept { return next != nullptr; }
    void cancel() noexcept;

private:
    friend class TimerWheel;
    std::int64_t due_ms_ = 0;
    Fire fire_;
};

class TimerWheel {
public:
    explicit TimerWheel(TimePoint start) noexcept;
    ~TimerWheel();
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    // Arms or re-arms; a time in the past fires at the next advance(). Never fires early: the due
    // time is rounded up to the next millisecond.
    void arm(Timer& timer, TimePoint due) noexcept;
    // Fires everything due, in order of milliseconds.
    void advance(TimePoint now) noexcept;
    // When advance() has something to do next: never later than the earliest deadline, earlier at
    // most once per level on the way to it. Nothing when no timer is armed.
    [[nodiscard]] std::optional<TimePoint> next_due() const noexcept;

private:
    static constexpr int levels = 5;
    static constexpr int slot_bits = 6;
    static constexpr std::int64_t slots = 1 << slot_bits;

    void place(Timer& timer) noexcept;
    void cascade(int level) noexcept;
    void step() noexcept;

    TimePoint start_;
    std::int64_t now_ms_ = 0;  // everything due at or before it has fired
    std::array<std::array<detail::TimerLink, slots>, levels> wheel_;
};

}  // namespace parley::core
