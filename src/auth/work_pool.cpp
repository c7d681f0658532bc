#include "auth/work_pool.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

namespace parley::auth {
namespace {

void stand(WorkPriority priority) noexcept {
    constexpr int nicer = 5;
    if (priority == WorkPriority::beside) return;
    // Both are the thread's own.
    const sched_param none{};
    const bool leftover = priority == WorkPriority::leftover;
    if (!leftover) ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + nicer);
    ::pthread_setschedparam(::pthread_self(), leftover ? SCHED_IDLE : SCHED_BATCH, &none);
}

}  // namespace

WorkPool::WorkPool(std::string name, std::uint32_t threads, std::size_t queue,
                   WorkPriority priority)
    : name_(std::move(name)), queue_max_(queue) {
    for (std::uint32_t i = 0; i < threads; ++i) lanes_.emplace_back();
    for (Lane& lane : lanes_) {
        lane.thread = std::thread([this, &lane, priority] { run(lane, priority); });
    }
}

bool WorkPool::submit(std::function<void()> work) {
    // Counted first, so that many at once do not all find the last place.
    if (waiting_.fetch_add(1, std::memory_order_relaxed) < queue_max_ && put(std::move(work))) {
        return true;
    }
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
}

bool WorkPool::hand_in(std::function<void()> work) {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    if (put(std::move(work))) return true;
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

// To the lane with the least to do.
bool WorkPool::put(std::function<void()> work) {
    if (stopping_.load(std::memory_order_relaxed)) return false;
    auto node = std::make_unique<Work>(std::move(work));
    Lane& lane = *std::ranges::min_element(
        lanes_, {}, [](const Lane& one) { return one.due.load(std::memory_order_relaxed); });
    lane.due.fetch_add(1, std::memory_order_relaxed);
    if (lane.mail.push(*node.release())) ::sem_post(&lane.news);
    return true;
}

void WorkPool::stop() noexcept {
    stopping_.store(true, std::memory_order_relaxed);
    for (Lane& lane : lanes_) ::sem_post(&lane.news);
    for (Lane& lane : lanes_) {
        if (lane.thread.joinable()) lane.thread.join();
        // What came while the lane was ending; nobody runs any more, so it is only dropped.
        do_all(lane);
    }
}

// Everything that waits: done, or dropped once the pool is being stopped.
void WorkPool::do_all(Lane& lane) noexcept {
    lane.mail.take_all([this, &lane](core::MailboxNode& node) {
        const std::unique_ptr<Work> work(static_cast<Work*>(&node));
        waiting_.fetch_sub(1, std::memory_order_relaxed);
        if (!stopping_.load(std::memory_order_relaxed)) {
            begun_.fetch_add(1, std::memory_order_relaxed);
            try {
                work->run();
            } catch (const std::exception&) {
                // Each has said what there is to say of its own failures.
            }
        }
        lane.due.fetch_sub(1, std::memory_order_relaxed);
    });
}

void WorkPool::run(Lane& lane, WorkPriority priority) noexcept {
    ::pthread_setname_np(::pthread_self(), name_.c_str());
    stand(priority);
    while (!stopping_.load(std::memory_order_relaxed)) {
        while (::sem_wait(&lane.news) != 0 && errno == EINTR) {
        }
        do_all(lane);
    }
}

}  // namespace parley::auth
