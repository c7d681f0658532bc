#include "storage/files/file_lanes.hpp"

#include <utility>

namespace parley::storage {

FileLanes::FileLanes(std::size_t threads, std::chrono::milliseconds every,
                     std::function<void()> rounds)
    : every_(every), rounds_(std::move(rounds)) {
    for (std::size_t i = 0; i < threads; ++i) lanes_.push_back(std::make_unique<Lane>());
    for (const auto& lane : lanes_) lane->thread = std::thread([this, &lane] { run(*lane); });
}

FileLanes::~FileLanes() {
    stop();
}

void FileLanes::post(std::size_t lane, std::function<void()> task) {
    if (stopped_) return task();
    auto node = std::make_unique<Task>();
    node->run = std::move(task);
    if (lanes_[lane]->tasks.push(*node.release())) lanes_[lane]->wake.release();
}

void FileLanes::run_tasks(Lane& lane) {
    lane.tasks.take_all([](core::MailboxNode& node) {
        const std::unique_ptr<Task> task(static_cast<Task*>(&node));
        task->run();
    });
}

void FileLanes::run(Lane& lane) {
    using Clock = std::chrono::steady_clock;
    const bool first = &lane == lanes_.front().get();
    auto due = Clock::now() + every_;
    for (;;) {
        if (!first) {
            lane.wake.acquire();
        } else if (!lane.wake.try_acquire_until(due)) {
            due = Clock::time_point::min();
        }
        const bool last = stopping_.load(std::memory_order_acquire);
        run_tasks(lane);
        // Looked at behind tasks too: where there is always another, no wait ever runs out.
        if (first && Clock::now() >= due) {
            rounds_();
            due = Clock::now() + every_;
        }
        if (last) return;
    }
}

void FileLanes::stop() noexcept {
    if (stopped_) return;
    stopping_.store(true, std::memory_order_release);
    for (const auto& lane : lanes_) lane->wake.release();
    for (const auto& lane : lanes_) lane->thread.join();
    stopped_ = true;
    for (const auto& lane : lanes_) run_tasks(*lane);  // what a lane gave another at the end
}

}  // namespace parley::storage
