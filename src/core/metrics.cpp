#include "core/metrics.hpp"

namespace parley::core {
namespace {

constexpr std::array rows{
    MetricRow{Metric::sessions_opened, "sessions_opened", "Sessions opened."},
    MetricRow{Metric::sessions_closed, "sessions_closed", "Sessions ended."},
    MetricRow{Metric::connections_accepted, "connections_accepted", "Connections accepted."},
    MetricRow{Metric::connections_refused, "connections_refused",
              "Connections answered 503 or closed at once, whatever the cause."},
    MetricRow{Metric::accept_pauses, "accept_pauses",
              "Times that accepting rested, out of descriptors or memory."},
    MetricRow{Metric::http_refused, "http_refused", "HTTP requests answered 4xx."},
    MetricRow{Metric::refused_draining, "refused_draining",
              "Connections refused while the server drained."},
    MetricRow{Metric::refused_connections, "refused_connections",
              "Connections refused over limits.connections."},
    MetricRow{Metric::refused_memory, "refused_memory",
              "Connections refused over limits.memory, or with limits.dry_run only counted."},
    MetricRow{Metric::refused_handshakes, "refused_handshakes",
              "Connections refused over limits.handshakes, or with limits.dry_run only counted."},
    MetricRow{Metric::refused_address, "refused_address",
              "Connections refused over limits.connections_per_address, or with limits.dry_run "
              "only counted."},
    MetricRow{Metric::refused_unanswered, "refused_unanswered",
              "Refused connections closed without a 503: too many of them at a time."},
    MetricRow{Metric::proxy_headers_refused, "proxy_headers_refused",
              "Connections closed for their PROXY header: malformed, late, or of nobody trusted."},
    MetricRow{Metric::http_requests, "http_requests", "HTTP requests read."},
    MetricRow{Metric::http_malformed, "http_malformed",
              "HTTP requests that were none or over a limit: answered 4xx or 5xx and closed."},
    MetricRow{Metric::http_head_timeouts, "http_head_timeouts",
              "Connections closed for a request's head that was late."},
    MetricRow{Metric::http_body_timeouts, "http_body_timeouts",
              "Connections closed for a request's body that was late."},
    MetricRow{Metric::http_idle_timeouts, "http_idle_timeouts",
              "Connections closed that were kept alive and not used."},
    MetricRow{Metric::http_write_timeouts, "http_write_timeouts",
              "Connections closed since an answer was not read in time."},
    MetricRow{Metric::http_compressed, "http_compressed", "HTTP answers compressed."},
    MetricRow{Metric::answers_overdue, "answers_overdue",
              "HTTP requests answered 503: another shard took longer than http.answer_timeout."},
    MetricRow{
        Metric::connections_moved, "connections_moved",
        "HTTP connections moved to another shard: to that of the session whose request came."},
    MetricRow{Metric::engine_upgrades, "engine_upgrades",
              "Engine.IO sessions that went over from polling to WebSocket."},
    MetricRow{Metric::engine_upgrade_timeouts, "engine_upgrade_timeouts",
              "WebSockets closed since they did not take over their Engine.IO session in time."},
    MetricRow{Metric::engine_polls_lost, "engine_polls_lost",
              "Engine.IO sessions ended since a poll was given up, or its answer not taken."},
    MetricRow{Metric::engine_words_unfetched, "engine_words_unfetched",
              "Engine.IO sessions ended for words that no poll came for (slow_consumer)."},
    MetricRow{Metric::commands, "commands", "Commands received from sessions."},
    MetricRow{Metric::errors, "errors",
              "Errors sent to sessions, and problems answered over HTTP."},
    MetricRow{Metric::rate_limited, "rate_limited",
              "Commands over a rate: refused, or with limits.dry_run only counted."},
    MetricRow{Metric::room_rate_limited, "room_rate_limited",
              "Publications over limits.room: refused, or with limits.dry_run only counted."},
    MetricRow{Metric::messages_published, "messages_published", "Messages published."},
    MetricRow{Metric::messages_edited, "messages_edited",
              "Messages edited; what says so is published as well."},
    MetricRow{Metric::messages_deleted, "messages_deleted",
              "Messages deleted; what says so is published as well."},
    MetricRow{Metric::transients_published, "transients_published",
              "Transient publications: typing, presence, read."},
    MetricRow{Metric::publish_refused, "publish_refused",
              "Ring stalls: publications answered unavailable, since a shard had not taken what "
              "the room's ring holds."},
    MetricRow{Metric::directs_sent, "directs_sent",
              "Direct messages published; they count as messages as well."},
    MetricRow{Metric::direct_joins_refused, "direct_joins_refused",
              "Sessions that were not put into a room of direct messages, since half of the rooms "
              "that they may join are taken."},
    MetricRow{
        Metric::directs_given_way, "directs_given_way",
        "Sessions that left the oldest conversation that another began and their user did not "
        "answer, for a newer one."},
    MetricRow{Metric::duplicates_answered, "duplicates_answered",
              "Sends with a key that was published before, acknowledged again."},
    MetricRow{Metric::keys_forgotten, "keys_forgotten",
              "Keys of sends forgotten before their time, for want of room."},
    MetricRow{Metric::history_refused, "history_refused",
              "Sends answered unavailable, since the history store failed or was too far behind."},
    MetricRow{Metric::history_unread, "history_unread",
              "Pages, searches and rooms that the history store could not give."},
    MetricRow{Metric::records_unread, "records_unread",
              "Rooms that were not opened, since it could not be looked up who may do what there."},
    MetricRow{Metric::marks_unread, "marks_unread",
              "Joins that were not told how far their user has read, since it could not be looked "
              "up."},
    MetricRow{Metric::deliveries_due, "deliveries_due",
              "Deliveries that publications made due: the sum of written, skipped, filtered, "
              "dropped and pending ones."},
    MetricRow{Metric::deliveries_written, "deliveries_written",
              "Deliveries handed to a transport."},
    MetricRow{Metric::deliveries_skipped, "deliveries_skipped",
              "Deliveries given up for lag and announced by a gap."},
    MetricRow{Metric::deliveries_filtered, "deliveries_filtered",
              "Deliveries of kinds that were not asked for."},
    MetricRow{Metric::deliveries_dropped, "deliveries_dropped",
              "Deliveries due to sessions that left or ended."},
    MetricRow{Metric::writes, "writes", "Hand-overs of frames that a transport took some of."},
    MetricRow{Metric::writes_blocked, "writes_blocked",
              "Hand-overs that a transport could not take whole."},
    MetricRow{Metric::send_batches, "send_batches",
              "System calls that carried the writes of many sessions (io_uring)."},
    MetricRow{Metric::sends_gathered, "sends_gathered", "Writes that left in such a call."},
    MetricRow{Metric::flushes_held, "flushes_held",
              "Rooms' flushes that were held back to gather more (flush.delay)."},
    MetricRow{Metric::gaps, "gaps", "Gaps announced to sessions that lagged."},
    MetricRow{Metric::slow_disconnects, "slow_disconnects",
              "Sessions ended for reading too slowly (4108)."},
    MetricRow{Metric::rooms_created, "rooms_created", "Rooms created."},
    MetricRow{Metric::rooms_dropped, "rooms_dropped", "Rooms dropped."},
    MetricRow{Metric::claims_given_up, "claims_given_up",
              "Rooms that whoever came first no longer owns, since nobody came any more; only "
              "without accounts.store."},
    MetricRow{Metric::audiences_created, "audiences_created",
              "Rooms that came to have listeners on a shard, or their home."},
    MetricRow{Metric::audiences_dropped, "audiences_dropped",
              "Rooms that ceased to have listeners on a shard, or their home."},
    MetricRow{Metric::bytes_written, "bytes_written",
              "Bytes that transports gave to the kernel or to TLS."},
    MetricRow{Metric::tls_handshakes, "tls_handshakes",
              "TLS handshakes completed, resumptions among them."},
    MetricRow{Metric::tls_handshake_failures, "tls_handshake_failures",
              "TLS handshakes that failed, plain HTTP on a TLS port among them."},
    MetricRow{Metric::tls_handshake_timeouts, "tls_handshake_timeouts",
              "Connections closed since a TLS handshake took longer than tls.handshake_timeout."},
    MetricRow{Metric::tls_resumptions, "tls_resumptions",
              "TLS handshakes that took up an earlier session."},
    MetricRow{Metric::tls_reloads, "tls_reloads", "Times that certificates were loaded anew."},
    MetricRow{Metric::tls_reload_failures, "tls_reload_failures",
              "Times that certificates could not be loaded anew; the old ones are served on."},
    MetricRow{Metric::lost_sessions_kept, "lost_sessions_kept",
              "Sessions whose connection was lost and whose state was kept for a while."},
    MetricRow{Metric::lost_sessions_recovered, "lost_sessions_recovered",
              "Of those, the ones that came back and missed nothing."},
    MetricRow{Metric::lost_sessions_expired, "lost_sessions_expired",
              "Of those, the ones that did not come back in time."},
    MetricRow{Metric::lost_sessions_dropped, "lost_sessions_dropped",
              "Of those, the ones forgotten before their time, for want of room."},
    MetricRow{Metric::recoveries_refused, "recoveries_refused",
              "Sessions that asked to be recovered and began afresh, since what they missed could "
              "not be told exactly."},
    MetricRow{Metric::socketio_connects_refused, "socketio_connects_refused",
              "Socket.IO namespaces that were refused with CONNECT_ERROR."},
    MetricRow{Metric::socketio_connect_timeouts, "socketio_connect_timeouts",
              "Socket.IO connections ended since none of their CONNECTs was accepted in time."},
    MetricRow{Metric::socketio_packets_refused, "socketio_packets_refused",
              "Socket.IO packets that were malformed or out of place; each ended its connection."},
};

constexpr std::array levels{
    LevelRow{Level::members, "members",
             "Listeners: rooms that sessions are handed, each room and session once."},
    LevelRow{Level::window_bytes, "window_bytes",
             "Bytes of publications held for those who have not taken them; what several shards "
             "hold counts on each."},
    LevelRow{Level::lost_sessions, "lost_sessions",
             "Sessions whose connection was lost and whose state is kept."},
    LevelRow{Level::flush_delay, "flush_delay_seconds",
             "How long a flush whose delay is adaptive is held at present: the sum of all shards.",
             1e-6},
};

template <typename Rows, typename Value>
constexpr bool complete(const Rows& table, Value end) {
    if (table.size() != static_cast<std::size_t>(end)) return false;
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (table[i].value != static_cast<Value>(i)) return false;
    }
    return true;
}
static_assert(complete(rows, Metric::end_));
static_assert(complete(levels, Level::end_));

}  // namespace

