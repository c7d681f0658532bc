// HandshakeThread: an epoll loop over connections that are opened, brought to the end of their
// handshake, and closed: at a rate, or as many at once as are allowed.
//
// Path:     Pacer → [HandshakeThread] → Handshake
// Runs on:  its own thread; the accessors after it has ended.
// Owned by: run_handshakes().
// Bounds:   its share of Scenario::connections at once; what is due beyond that is withheld.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "loadtest/file_descriptor.hpp"
#include "loadtest/handshake.hpp"
#include "loadtest/pacer.hpp"
#include "loadtest/tally.hpp"
#include "loadtest/thread_cost.hpp"

struct epoll_event;

namespace parley::load {

struct HandshakeTally {
    Histogram time;        // from the intended instant to done; of those meant for the window
    Histogram pacing_lag;  // how late the generator itself began; likewise
    std::uint64_t done = 0;
    std::uint64_t done_in_window = 0;
    std::uint64_t failed = 0;
    std::uint64_t withheld = 0;  // due while --connections were under way
    std::uint64_t resumed = 0;
    TimeSeries series;  // those done count as answered, those under way as open
    std::map<std::uint16_t, std::uint64_t> statuses;
    Reasons failures;

    void merge(const HandshakeTally& other);
};

// What run_handshakes() and its threads tell each other. Relaxed: each stands for itself.
struct HandshakeControl {
    std::int64_t start_ns = 0;        // constant while threads run
    std::int64_t window_from_ns = 0;  // likewise
    std::atomic<std::int64_t> end_ns{never_ns};
};

class HandshakeThread {
public:
    HandshakeThread(const Plan& plan, const Addresses& addresses, std::unique_ptr<TlsContext> tls,
                    const HandshakeControl& control, unsigned share, unsigned shares);

    // The thread's body.
    void run();

    [[nodiscard]] const HandshakeTally& tally() const noexcept { return tally_; }
    [[nodiscard]] ThreadCost cost() const noexcept { return meter_.cost(); }
    // May be read while the thread runs.
    [[nodiscard]] std::uint64_t done() const noexcept {
        return done_.load(std::memory_order_relaxed);
    }

private:
    struct Slot {
        Handshake handshake;
        std::uint32_t life = 0;  // tells an event of an earlier connection from this one's
    };

    void count(std::int64_t now_ns) noexcept;
    void begin_due(std::int64_t now_ns);
    void begin(std::int64_t intended_ns);
    void handle(const epoll_event& event);
    void judge(std::uint32_t index, Handshake::Result result);
    void watch(std::uint32_t index, int operation, bool writable);
    void finish(std::uint32_t index);
    void end_late(std::int64_t now_ns);
    [[nodiscard]] std::int64_t end_ns() const {
        return control_.end_ns.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool in_window(std::int64_t instant_ns) const {
        return instant_ns >= control_.window_from_ns && instant_ns < end_ns();
    }

    const Plan& plan_;
    const Addresses& addresses_;
    std::unique_ptr<TlsContext> tls_;
    const HandshakeControl& control_;
    FileDescriptor epoll_;
    Luck luck_;
    Pacer pacer_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::vector<char> buffer_;
    std::uint32_t begun_ = 0;
    std::int64_t next_look_ns_ = 0;  // for those that take too long
    HandshakeTally tally_;
    CostMeter meter_;
    std::atomic<std::uint64_t> done_{0};
};

}  // namespace parley::load
