// AwaitedLoop: the loop of a shard that waits for the mail of other threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>

#include "core/clock.hpp"
#include "core/shard.hpp"

namespace parley::test {

class AwaitedLoop final : public core::ShardLoop {
public:
    void run_soon() noexcept override { wake(); }
    void wake() noexcept override {
        const std::scoped_lock lock(mutex_);
        woken_ = true;
        news_.notify_one();
    }
    // Waits until it is woken; false where that did not happen by then. One wake ends one wait.
    bool wait_until(core::TimePoint give_up) {
        std::unique_lock lock(mutex_);
        if (!news_.wait_until(lock, give_up, [this] { return woken_; })) return false;
        woken_ = false;
        return true;
    }

private:
    std::mutex mutex_;
    std::condition_variable news_;
    bool woken_ = false;
};

// Turns the shard whenever it is woken, until `done`; throws where two minutes were not enough.
inline void turn_until(core::Shard& shard, AwaitedLoop& loop, const std::function<bool()>& done) {
    const auto give_up = core::monotonic_now() + std::chrono::seconds(120);
    while (!done()) {
        if (!loop.wait_until(give_up) || core::monotonic_now() >= give_up) {
            throw std::runtime_error("what the shard waits for does not come");
        }
        shard.turn(core::machine_now());
    }
}

}  // namespace parley::test
