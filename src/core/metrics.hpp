// ShardMetrics: what happened on one shard, as plain counters that only it writes and anybody may
// read.
//
// Path:     everything on the shard → [ShardMetrics] → whoever reports
// Runs on:  add() and set() on the shard; read() on any thread.
// Owned by: Shard.
// Bounds:   one cache line per eight counters; no labels from clients.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace parley::core {

enum class Metric : std::uint8_t {
    // sessions
    sessions_opened,
    sessions_closed,
    connections_accepted,
    connections_refused,  // over limits.connections or while draining
    accept_pauses,        // out of descriptors: accepting rests
    handshakes_refused,   // HTTP that was answered 4xx
    // commands
    commands,
    errors,        // every `error` sent
    rate_limited,  // refused, or would have been in a dry run
    // publications
    messages_published,
    transients_published,
    publish_refused,      // ring full: `unavailable`
    duplicates_answered,  // a repeated key, acked again
    keys_forgotten,       // idempotency keys dropped before their time
    // fan-out: due = delivered + skipped + dropped + pending, always (see DeliveryLedger)
    deliveries_due,
    deliveries_written,
    deliveries_skipped,   // announced by a gap
    deliveries_filtered,  // presence to those who did not ask
    deliveries_dropped,   // due to a session that left or closed
    writes,               // hand-overs to a transport that took something
    writes_blocked,
    gaps,
    slow_disconnects,
    // rooms
    rooms_created,
    rooms_dropped,
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
    end_,
};

[[nodiscard]] std::string_view name_of(Metric metric);

class ShardMetrics {
public:
    void add(Metric metric, std::uint64_t n = 1) noexcept {
        // One writer: a load and a store, no locked instruction. Relaxed pairs with read().
        auto& counter = counters_[static_cast<std::size_t>(metric)];
        counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t read(Metric metric) const noexcept {
        return counters_[static_cast<std::size_t>(metric)].load(std::memory_order_relaxed);
    }

private:
    alignas(64)
        std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Metric::end_)> counters_{};
};

}  // namespace parley::core
