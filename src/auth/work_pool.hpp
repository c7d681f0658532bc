// WorkPool: a few threads for what must not be done on a shard, of lower priority than those, with a
// queue that has an end.
//
// Path:     a shard → [WorkPool] → a function on one of its threads
// Runs on:  submit(), hand_in() and the counts: any thread. No lock is taken: a thread of low
//           priority that is set aside in the middle of it holds nobody up.
// Owned by: LocalAccounts, PasswordHasher.
// Bounds:   `queue` functions that wait; what is beyond that is refused.
#pragma once

#include <semaphore.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/mailbox.hpp"

namespace parley::auth {

// How its threads stand to the shards, on Linux; where that is refused they stand beside them.
enum class WorkPriority : std::uint8_t {
    beside,
    behind,    // a third of a shard's weight, as batch work: for what is short and waited for
    leftover,  // SCHED_IDLE: what nobody else wants of the CPU, given up as soon as anybody does
};

class WorkPool {
public:
    // The name has at most 15 characters.
    WorkPool(std::string name, std::uint32_t threads, std::size_t queue, WorkPriority priority);
    ~WorkPool() { stop(); }
    WorkPool(const WorkPool&) = delete;
    WorkPool& operator=(const WorkPool&) = delete;

    // False where the queue is full, or the pool was stopped. What `work` throws ends it alone.
    [[nodiscard]] bool submit(std::function<void()> work);
    // The same past the queue's end: for what follows from work that was let in, and is as many.
    [[nodiscard]] bool hand_in(std::function<void()> work);
    // Joins the threads; what waits is dropped unrun.
    void stop() noexcept;

    [[nodiscard]] std::size_t waiting() const noexcept {
        return waiting_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t begun() const noexcept {
        return begun_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t refused() const noexcept {
        return refused_.load(std::memory_order_relaxed);
    }

private:
    struct Work : core::MailboxNode {
        explicit Work(std::function<void()> what) : run(std::move(what)) {}
        std::function<void()> run;
    };
    // A thread and what waits for it.
    struct Lane {
        Lane() noexcept { ::sem_init(&news, 0, 0); }
        ~Lane() { ::sem_destroy(&news); }
        Lane(const Lane&) = delete;
        Lane& operator=(const Lane&) = delete;

        core::Mailbox mail;
        sem_t news{};                       // posted by whoever finds the mailbox empty, and stop()
        std::atomic<std::uint32_t> due{0};  // to choose by, alone: what waits and what is under way
        std::thread thread{};
    };

    bool put(std::function<void()> work);
    void run(Lane& lane, WorkPriority priority) noexcept;
    void do_all(Lane& lane) noexcept;

    const std::string name_;
    const std::size_t queue_max_;
    std::atomic<bool> stopping_{false};  // said by stop(), read by the lanes behind their semaphore
    std::atomic<std::size_t> waiting_{0};  // these three are counts: nothing follows from them
    std::atomic<std::uint64_t> begun_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::deque<Lane> lanes_;
};

}  // namespace parley::auth
