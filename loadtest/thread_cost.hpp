// ThreadCost: what share of the measured window a thread of the generator was busy, and was kept
// from running.
//
// Path:     clock → [CostMeter] → GeneratorCost
// Runs on:  the thread that it measures; cost() after that has ended.
// Owned by: LoadThread, HandshakeThread.
// Bounds:   none needed.
#pragma once

#include <cstdint>
#include <optional>

namespace parley::load {

struct ThreadCost {
    double busy = 0;
    double waited = 0;
};

class CostMeter {
public:
    // To be called every few milliseconds; measures from the first call in the window to the first
    // one behind it.
    void look(std::int64_t now_ns, std::int64_t window_from_ns, std::int64_t window_to_ns);
    // Processor time that was spent waiting awake: it is nobody's work.
    void waited_awake(std::int64_t ns) noexcept { awake_ns_ += ns; }
    [[nodiscard]] ThreadCost cost() const noexcept { return cost_; }

private:
    struct Usage {
        std::int64_t wall_ns, cpu_ns, wait_ns, awake_ns;
    };
    std::optional<Usage> at_start_;
    bool done_ = false;
    std::int64_t awake_ns_ = 0;
    ThreadCost cost_;
};

}  // namespace parley::load
