#include "core/metrics.hpp"

namespace parley::core {

std::string_view name_of(Metric metric) {
    switch (metric) {
        case Metric::sessions_opened:
            return "sessions_opened";
        case Metric::sessions_closed:
            return "sessions_closed";
        case Metric::connections_accepted:
            return "connections_accepted";
        case Metric::connections_refused:
            return "connections_refused";
        case Metric::accept_pauses:
            return "accept_pauses";
        case Metric::handshakes_refused:
            return "handshakes_refused";
        case Metric::commands:
            return "commands";
        case Metric::errors:
            return "errors";
        case Metric::rate_limited:
            return "rate_limited";
        case Metric::messages_published:
            return "messages_published";
        case Metric::transients_published:
            return "transients_published";
        case Metric::publish_refused:
            return "publish_refused";
        case Metric::duplicates_answered:
            return "duplicates_answered";
        case Metric::keys_forgotten:
            return "keys_forgotten";
        case Metric::deliveries_due:
            return "deliveries_due";
        case Metric::deliveries_written:
            return "deliveries_written";
        case Metric::deliveries_skipped:
            return "deliveries_skipped";
        case Metric::deliveries_filtered:
            return "deliveries_filtered";
        case Metric::deliveries_dropped:
            return "deliveries_dropped";
        case Metric::writes:
            return "writes";
        case Metric::writes_blocked:
            return "writes_blocked";
        case Metric::gaps:
            return "gaps";
        case Metric::slow_disconnects:
            return "slow_disconnects";
        case Metric::rooms_created:
            return "rooms_created";
        case Metric::rooms_dropped:
            return "rooms_dropped";
        case Metric::audiences_created:
            return "audiences_created";
        case Metric::audiences_dropped:
            return "audiences_dropped";
        case Metric::bytes_written:
            return "bytes_written";
        case Metric::tls_handshakes:
            return "tls_handshakes";
        case Metric::tls_handshake_failures:
            return "tls_handshake_failures";
        case Metric::tls_handshake_timeouts:
            return "tls_handshake_timeouts";
        case Metric::tls_resumptions:
            return "tls_resumptions";
        case Metric::tls_reloads:
            return "tls_reloads";
        case Metric::tls_reload_failures:
            return "tls_reload_failures";
        case Metric::end_:
            break;
    }
    return "unknown";
}

}  // namespace parley::core
