// Tally: everything that one thread has counted, and the sum of them all.
//
// Path:     VirtualUser, LoadThread → [Tally] → Report
// Runs on:  one load thread; merged after the threads have ended.
// Owned by: LoadThread.
// Bounds:   the maps hold close codes, error codes and reasons, reasons_max of each at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "loadtest/clock.hpp"
#include "loadtest/histogram.hpp"

namespace parley::load {

// Over the whole run, warm-up included. What was due is what happened:
// expected == received + announced + lost.
struct DeliveryCounts {
    std::uint64_t expected = 0;
    std::uint64_t received = 0;
    std::uint64_t lost = 0;
    std::uint64_t announced = 0;     // skipped by the server, which said so
    std::uint64_t duplicate = 0;     // came again; not in `received`
    std::uint64_t out_of_order = 0;  // of those received
    std::uint64_t stray = 0;         // of another room, or of nobody here

    void merge(const DeliveryCounts& other) noexcept;
};

using Reasons = std::map<std::string, std::uint64_t, std::less<>>;
inline constexpr std::size_t reasons_max = 64;
// Counts a reason; past reasons_max different ones they count as "other".
void count_reason(Reasons& reasons, std::string_view reason, std::uint64_t times = 1);

struct Tally {
    // Of deliveries whose intended time lies in the measured window, to users that read.
    Histogram latency;
    Histogram handshake;   // from connect() until ready
    Histogram answer;      // from the intended time to a POST's 2xx or the ack; in the window
    Histogram pacing_lag;  // how late the generator itself sent; in the measured window

    std::int64_t window_from_ns = never_ns;
    std::int64_t window_to_ns = never_ns;
    std::uint64_t received_in_window = 0;  // arrived in it, whenever they were meant; slow too
    std::uint64_t published_in_window = 0;

    DeliveryCounts steady;  // users that read as fast as they can
    DeliveryCounts slow;    // slow readers

    std::uint64_t opened = 0;     // became ready for the first time
    std::uint64_t rejoined = 0;   // and again
    std::uint64_t failed = 0;     // never became ready
    std::uint64_t dropped = 0;    // ended by the server or the network while ready; not slow ones
    std::uint64_t churned = 0;    // left because it was their turn
    std::uint64_t published = 0;  // messages handed over to be sent
    std::uint64_t refused = 0;    // answered with an error
    std::uint64_t answered = 0;   // POSTs that were accepted, messages that were acknowledged
    std::uint64_t answered_in_window = 0;
    std::uint64_t unanswered = 0;   // sent and never answered; only where answers are due
    std::uint64_t reconnected = 0;  // the server ended a keep-alive connection between answers
    std::uint64_t resumed_tls = 0;  // TLS sessions that were taken up again
    std::uint64_t withheld = 0;     // not sent: the publisher was gone, or the server did not read

    std::map<std::uint16_t, std::uint64_t> closes;  // close codes while ready; 1006: without one
    std::map<std::uint16_t, std::uint64_t> slow_closes;
    std::map<std::uint16_t, std::uint64_t> statuses;  // HTTP answers other than 2xx and 101
    Reasons failures;  // why connections never became ready, or broke
    Reasons refusals;  // error codes of refused messages

    [[nodiscard]] bool in_window(std::int64_t instant_ns) const noexcept {
        return instant_ns >= window_from_ns && instant_ns < window_to_ns;
    }
    // Adds all counts; the window is the same for all threads.
    void merge(const Tally& other);
};

}  // namespace parley::load
