// TimerWheel: all deadlines of a shard, true to a millisecond (Varghese and Lauck, 1987: hierarchical
// timing wheels).
//
// Path:     beside it; transports and rooms arm it, the shard's loop turns it
// Runs on:  its shard.
// Owned by: Shard. A Timer is part of what it wakes and takes itself off when destroyed.
// Bounds:   no allocation. Four wheels: 64 slots of 1 ms, 1,024 of 64 ms, 64 of 66 s, 64 of 70 min, 20
//           KiB in all; a deadline that is 75 h off waits there and is placed again. What comes due
//           within a minute, as heartbeats do, moves once, with no more than 64 ms' worth of others.
#pragma once

#include <array>
#include <cstddef>
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
    struct Level {
        int shift;          // a slot is 2^shift milliseconds
        int bits;           // 2^bits slots
        std::size_t first;  // of its slots among all
    };
    static constexpr std::array<Level, 4> levels{
        {{0, 6, 0}, {6, 10, 64}, {16, 6, 64 + 1024}, {22, 6, 64 + 1024 + 64}}};
    static constexpr std::size_t slots_in_all = 64 + 1024 + 64 + 64;
    static constexpr std::int64_t reach_ms = std::int64_t{1} << 28;

    void place(Timer& timer) noexcept;
    void cascade(const Level& level) noexcept;
    void step() noexcept;
    // How many slots ahead the next one is that holds a timer; nothing where none does.
    [[nodiscard]] std::optional<std::int64_t> next_occupied(const Level& level) const noexcept;

    TimePoint start_;
    std::int64_t now_ms_ = 0;  // everything due at or before it has fired
    std::array<detail::TimerLink, slots_in_all> slots_;
    // A bit a slot: one of an empty slot may still be set, and is cleared when it is looked at.
    mutable std::array<std::uint64_t, slots_in_all / 64> occupied_{};
};

}  // namespace parley::core
