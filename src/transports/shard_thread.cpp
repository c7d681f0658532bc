#include "transports/shard_thread.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace parley::transports {
namespace {

int make_eventfd() {
    const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return descriptor;
}

}  // namespace

ShardThread::ShardThread()
    : wake_(io_.get_executor(), make_eventfd()),
      timer_(io_.get_executor()),
      receive_buffer_(std::make_unique_for_overwrite<char[]>(receive_bytes)) {
    wait_for_wake();
}

ShardThread::~ShardThread() {
    join();
}

void ShardThread::start() {
    thread_ = std::thread([this] { run(); });
}

void ShardThread::stop() noexcept {
    // Release pairs with the acquire in run() and in the wake handler.
    stopping_.store(true, std::memory_order_release);
    wake();
}

void ShardThread::join() {
    if (thread_.joinable()) thread_.join();
}

void ShardThread::run() {
    refresh_now();
    turn_asked_ = false;
    turn();
    io_.run();
}

void ShardThread::run_ready() {
    io_.restart();
    io_.poll();
}

void ShardThread::run_soon() noexcept {
    if (turn_asked_) return;
    turn_asked_ = true;
    boost::asio::post(io_, [this] { turn(); });
}

void ShardThread::wake() noexcept {
    // acq_rel: the exchange of the waker that finds `false` comes after the loop's store of it, and
    // what was mailed before the call is seen by the turn that follows the loop's next exchange.
    if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
    const std::uint64_t one = 1;
    // It can only fail where the counter would overflow, and then the loop is awake.
    [[maybe_unused]] const ssize_t written = ::write(wake_.native_handle(), &one, sizeof one);
}

void ShardThread::wait_for_wake() {
    wake_.async_wait(decltype(wake_)::wait_read, [this](const boost::system::error_code& error) {
        if (error) return;
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t got = ::read(wake_.native_handle(), &count, sizeof count);
        // Cleared before the mail is taken: who mails from here on signals anew.
        signalled_.exchange(false, std::memory_order_acq_rel);
        if (stopping_.load(std::memory_order_acquire)) {
            io_.stop();
            return;
        }
        wait_for_wake();
        run_soon();
    });
}

void ShardThread::refresh_now() noexcept {
    shard_->set_now(core::machine_now());
}

void ShardThread::turn() {
    turn_asked_ = false;
    shard_->turn(core::machine_now());
    // One look at the clock a turn that ended a pass, and none in any other.
    if (shard_->passes_ended()) shard_->note_written(core::machine_now().mono);
    if (after_turn_) after_turn_();
    rearm();
}

void ShardThread::rearm_soon() noexcept {
    if (rearm_asked_) return;
    rearm_asked_ = true;
    boost::asio::post(io_, [this] {
        rearm_asked_ = false;
        rearm();
    });
}

void ShardThread::rearm() {
    const auto due = shard_->timers().next_due();
    // A timer that was cancelled or moved back costs one early look and no re-arming now.
    if (!due || *due >= timer_due_) return;
    timer_due_ = *due;
    timer_.expires_at(*due);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) on_timer();
    });
}

void ShardThread::on_timer() {
    timer_due_ = core::TimePoint::max();
    const core::Instant now = core::machine_now();
    shard_->set_now(now);
    shard_->timers().advance(now.mono);
    rearm();
    run_soon();
}

}  // namespace parley::transports
