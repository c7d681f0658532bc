// Pacer: when each message is meant to be sent, and by whom. Open-loop: the times depend on the
// rate alone, never on how the server or the generator keeps up.
//
// Path:     Scenario → [Pacer] → LoadThread → VirtualUser::publish
// Runs on:  one load thread; each has a pacer over the same times and takes its own share.
// Owned by: LoadThread.
// Bounds:   none needed; no ticks are stored.
#pragma once

#include <cstdint>
#include <optional>

#include "loadtest/phase_plan.hpp"

namespace parley::load {

struct PacerConfig {
    std::int64_t start_ns = 0;     // of the first message
    std::int64_t end_ns = 0;       // no message is meant for this instant or later
    double rate_per_s = 0;         // of all shares together; 0: no messages at all
    std::uint32_t publishers = 1;  // they take turns: message k is publisher k mod publishers
    std::uint32_t share = 0;       // this pacer's: the publishers p with p mod shares == share
    std::uint32_t shares = 1;
    std::uint32_t first = 0;           // their numbers begin here
    const RateCurve* curve = nullptr;  // in place of the rate, which then is the part of it: 0 to 1
};

class Pacer {
public:
    struct Tick {
        std::int64_t intended_ns;
        std::uint32_t publisher;
    };

    explicit Pacer(const PacerConfig& config) noexcept;

    // The next message of this share that is due; to be called until it returns nothing.
    [[nodiscard]] std::optional<Tick> take(std::int64_t now_ns) noexcept;
    // When the next message of this share is due; never_ns when there is none left.
    [[nodiscard]] std::int64_t next_ns() const noexcept { return next_ns_; }
    // Nothing is meant for `end_ns` or later any more.
    void end_at(std::int64_t end_ns) noexcept;

private:
    void compute_next() noexcept;
    [[nodiscard]] std::optional<std::int64_t> time_of(std::uint64_t message) const noexcept;

    PacerConfig config_;
    std::uint64_t cycle_ = 0;
    std::uint32_t publisher_;
    std::int64_t next_ns_ = 0;
};

}  // namespace parley::load
