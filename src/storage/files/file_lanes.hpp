// FileLanes: the threads that touch the disk for files, each with its line of tasks.
//
// Path:     DiskFileStore → [FileLanes] → content_folder, FileIndex
// Runs on:  post(): any thread. Tasks: the lane's own.
// Owned by: DiskFileStore.
// Bounds:   none of its own: DiskFileStore bounds uploads, downloads and questions, and each has one
//           task a step under way; an upload as many as its window has bytes for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include "core/mailbox.hpp"

namespace parley::storage {

class FileLanes {
public:
    // `rounds` is called on the first lane this often, beside its tasks.
    FileLanes(std::size_t threads, std::chrono::milliseconds every, std::function<void()> rounds);
    ~FileLanes();  // stop()
    FileLanes(const FileLanes&) = delete;
    FileLanes& operator=(const FileLanes&) = delete;

    // A lane for tasks that must stay in order; the next one each time.
    [[nodiscard]] std::size_t choose() noexcept {
        return next_.fetch_add(1, std::memory_order_relaxed) % lanes_.size();
    }
    // Has the task run behind those that were given to that lane before. Never waits, but after
    // stop(), when it is run within the call.
    void post(std::size_t lane, std::function<void()> task);
    // Runs what was given and ends the threads. Once nobody but the caller's thread posts any more.
    // What can wait for another time is not begun any more. Any thread.
    [[nodiscard]] bool stopping() const noexcept {
        return stopping_.load(std::memory_order_acquire);
    }
    void stop() noexcept;

private:
    struct Task : core::MailboxNode {
        std::function<void()> run;
    };
    struct Lane {
        core::Mailbox tasks;
        std::counting_semaphore<> wake{0};
        std::thread thread;
    };

    void run(Lane& lane);
    static void run_tasks(Lane& lane);

    std::chrono::milliseconds every_;
    std::function<void()> rounds_;
    std::atomic<std::size_t> next_{0};
    // Set (release) by stop() before it wakes each lane; pairs with the load (acquire) in run().
    std::atomic<bool> stopping_{false};
    bool stopped_ = false;  // threads are joined: for the thread that did so
    std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace parley::storage
