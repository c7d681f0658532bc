// TalkPacer: when each message of a run is meant to be sent, and by whom: a pacer, or one for each
// persona that publishes, each with its part of the phases' rate.
//
// Path:     Plan → [TalkPacer] → LoadThread → VirtualUser::publish
// Runs on:  one load thread; each has a pacer over the same times and takes its own share.
// Owned by: LoadThread.
// Bounds:   personas_max pacers.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "loadtest/pacer.hpp"

namespace parley::load {

struct Pass;
struct Plan;

class TalkPacer {
public:
    // `plan` outlives it. At the pass's rate, or the phases', where there are any. Share `share` of
    // `shares`, of all threads of all processes.
    TalkPacer(const Plan& plan, const Pass& pass, unsigned share, unsigned shares);

    // As of Pacer, over all of them: the earliest first.
    [[nodiscard]] std::optional<Pacer::Tick> take(std::int64_t now_ns) noexcept;
    [[nodiscard]] std::int64_t next_ns() const noexcept { return pacers_[next_].next_ns(); }
    void end_at(std::int64_t end_ns) noexcept;

private:
    void choose() noexcept;

    std::vector<Pacer> pacers_;  // one at least
    std::size_t next_ = 0;
};

}  // namespace parley::load
