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
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loadtest/clock.hpp"
#include "loadtest/histogram.hpp"
#include "loadtest/time_series.hpp"

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
// Counts a reason; past reasons_max different ones they count as "other". What is not printable in it
// becomes '?': a server's words end up in JSON.
void count_reason(Reasons& reasons, std::string_view reason, std::uint64_t times = 1);

// What of a tally fell into one phase, by the intended time of messages and, of `received`, by the
// time of arrival.
struct PhaseTally {
    std::int64_t from_ns = never_ns;
    std::int64_t to_ns = never_ns;
    bool measured = true;
    std::uint64_t published = 0;
    std::uint64_t withheld = 0;
    std::uint64_t received = 0;
    std::uint64_t answered = 0;
    std::uint64_t opened = 0;  // became ready in it, be it again
    Histogram latency;
    Histogram answer;

    // Adds all counts; the phase is the same.
    void merge(const PhaseTally& other);
};

// When the last of its receivers had each message, as long as the messages are few enough to be told
// one by one.
class LastReceivers {
public:
    static constexpr std::size_t messages_max = 4096;

    void arrived(std::int64_t intended_ns, std::uint32_t publisher, std::int64_t now_ns) {
        if (!too_many_) note({intended_ns, publisher}, now_ns);
    }
    // There will be more than messages_max: none need be noted.
    void give_up();
    void merge(const LastReceivers& other);
    // From the intended time to the last receipt, a value for each message; nothing where there
    // were more than messages_max.
    [[nodiscard]] std::optional<Histogram> delays() const;
    [[nodiscard]] bool too_many() const noexcept { return too_many_; }
    // Calls take(intended_ns, publisher, last_ns) for every message.
    template <typename Take>
    void each(Take take) const {
        for (const auto& [message, last_ns] : last_ns_)
            take(message.first, message.second, last_ns);
    }

private:
    using Message = std::pair<std::int64_t, std::uint32_t>;  // intended time, publisher

    void note(const Message& message, std::int64_t now_ns);

    std::vector<std::pair<Message, std::int64_t>> last_ns_;  // in the order of first receipts
    std::map<Message, std::size_t> places_;                  // in last_ns_
    std::size_t latest_ = 0;                                 // the place that was wanted last
    bool too_many_ = false;
};

struct Tally {
    // Of deliveries whose intended time lies in the measured window, to users that read.
    Histogram latency;
    Histogram handshake;   // from connect() until ready
    Histogram answer;      // from the intended time to a POST's 2xx or the ack; in the window
    Histogram pacing_lag;  // how late the generator itself sent; in the measured window
    LastReceivers last_receivers;  // of messages of the measured window, to users that read

    std::int64_t window_from_ns = never_ns;
    std::int64_t window_to_ns = never_ns;
    std::uint64_t received_in_window = 0;  // arrived in it, whenever they were meant; slow too
    std::uint64_t published_in_window = 0;
    std::uint64_t bytes_in_window = 0;  // read from the server in it, without TLS's own
    // Of messages meant for the window, those included that could not be sent: deliveries to users
    // that read as fast as they can, or answers where nobody listens.
    std::uint64_t expected_in_window = 0;

    DeliveryCounts steady;  // users that read as fast as they can
    DeliveryCounts slow;    // slow readers

    std::uint64_t opened = 0;     // became ready for the first time
    std::uint64_t rejoined = 0;   // and again
    std::uint64_t failed = 0;     // never became ready
    std::uint64_t dropped = 0;    // ended by the server or the network while ready; not slow ones
    std::uint64_t churned = 0;    // left because it was their turn
    std::uint64_t left = 0;       // left because the phase has fewer connections
    std::uint64_t published = 0;  // messages handed over to be sent
    std::uint64_t refused = 0;    // answered with an error
    std::uint64_t answered = 0;   // POSTs that were accepted, messages that were acknowledged
    std::uint64_t answered_in_window = 0;
    std::uint64_t unanswered = 0;   // sent and never answered; only where answers are due
    std::uint64_t reconnected = 0;  // the server ended a keep-alive connection between answers
    std::uint64_t resumed_tls = 0;  // TLS sessions that were taken up again
    std::uint64_t withheld = 0;     // not sent: the publisher was gone, or the server did not read
    std::uint64_t caught_up = 0;    // received on coming back: of what was said while away

    std::map<std::uint16_t, std::uint64_t> closes;  // close codes while ready; 1006: without one
    std::map<std::uint16_t, std::uint64_t> slow_closes;
    std::map<std::uint16_t, std::uint64_t> statuses;  // HTTP answers other than 2xx and 101
    Reasons failures;  // why connections never became ready, or broke
    Reasons refusals;  // error codes of refused messages

    std::vector<PhaseTally> phases;  // of a scenario that names phases, in their order

    [[nodiscard]] bool in_window(std::int64_t instant_ns) const noexcept {
        return instant_ns >= window_from_ns && instant_ns < window_to_ns &&
               (phases.empty() || in_measured_phase(instant_ns));
    }
    // The phase of an instant; nullptr where there are no phases, or it is in none of them.
    [[nodiscard]] const PhaseTally* phase_at(std::int64_t instant_ns) const noexcept;
    [[nodiscard]] PhaseTally* phase_at(std::int64_t instant_ns) noexcept {
        return const_cast<PhaseTally*>(std::as_const(*this).phase_at(instant_ns));
    }
    [[nodiscard]] bool in_measured_phase(std::int64_t instant_ns) const noexcept;
    // The phases end here, if they did not before.
    void end_at(std::int64_t instant_ns) noexcept;
    // Adds all counts; the window is the same for all threads.
    void merge(const Tally& other);
};

// What of it the time series keeps; every connection that was ready and has not ended is open.
// Modulo 2^64: see SeriesCounts::open.
[[nodiscard]] SeriesCounts series_counts(const Tally& tally) noexcept;

}  // namespace parley::load
