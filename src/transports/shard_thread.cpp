#include "transports/shard_thread.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
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
    : wake_(watch(reactor_, make_eventfd(), Interest::reading)),
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
    while (!stopping_.load(std::memory_order_acquire)) round(true);
}

void ShardThread::run_ready() {
    do {
        round(false);
    } while (run_handlers() || turn_asked_);
}

// One round of the loop: what the descriptors have, what is due, what was deferred, and at its end
// the one turn that all of these asked for. A turn between two reads would gather less.
void ShardThread::round(bool may_wait) {
    const bool busy = run_handlers() || turn_asked_ || !may_wait;
    const auto due = shard_->timers().next_due();
    std::optional<core::Duration> timeout;
    if (busy) {
        timeout = core::Duration::zero();
    } else if (due) {
        timeout = *due - core::machine_now().mono;
    }
    reactor_.wait(timeout);
    refresh_now();
    reactor_.dispatch();
    if (due && *due <= shard_->now().mono) {
        shard_->timers().advance(shard_->now().mono);
        run_soon();
    }
    run_handlers();
    if (turn_asked_) turn();
}

// True where more are left.
bool ShardThread::run_handlers() {
    for (int i = 0; i < handlers_per_round; ++i) {
        if (io_.poll_one() == 0) return false;
    }
    return true;
}

void ShardThread::run_soon() noexcept {
    turn_asked_ = true;
}

void ShardThread::wake() noexcept {
    // acq_rel: the exchange of the waker that finds `false` comes after the loop's store of it, and
    // what was mailed before the call is seen by the turn that follows the loop's next exchange.
    if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
    const std::uint64_t one = 1;
    // It can only fail where the counter would overflow, and then the loop is awake.
    [[maybe_unused]] const ssize_t written = ::write(wake_->descriptor(), &one, sizeof one);
}

void ShardThread::wait_for_wake() {
    wake_->wait_readable([this](const boost::system::error_code& error) {
        if (error) return;
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t got = ::read(wake_->descriptor(), &count, sizeof count);
        wake_->drained();
        // Cleared before the mail is taken: who mails from here on signals anew.
        signalled_.exchange(false, std::memory_order_acq_rel);
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
}

}  // namespace parley::transports
