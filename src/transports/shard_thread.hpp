// ShardThread: the thread of one shard, with the event loop and the buffers that all its
// connections share.
//
// Path:     kernel → [ShardThread] → connections, Shard::turn()
// Runs on:  its own thread; wake(), post() and stop() may be called from any.
// Owned by: the server (composition root). It outlives its Gate and the Hub.
// Bounds:   one receive buffer; one turn asked for at a time.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "core/shard.hpp"
#include "transports/executor.hpp"
#include "transports/reactor.hpp"

namespace parley::transports {

class SendRing;

class ShardThread final : public core::ShardLoop {
public:
    // `gathers`: writes leave through a SendRing, made on the thread that runs the shard; where that
    // fails after all they leave one by one. Throws std::system_error where the kernel gives no event
    // descriptor.
    explicit ShardThread(bool gathers = false);
    // Joins the thread. Only after stop().
    ~ShardThread() override;
    ShardThread(const ShardThread&) = delete;
    ShardThread& operator=(const ShardThread&) = delete;

    // Names the shard to run. Before start(); the shard must stay until join().
    void attach(core::Shard& shard) noexcept { shard_ = &shard; }
    // Starts the thread.
    void start();
    // Ends the loop soon. Any thread.
    void stop() noexcept;
    // Waits for the thread's end. Afterwards the caller's thread is the shard's.
    void join();
    // Runs what is ready on the calling thread, for teardown and tests. Not while the thread runs.
    void run_ready();

    // ShardLoop
    void run_soon() noexcept override;
    void wake() noexcept override;
    void slice_begins() noexcept override;
    void slice_ends() noexcept override;

    // Where a connection may leave its frames within a slice; null outside of one, and with epoll.
    [[nodiscard]] SendRing* gathering() noexcept { return gathering_; }
    // A socket that may have been written to so is about to be closed.
    void forget(int descriptor) noexcept;
    // True while a turn of the shard is due.
    [[nodiscard]] bool turn_asked() const noexcept { return turn_asked_; }
    // Names what is called behind every turn; empty: nothing.
    void set_after_turn(std::function<void()> task) { after_turn_ = std::move(task); }
    // Takes the time from the machine and gives it to the shard.
    void refresh_now() noexcept;
    // Runs `task` on this thread from the loop, behind what is ready now. This thread only.
    template <typename Task>
    void defer(Task&& task) {
        boost::asio::post(io_, std::forward<Task>(task));
    }

    [[nodiscard]] core::Shard& shard() const noexcept { return *shard_; }
    [[nodiscard]] Executor executor() noexcept { return io_.get_executor(); }
    [[nodiscard]] Reactor& reactor() noexcept { return reactor_; }
    // What is read lies here until the next read of any connection of the shard.
    [[nodiscard]] std::span<char> receive_buffer() noexcept {
        return {receive_buffer_.get(), receive_bytes};
    }
    // For encoding within one function.
    [[nodiscard]] std::string& scratch() noexcept {
        scratch_.clear();
        return scratch_;
    }

    static constexpr std::size_t receive_bytes = 64 * 1024;

private:
    // Handlers run between two looks at the descriptors: more wait their turn.
    static constexpr int handlers_per_round = 1024;

    void run();
    void open_ring() noexcept;
    void round(bool may_wait);
    bool run_handlers();
    void wait_for_wake();
    void turn();
    void note_round(core::Duration waited);

    // Runs coroutines and what is deferred. Only its thread touches it: no lock is taken in it. It
    // holds no descriptor and no timer: the reactor and the shard's timers see to those.
    boost::asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
    boost::asio::executor_work_guard<Executor> work_{io_.get_executor()};
    Reactor reactor_{io_.get_executor()};
    WatchPtr wake_;
    core::Shard* shard_ = nullptr;
    SendRing* gathering_ = nullptr;
    bool gathers_;
    std::unique_ptr<SendRing> ring_;
    std::function<void()> after_turn_;
    bool turn_asked_ = false;
    core::TimePoint round_began_{};
    core::Duration flushed_{};  // in turns, since then
    // Set by whoever signals the eventfd, cleared by the loop before it takes the mail: pairs
    // within wake() and wait_for_wake(). Several wake-ups cost one write.
    std::atomic<bool> signalled_{false};
    std::atomic<bool> stopping_{false};
    std::unique_ptr<char[]> receive_buffer_;
    std::string scratch_;
    std::thread thread_;
};

}  // namespace parley::transports
