// ShardMetrics: what happened on one shard, as plain counters that only it writes and anybody may
// read.
//
// Path:     everything on the shard → [ShardMetrics] → whoever reports
// Runs on:  whatever changes it on the shard; whatever reads it on any thread.
// Owned by: Shard.
// Bounds:   one cache line per eight counters; labels come from tables of ours, never from clients;
//           transport_kinds_max kinds of transport, further ones count as `other`.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/audit.hpp"
#include "core/close_reason.hpp"
#include "core/config.hpp"
#include "core/errc.hpp"
#include "core/histogram.hpp"

namespace parley::core {

enum class Metric : std::uint8_t {
    // sessions
    sessions_opened,
    sessions_closed,
    connections_accepted,
    connections_refused,  // of whatever cause
    accept_pauses,        // out of descriptors: accepting rests
    http_refused,         // HTTP that was answered 4xx
    // connections_refused by cause; in a dry run what would have been refused
    refused_draining,
    refused_connections,    // limits.connections
    refused_memory,         // limits.memory
    refused_handshakes,     // limits.handshakes
    refused_address,        // limits.connections_per_address
    refused_unanswered,     // closed without a 503: too many of them at once
    proxy_headers_refused,  // PROXY protocol: malformed, late, or from nobody trusted
    // HTTP
    http_requests,
    http_malformed,  // not a request as HTTP has them: answered and closed
    http_head_timeouts,
    http_body_timeouts,
    http_idle_timeouts,   // kept alive for nothing
    http_write_timeouts,  // answers that were not read
    http_compressed,
    answers_overdue,  // HTTP answered 503: another shard took longer than http.answer_timeout
    connections_moved,
    // Engine.IO
    engine_upgrades,
    engine_upgrade_timeouts,
    engine_polls_lost,
    engine_words_unfetched,
    // commands
    commands,
    errors,             // every `error` sent
    rate_limited,       // refused, or would have been in a dry run
    room_rate_limited,  // the same for limits.room
    // publications
    messages_published,
    messages_edited,  // those that say so are published, too
    messages_deleted,
    transients_published,
    publish_refused,  // ring full: `unavailable`
    directs_sent,
    direct_joins_refused,  // sessions that took no further room of two
    directs_given_way,     // unanswered ones that a session left for a newer one
    duplicates_answered,   // a repeated key, acked again
    keys_forgotten,        // idempotency keys dropped before their time
    history_refused,       // sends refused because the store failed or was too far behind
    history_unread,        // questions that the store could not answer
    records_unread,        // rooms whose roles could not be looked up
    marks_unread,          // joins that were not told how far their user has read
    // fan-out: due = written + skipped + filtered + dropped + pending, always
    deliveries_due,
    deliveries_written,
    deliveries_skipped,   // announced by a gap
    deliveries_filtered,  // of a kind that was not asked for
    deliveries_dropped,   // due to a session that left or closed
    writes,               // hand-overs to a transport that took something
    writes_blocked,
    send_batches,    // system calls that carried several writes (io_uring)
    sends_gathered,  // writes in them
    flushes_held,    // passes that waited for more to be said
    gaps,
    slow_disconnects,
    // rooms
    rooms_created,
    rooms_dropped,
    claims_given_up,  // of rooms that nobody came to any more
    audiences_created,
    audiences_dropped,
    bytes_written,
    // TLS
    tls_handshakes,  // completed, resumptions among them
    tls_handshake_failures,
    tls_handshake_timeouts,
    tls_resumptions,
    tls_reloads,
    tls_reload_failures,  // the certificates of before are served on
    // sessions whose connection was lost, kept for those who may come back
    lost_sessions_kept,
    lost_sessions_recovered,
    lost_sessions_expired,
    lost_sessions_dropped,  // for want of room
    recoveries_refused,     // asked for, and begun afresh
    // Socket.IO
    socketio_connects_refused,  // CONNECT_ERROR
    socketio_connect_timeouts,
    socketio_packets_refused,  // malformed, or out of place: each ended its connection
    end_,
};

// Every counter is exported as parley_NAME_total with that help.
struct MetricRow {
    Metric value;
    std::string_view name;
    std::string_view help;
};
// In the order of Metric.
[[nodiscard]] std::span<const MetricRow> metric_rows() noexcept;
[[nodiscard]] std::string_view name_of(Metric metric);

// What there is at the moment, exported as parley_NAME.
enum class Level : std::uint8_t {
    members,
    window_bytes,
    lost_sessions,
    flush_delay,
    end_,
};
struct LevelRow {
    Level value;
    std::string_view name;
    std::string_view help;
    double unit = 1;  // of one: 1e-6 where it holds microseconds and exports seconds
};
[[nodiscard]] std::span<const LevelRow> level_rows() noexcept;

// What is measured, exported as the histogram parley_NAME.
enum class Measure : std::uint8_t {
    publish_to_written,
    fan_out,
    write_batch,
    handshake,
    end_,
};
struct MeasureRow {
    Measure value;
    std::string_view name;
    std::string_view help;
    HistogramShape shape;
    double unit;  // of one in the histogram: 1e-6 where it holds microseconds and exports seconds
};
namespace detail {
// 16 µs to 17 s, two buckets an octave.
inline constexpr HistogramShape microseconds_shape{4, 24, 1};
}  // namespace detail
inline constexpr std::array measure_rows{
    MeasureRow{Measure::publish_to_written, "publish_to_written_seconds",
               "From the arrival of a publication's command to the end of the turn in which its "
               "shard had offered it to everybody of the room there: once a pass over a room's "
               "audience, for the oldest publication of the pass; up to 256 passes a turn. Who "
               "could not take it then is not waited for.",
               detail::microseconds_shape, 1e-6},
    MeasureRow{Measure::fan_out,
               "fan_out_size",
               "Sessions of one shard that a publication was due to: once a publication and shard "
               "where the room has listeners.",
               {0, 20, 0},
               1},
    MeasureRow{Measure::write_batch,
               "write_batch_frames",
               "Frames that a transport took in one hand-over; several publications joined count "
               "as one frame.",
               {0, 9, 0},
               1},
    MeasureRow{
        Measure::handshake, "handshake_seconds",
        "From the connection, behind its TLS handshake, to its first request read whole: how "
        "long the client lets wait is in it.",
        detail::microseconds_shape, 1e-6},
};

namespace detail {
constexpr bool measures_are_complete() {
    if (measure_rows.size() != static_cast<std::size_t>(Measure::end_)) return false;
    for (std::size_t i = 0; i < measure_rows.size(); ++i) {
        if (measure_rows[i].value != static_cast<Measure>(i)) return false;
        if (measure_rows[i].shape.bounds() >= Histogram::buckets_max) return false;
    }
    return true;
}
}  // namespace detail
static_assert(detail::measures_are_complete());

struct TransportTraits;

// A number with one writer, its shard, and any readers.
class Counter {
public:
    // Modulo 2^64: a level goes down by adding the complement.
    void add(std::uint64_t n) noexcept {
        // One writer: a load and a store, no locked instruction. Relaxed pairs with read().
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t read() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> value_{0};
};

// One T for each value of an enumeration.
template <typename Value, typename T, std::size_t count = static_cast<std::size_t>(Value::end_)>
class ByValue {
public:
    [[nodiscard]] T& operator[](Value value) noexcept {
        return items_[static_cast<std::size_t>(value)];
    }
    [[nodiscard]] const T& operator[](Value value) const noexcept {
        return items_[static_cast<std::size_t>(value)];
    }

private:
    std::array<T, count> items_{};
};

class ShardMetrics {
public:
    void add(Metric metric, std::uint64_t n = 1) noexcept { counters_[metric].add(n); }
    [[nodiscard]] std::uint64_t read(Metric metric) const noexcept {
        return counters_[metric].read();
    }

