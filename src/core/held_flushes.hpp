// HeldFlushes: the rooms of a shard whose flush waits for more to be said; those of one delay stand
// in a line, the oldest first.
//
// Path:     Shard::queue_flush() → [HeldFlushes] → Shard::turn()
// Runs on:  its shard.
// Owned by: Shard. A room takes itself off when it goes.
// Bounds:   a line per distinct delay of the configuration; a room stands in one at most.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <deque>
#include <optional>

#include "core/clock.hpp"
#include "core/config.hpp"

namespace parley::core {

struct HoldLine;

// What an Audience is, as far as its flush can be held.
class HeldFlush : public boost::intrusive::list_base_hook<
                      boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    explicit HeldFlush(HoldLine& line) noexcept : line_(&line) {}
    [[nodiscard]] bool held() const noexcept { return is_linked(); }
    // It waits no longer.
    void end_hold() noexcept { unlink(); }

private:
    friend class HeldFlushes;
    HoldLine* line_;
    std::uint32_t since_ = 0;  // as stamp_of() has it
};

// The flushes that wait for the same time.
struct HoldLine {
    FlushDelay delay;
    boost::intrusive::list<HeldFlush, boost::intrusive::constant_time_size<false>> waiting{};
};

class HeldFlushes {
public:
    // The line of the rooms with that delay; it stays where it is.
    [[nodiscard]] HoldLine& line_of(const FlushDelay& delay);

    // Every flush that is adaptive is held for that long from now on.
    void set_adaptive(Duration delay) noexcept { adaptive_ = delay; }
    // Holds it where it is younger than its delay, `since` being when what it is to hand over was
    // born (stamp_of()); false where it is not.
    [[nodiscard]] bool hold(HeldFlush& flush, std::uint32_t since, TimePoint now) noexcept;
    // Takes one whose time has come; null where there is none.
    [[nodiscard]] HeldFlush* take_due(TimePoint now) noexcept;
    // When take_due() has one next; nothing where none is held.
    [[nodiscard]] std::optional<TimePoint> next_due(TimePoint now) const noexcept;

    // How long it may be held at present.
    [[nodiscard]] Duration delay_of(const HeldFlush& flush) const noexcept {
        return delay_of(*flush.line_);
    }

private:
    [[nodiscard]] Duration delay_of(const HoldLine& line) const noexcept {
        return line.delay.adaptive ? adaptive_ : Duration(line.delay.fixed);
    }

    std::deque<HoldLine> lines_;
    Duration adaptive_{};
};

}  // namespace parley::core
