#include "loadtest/handshake_thread.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>

#include "loadtest/clock.hpp"

namespace parley::load {
namespace {

constexpr std::size_t buffer_bytes = 16384;
constexpr std::int64_t handshake_turn_ns_max = 2 * ns_per_ms;
constexpr std::int64_t handshake_look_every_ns = 100 * ns_per_ms;
// A handshake that takes longer has failed.
constexpr std::int64_t patience_ns = 10 * ns_per_s;

}  // namespace

void HandshakeTally::merge(const HandshakeTally& other) {
    time.merge(other.time);
    pacing_lag.merge(other.pacing_lag);
    done += other.done;
    done_in_window += other.done_in_window;
    failed += other.failed;
    withheld += other.withheld;
    resumed += other.resumed;
    series.merge(other.series);
    for (const auto& [status, times] : other.statuses) statuses[status] += times;
    for (const auto& [reason, times] : other.failures) count_reason(failures, reason, times);
}

HandshakeThread::HandshakeThread(const Plan& plan, const Addresses& addresses,
                                 std::unique_ptr<TlsContext> tls, const HandshakeControl& control,
                                 unsigned share, unsigned shares)
    : plan_(plan),
      addresses_(addresses),
      tls_(std::move(tls)),
      control_(control),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      luck_(plan.scenario.seed * 1024 + share),
      pacer_({control.start_ns, never_ns, plan.scenario.handshakes->rate_per_s, shares, share,
              shares}),
      slots_((plan.scenario.connections + shares - 1 - share) / shares),
      buffer_(buffer_bytes) {
    tally_.series.start(control.start_ns);
    for (std::size_t i = slots_.size(); i-- > 0;) free_.push_back(static_cast<std::uint32_t>(i));
}

void HandshakeThread::run() {
    std::array<epoll_event, 256> events;
    for (;;) {
        const std::int64_t now_ns = monotonic_ns();
        meter_.look(now_ns, control_.window_from_ns, end_ns());
        begin_due(now_ns);
        end_late(now_ns);
        count(now_ns);
        if (now_ns >= end_ns() && free_.size() == slots_.size()) return;
        const std::int64_t until_ns = std::min(now_ns + handshake_turn_ns_max, pacer_.next_ns());
        const std::int64_t left_ns = std::max<std::int64_t>(0, until_ns - monotonic_ns());
        const timespec timeout{left_ns / ns_per_s, left_ns % ns_per_s};
        const int count = ::epoll_pwait2(epoll_.get(), events.data(),
                                         static_cast<int>(events.size()), &timeout, nullptr);
        for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)]);
        done_.store(tally_.done, std::memory_order_relaxed);
    }
}

void HandshakeThread::count(std::int64_t now_ns) noexcept {
    SeriesCounts counts;
    counts.open = slots_.size() - free_.size();
    counts.answered = tally_.done;
    counts.withheld = tally_.withheld;
    counts.ended = tally_.failed;
    tally_.series.count(now_ns, counts);
}

void HandshakeThread::begin_due(std::int64_t now_ns) {
    if (now_ns < control_.start_ns) return;
    if (plan_.scenario.handshakes->rate_per_s == 0) {
        if (now_ns >= end_ns()) return;
        // One that fails at once is not tried again before the next turn.
        for (std::size_t n = free_.size(); n > 0; --n) begin(monotonic_ns());
        return;
    }
    // What is meant for an instant before the end is begun, however late this turn is.
    pacer_.end_at(end_ns());
    while (const auto tick = pacer_.take(now_ns)) {
        if (free_.empty()) {
            ++tally_.withheld;
            continue;
        }
        if (in_window(tick->intended_ns)) tally_.pacing_lag.record(now_ns - tick->intended_ns);
        begin(tick->intended_ns);
    }
}

void HandshakeThread::begin(std::int64_t intended_ns) {
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    ++slot.life;
    const auto result =
        slot.handshake.begin(plan_, addresses_, tls_.get(), begun_++, intended_ns, luck_);
    if (result == Handshake::Result::wants_write) {
        watch(index, EPOLL_CTL_ADD, true);
    } else {
        judge(index, result);
    }
}

void HandshakeThread::watch(std::uint32_t index, int operation, bool writable) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    if (writable) event.events |= EPOLLOUT;
    event.data.u64 = std::uint64_t{slots_[index].life} << 32 | index;
    ::epoll_ctl(epoll_.get(), operation, slots_[index].handshake.fd(), &event);
}

void HandshakeThread::handle(const epoll_event& event) {
    const auto index = static_cast<std::uint32_t>(event.data.u64);
    Slot& slot = slots_[index];
    if (slot.life != event.data.u64 >> 32 || !slot.handshake.active()) return;
    judge(index, slot.handshake.go_on(plan_, buffer_));
}

void HandshakeThread::judge(std::uint32_t index, Handshake::Result result) {
    const Handshake& handshake = slots_[index].handshake;
    switch (result) {
        case Handshake::Result::wants_read:
            return watch(index, EPOLL_CTL_MOD, false);
        case Handshake::Result::wants_write:
            return watch(index, EPOLL_CTL_MOD, true);
        case Handshake::Result::done: {
            const std::int64_t now_ns = monotonic_ns();
            ++tally_.done;
            if (handshake.resumed()) ++tally_.resumed;
            if (in_window(now_ns)) ++tally_.done_in_window;
            const std::int64_t took_ns = now_ns - handshake.intended_ns();
            if (in_window(handshake.intended_ns())) tally_.time.record(took_ns);
            tally_.series.record(now_ns, took_ns);
            return finish(index);
        }
        case Handshake::Result::failed:
            ++tally_.failed;
            if (handshake.status() != 0) ++tally_.statuses[handshake.status()];
            count_reason(tally_.failures, handshake.why());
            return finish(index);
    }
}

void HandshakeThread::finish(std::uint32_t index) {
    slots_[index].handshake.end();
    free_.push_back(index);
}

void HandshakeThread::end_late(std::int64_t now_ns) {
    if (now_ns < next_look_ns_) return;
    next_look_ns_ = now_ns + handshake_look_every_ns;
    // At the end nobody waits longer than for the last delivery of the other kind of run.
    const bool over = now_ns >= end_ns() && now_ns - end_ns() >= plan_.scenario.drain.count();
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
        const Handshake& handshake = slots_[i].handshake;
        if (!handshake.active()) continue;
        if (!over && now_ns - handshake.intended_ns() < patience_ns) continue;
        ++tally_.failed;
        count_reason(tally_.failures, over ? "not done when the run ended" : "not done within 10s");
        finish(i);
    }
}

}  // namespace parley::load