    // Moves a level from one value to another.
    void move(Level level, std::size_t from, std::size_t to) noexcept {
        levels_[level].add(std::uint64_t{to} - std::uint64_t{from});
    }
    [[nodiscard]] std::uint64_t read(Level level) const noexcept { return levels_[level].read(); }

    // In units of the measure's histogram; `times` of the same value.
    void record(Measure measure, std::uint64_t value, std::uint64_t times = 1) noexcept {
        histograms_[measure].record(measure_rows[static_cast<std::size_t>(measure)].shape, value,
                                    times);
    }
    [[nodiscard]] const Histogram& histogram(Measure measure) const noexcept {
        return histograms_[measure];
    }

    // ---- counters with a label

    // An `error` sent, by its code; counts Metric::errors too.
    void count_error(errc code) noexcept;
    [[nodiscard]] std::uint64_t errors(errc code) const noexcept { return errors_[code].read(); }

    // A subscriber fell out of its room's window and met that policy.
    void count_lag(OnLag policy) noexcept { lag_[policy].add(1); }
    [[nodiscard]] std::uint64_t lag_events(OnLag policy) const noexcept {
        return lag_[policy].read();
    }

    // Something was done about who may do what, or was not.
    void count_act(AuditAct act, AuditOutcome outcome) noexcept { acts_[act][outcome].add(1); }
    [[nodiscard]] std::uint64_t acts(AuditAct act, AuditOutcome outcome) const noexcept {
        return acts_[act][outcome].read();
    }

    // Sessions by transport, and why they ended; count Metric::sessions_opened and _closed too.
    void session_opened(const TransportTraits& transport) noexcept;
    void session_closed(const TransportTraits& transport, const CloseReason& reason) noexcept;
    // By place in all_close_reasons.
    [[nodiscard]] std::uint64_t closes(std::size_t reason) const noexcept {
        return closes_[reason].read();
    }

    static constexpr std::size_t transport_kinds_max = 16;
    struct TransportCount {
        const TransportTraits* transport;  // null: `other`
        std::uint64_t opened;
        std::uint64_t closed;
    };
    // Of the kind at that place; none of a kind that was not met yet.
    [[nodiscard]] TransportCount sessions(std::size_t kind) const noexcept;

private:
    // Kinds are entered as they are met; the traits are constants. The store (release) pairs with
    // the load (acquire) of a reader.
    struct Kind {
        std::atomic<const TransportTraits*> transport{nullptr};
        Counter opened;
        Counter closed;
    };

    [[nodiscard]] Kind& kind_of(const TransportTraits& transport) noexcept;

    alignas(64) ByValue<Metric, Counter> counters_;
    ByValue<Level, Counter> levels_;
    ByValue<Measure, Histogram> histograms_;
    ByValue<errc, Counter> errors_;
    ByValue<OnLag, Counter, on_lag_policies> lag_;
    ByValue<AuditAct, ByValue<AuditOutcome, Counter>> acts_;
    std::array<Counter, all_close_reasons.size()> closes_{};
    std::array<Kind, transport_kinds_max + 1> kinds_{};  // the last: `other`
};

}  // namespace parley::core