std::span<const MetricRow> metric_rows() noexcept {
    return rows;
}

std::span<const LevelRow> level_rows() noexcept {
    return levels;
}

std::string_view name_of(Metric metric) {
    return rows[static_cast<std::size_t>(metric)].name;
}

void ShardMetrics::count_error(errc code) noexcept {
    add(Metric::errors);
    errors_[code].add(1);
}

void ShardMetrics::session_opened(const TransportTraits& transport) noexcept {
    add(Metric::sessions_opened);
    kind_of(transport).opened.add(1);
}

void ShardMetrics::session_closed(const TransportTraits& transport,
                                  const CloseReason& reason) noexcept {
    add(Metric::sessions_closed);
    kind_of(transport).closed.add(1);
    for (std::size_t i = 0; i < all_close_reasons.size(); ++i) {
        if (all_close_reasons[i].code == reason.code) return closes_[i].add(1);
    }
}

ShardMetrics::TransportCount ShardMetrics::sessions(std::size_t kind) const noexcept {
    const Kind& row = kinds_[kind];
    return {row.transport.load(std::memory_order_acquire), row.opened.read(), row.closed.read()};
}

ShardMetrics::Kind& ShardMetrics::kind_of(const TransportTraits& transport) noexcept {
    for (std::size_t i = 0; i < transport_kinds_max; ++i) {
        Kind& kind = kinds_[i];
        const TransportTraits* const known = kind.transport.load(std::memory_order_relaxed);
        if (known == &transport) return kind;
        if (known == nullptr) {
            kind.transport.store(&transport, std::memory_order_release);
            return kind;
        }
    }
    return kinds_[transport_kinds_max];
}

}  // namespace parley::core
