// FlushPace: how long the flushes of a shard are held when `flush.delay` is adaptive, from how busy
// its loop is. Without an idle moment left, what is said is gathered for longer, and one write hands
// over more of it; with one left, nothing is held.
//
// Path:     the shard's loop → [FlushPace] → Shard::turn()
// Runs on:  its shard.
// Owned by: Shard.
// Bounds:   flush.delay_max.
#pragma once

#include "core/clock.hpp"

namespace parley::core {

class FlushPace {
public:
    // The shortest delay that is tried: what a write saves in less is not worth a timer.
    static constexpr Duration first = std::chrono::milliseconds(2);
    // What is judged at a time, at least; never less than the delay, which shows only then.
    static constexpr Duration span_min = std::chrono::milliseconds(20);

    explicit FlushPace(Duration max) noexcept : max_(max) {}

    // A stretch of the loop's time: how much of it went by waiting for something to happen, and how
    // much into flushes of rooms that had been flushed less than flush.delay_max before. Only those
    // can be spared by holding them.
    struct Round {
        Duration whole;
        Duration waited;
        Duration sparable;
    };
    // Takes in another stretch. True where the delay is another one now.
    bool note(const Round& round) noexcept;

    [[nodiscard]] Duration delay() const noexcept { return delay_; }

private:
    [[nodiscard]] Duration judged() const noexcept;

    Duration max_;
    Duration delay_{};
    Round sum_{};
};

}  // namespace parley::core
