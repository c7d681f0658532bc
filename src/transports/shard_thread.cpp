#include "transports/shard_thread.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <optional>
#include <system_error>

#include "transports/log.hpp"
#include "transports/send_ring.hpp"

namespace parley::transports {
namespace {

int make_eventfd() {
    const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return descriptor;
}

}  // namespace

ShardThread::ShardThread(bool gathers)
    : wake_(watch(reactor_, make_eventfd(), Interest::reading)),
      gathers_(gathers),
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

// A ring belongs to the thread that made it.
void ShardThread::open_ring() noexcept {
    ring_.reset();
    if (!gathers_) return;
    try {
        ring_ = std::make_unique<SendRing>();
    } catch (const std::exception& failure) {
        gathers_ = false;
        log::warn("io_uring was offered and is refused now: writes leave one by one",
                  {{"error", failure.what()}});
    }
}

void ShardThread::run() {
    open_ring();
    refresh_now();
    round_began_ = shard_->now().mono;
    turn_asked_ = false;
    turn();
    while (!stopping_.load(std::memory_order_acquire)) round(true);
    ring_.reset();
}

void ShardThread::run_ready() {
    if (!ring_) open_ring();
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
    core::TimePoint asleep = core::TimePoint::max();
    if (busy) {
        timeout = core::Duration::zero();
    } else {
        asleep = core::monotonic_now();
        if (due) timeout = *due - asleep;
    }
    reactor_.wait(timeout);
    refresh_now();
    note_round(shard_->now().mono - std::min(asleep, shard_->now().mono));
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

void ShardThread::slice_begins() noexcept {
    if (!ring_) return;
    ring_->begin(shard_->metrics());
    gathering_ = ring_.get();
}

void ShardThread::slice_ends() noexcept {
    if (gathering_ == nullptr) return;
    ring_->end();
    gathering_ = nullptr;
    if (!ring_->broken()) return;
    ring_.reset();
    gathers_ = false;
}

void ShardThread::forget(int descriptor) noexcept {
    if (ring_) ring_->forget(descriptor);
}

void ShardThread::refresh_now() noexcept {
    shard_->set_now(core::machine_now());
}

// What the round since the last call was like, for whoever chooses how long flushes are held.
void ShardThread::note_round(core::Duration waited) {
    // The call alone takes some time, however much was there for it.
    constexpr core::Duration call = std::chrono::microseconds(10);
    const core::TimePoint now = shard_->now().mono;
    shard_->note_round({now - round_began_, waited > call ? waited : core::Duration::zero(),
                        std::exchange(flushed_, {})});
    round_began_ = now;
}

void ShardThread::turn() {
    turn_asked_ = false;
    const core::Instant began = core::machine_now();
    shard_->turn(began);
    // One look at the clock a turn that flushed, and none in any other.
    if (shard_->passes_ended() || shard_->flush_left()) {
        const core::TimePoint ended = core::monotonic_now();
        shard_->note_written(ended);
        flushed_ += ended - began.mono;
    }
    if (after_turn_) after_turn_();
}

}  // namespace parley::transports
