// WriteQueue: what homes have asked of a store and its engine has not taken up yet, and whether more
// may be asked.
//
// Path:     Engine → [WriteQueue] → the engine's thread
// Runs on:  push() and accepting(): any thread. The rest: the engine's.
// Owned by: Engine.
// Bounds:   HistoryConfig::queue_messages, ::queue_bytes of appends that are not written; past either
//           accepting() is false until three quarters are left. What homes have taken in by then is
//           pushed all the same: their rings bound it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/config.hpp"
#include "core/mailbox.hpp"
#include "storage/store_request.hpp"

namespace parley::storage {

class WriteQueue {
public:
    // `ring` tells the engine's thread that something waits; called on any thread, once for what
    // comes until the next take_all(), and again where it is `urgent`: somebody waits for an answer,
    // or a sixteenth of either bound waits to be written.
    WriteQueue(const core::HistoryConfig& config, std::function<void(bool urgent)> ring);
    ~WriteQueue();
    WriteQueue(const WriteQueue&) = delete;
    WriteQueue& operator=(const WriteQueue&) = delete;

    void push(StoreRequest&& request);
    [[nodiscard]] bool accepting() const noexcept {
        return accepting_.load(std::memory_order_relaxed);  // a hint: nothing is read by it
    }

    // Moves everything to the end of `taken`, in the order of pushing. Appends count as queued until
    // they are settled.
    void take_all(std::vector<StoreRequest>& taken);
    // That append was written, or refused.
    void settle(const AppendRequest& append) noexcept;
    // While the store fails nothing is accepted.
    void set_failing(bool failing) noexcept;
    [[nodiscard]] bool failing() const noexcept { return failing_.load(std::memory_order_relaxed); }

    // Whether a sixteenth of either bound is there: too much to wait for more.
    [[nodiscard]] bool many() const noexcept;
    // Appends not settled yet. Any thread.
    [[nodiscard]] std::uint64_t messages() const noexcept {
        return messages_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return bytes_.load(std::memory_order_relaxed);
    }

private:
    struct Node : core::MailboxNode {
        explicit Node(StoreRequest&& what) : request(std::move(what)) {}
        StoreRequest request;
    };

    void review() noexcept;

    std::uint64_t messages_max_;
    std::uint64_t bytes_max_;
    std::uint64_t many_messages_;
    std::uint64_t many_bytes_;
    std::function<void(bool)> ring_;
    core::Mailbox mailbox_;
    std::atomic<std::uint64_t> messages_{0};
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<bool> failing_{false};
    std::atomic<bool> accepting_{true};
};

}  // namespace parley::storage
