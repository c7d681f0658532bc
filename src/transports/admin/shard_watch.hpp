// ShardWatch: whether every shard still turns, by asking it.
//
// Path:     a timer of the main thread → [ShardWatch] → Shard; → live probe, systemd's watchdog
// Runs on:  ask() on one thread; the answers come on the shards; what reads is for any thread.
// Owned by: the server (composition root); outlives the shards' threads.
// Bounds:   one question a shard under way, however long it goes unanswered.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/clock.hpp"
#include "core/hub.hpp"

namespace parley::transports::admin {

class ShardWatch {
public:
    // The hub is only used by ask().
    explicit ShardWatch(core::Hub& hub);

    // Asks every shard that has answered. To be called every so often, from one thread; an idle
    // shard is woken by it, so once a second is often enough.
    void ask(core::TimePoint now);

    [[nodiscard]] bool all_answered() const noexcept;
    // The shards that owe an answer for at least `time`.
    [[nodiscard]] std::vector<std::uint32_t> silent_for(core::Duration time,
                                                        core::TimePoint now) const;
    [[nodiscard]] std::size_t shard_count() const noexcept { return hub_->shard_count(); }
    // How long the shard took for its last answer, or how long it owes one where that is more.
    [[nodiscard]] core::Duration answer_time(std::size_t shard, core::TimePoint now) const noexcept;

private:
    // Written by the asker while nothing is owed and by the shard while something is, so never by
    // both: the store of `asked` (release) pairs with the load of the other (acquire).
    struct alignas(64) Pulse {
        std::atomic<std::int64_t> asked{0};  // ticks of the clock; 0: nothing is owed
        std::atomic<std::int64_t> took{0};
    };

    core::Hub* hub_;
    std::shared_ptr<std::vector<Pulse>> pulses_;  // errands under way hold them too
};

}  // namespace parley::transports::admin
