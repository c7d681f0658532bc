// WaitPoint: where one coroutine waits for what happens elsewhere on its shard.
//
// Path:     HttpConnection → [WaitPoint] ← LaterAnswer, BodySink, BodySource
// Runs on:  its connection's shard.
// Owned by: whoever wakes.
// Bounds:   one coroutine at a time.
#pragma once

#include <functional>

#include "transports/executor.hpp"

namespace parley::transports {

class WaitPoint {
public:
    explicit WaitPoint(Executor executor) noexcept : executor_(executor) {}
    WaitPoint(const WaitPoint&) = delete;
    WaitPoint& operator=(const WaitPoint&) = delete;

    // Ends the wait under way, from the loop: whoever calls is in the middle of a turn of the shard,
    // or of a timer. Without one it does nothing: who waits looks first whether there is a need to.
    void wake();
    [[nodiscard]] Awaitable<void> wait();

private:
    Executor executor_;
    std::function<void()> wake_;  // the coroutine in wait()
};

}  // namespace parley::transports
