#include "server/settings.hpp"

#include <algorithm>
#include <array>

#include "core/limits.hpp"

namespace parley::server {
namespace {

using namespace std::chrono_literals;

// The field that a chain of members leads to.
template <auto... Members>
auto& at(ServerConfig& config) {
    return (config.*....*Members);
}
template <auto Member>
auto& in_log(ServerConfig& config) {
    return at<&ServerConfig::log, Member>(config);
}
template <auto Member>
auto& in_admin(ServerConfig& config) {
    return at<&ServerConfig::admin, Member>(config);
}
template <auto... Members>
auto& in_core(ServerConfig& config) {
    return at<&ServerConfig::core, Members...>(config);
}
template <auto... Members>
auto& in_limits(ServerConfig& config) {
    return in_core<&core::Config::limits, Members...>(config);
}
template <auto... Members>
auto& in_history(ServerConfig& config) {
    return in_core<&core::Config::history, Members...>(config);
}
template <auto Member>
auto& in_presence(ServerConfig& config) {
    return in_core<&core::Config::presence, Member>(config);
}
template <auto Member>
auto& in_heartbeat(ServerConfig& config) {
    return in_core<&core::Config::heartbeat, Member>(config);
}
template <auto Member>
auto& in_window(ServerConfig& config) {
    return in_core<&core::Config::window, Member>(config);
}
template <auto Member>
auto& in_flush(ServerConfig& config) {
    return in_core<&core::Config::flush, Member>(config);
}
template <auto Member>
auto& in_drain(ServerConfig& config) {
    return in_core<&core::Config::drain, Member>(config);
}
template <auto Member>
auto& in_transports(ServerConfig& config) {
    return at<&ServerConfig::transports, Member>(config);
}

template <auto Member>
auto& in_tls(ServerConfig& config) {
    return at<&ServerConfig::transports, &transports::TransportConfig::tls, Member>(config);
}

using Limits = core::LimitsConfig;
using Rate = core::RateConfig;
using Wire = transports::TransportConfig;
using Tls = transports::TlsConfig;
using transports::tls_files_max;

bool is_history_store(std::string_view text) {
    const auto names = [text](std::string_view engine) {
        return text.starts_with(engine) && text.size() > engine.size();
    };
    return text == "memory" || names("sqlite:") || names("postgres:") || names("postgresql:");
}

constexpr double rate_min = 0.001;
constexpr double rate_max = 1e9;

const std::array settings{
    Setting{"listen", EndpointListKind{at<&ServerConfig::listen>},
            "Addresses to serve on; port 0 takes a free one."},
    Setting{"shards",
            CountKind<std::uint32_t>{at<&ServerConfig::shards>, 0, core::limits::shards_max},
            "Threads that serve; 0: one per CPU that this process may run on."},
    Setting{"backlog", CountKind<int>{in_transports<&Wire::backlog>, 1, 65'535},
            "Connections that may wait to be accepted; net.core.somaxconn caps it."},
    Setting{"io", IoChoiceKind{in_transports<&Wire::io>},
            "How bytes leave: epoll, uring (Linux 6.1), or auto: uring where the kernel has it."},
    Setting{"server_name", TextKind{in_core<&core::Config::server_name>, 64},
            "What clients are told that they talk to."},

    Setting{"log.level", LogLevelKind{in_log<&LogConfig::level>},
            "debug, info, warn, error or off."},
    Setting{"log.format", LogFormatKind{in_log<&LogConfig::format>}, "text or json."},

    Setting{
        "admin.listen", OptionalEndpointKind{in_admin<&AdminConfig::listen>},
        "Where metrics, probes and /debug are answered, to anybody who asks; \"off\": nowhere."},
    Setting{"admin.stalled_after", DurationKind{in_admin<&AdminConfig::stalled_after>, 100ms, 1h},
            "A shard that has not turned for this long makes the live probe fail."},

    Setting{"tls.listen", EndpointListKind{at<&ServerConfig::tls_listen>, true},
            "Addresses to serve on over TLS; usually \"0.0.0.0:8443\"."},
    Setting{"tls.cert", FileListKind{in_tls<&Tls::cert>, tls_files_max},
            "Certificates, each a PEM file with its chain behind it; the first is the default."},
    Setting{"tls.key", FileListKind{in_tls<&Tls::key>, tls_files_max},
            "The key of each, in the same order."},
    Setting{"tls.ocsp", FileListKind{in_tls<&Tls::ocsp>, tls_files_max},
            "The OCSP response (DER) to staple to each, in the same order; \"\": none."},
    Setting{"tls.client_auth", ClientAuthKind{in_tls<&Tls::client_auth>},
            "Certificates of clients: none, request (a wrong one is refused) or require."},
    Setting{"tls.client_ca", TextKind{in_tls<&Tls::client_ca>, file_name_bytes_max},
            "Who may have signed those: a PEM file."},
    Setting{"tls.handshake_timeout", DurationKind{in_tls<&Tls::handshake_timeout>, 10ms, 1h},
            "For a handshake, from accepting on."},
    Setting{"tls.ticket_rotation", DurationKind{in_tls<&Tls::ticket_rotation>, 1min, 24h * 3},
            "A new key for session tickets this often; a ticket lives twice as long."},
    Setting{"tls.reload_check", DurationKind{in_tls<&Tls::reload_check>, 0s, 24h},
            "The files are looked at for changes this often; 0ms: only SIGHUP loads them again."},

    Setting{"http.allowed_origins", OriginListKind{in_transports<&Wire::allowed_origins>},
            "Pages of other sites that may connect: \"https://chat.example\", "
            "\"https://*.example\", \"*\"."},
    Setting{"http.header_bytes", SizeKind{in_transports<&Wire::header_bytes>, kib, mib},
            "The head of a request."},
    Setting{"http.target_bytes", SizeKind{in_transports<&Wire::target_bytes>, 64, mib},
            "Of it the request's target."},
    Setting{"http.body_bytes", SizeKind{in_transports<&Wire::body_bytes>, kib, 16 * mib},
            "The body of a request."},
    Setting{"http.head_timeout", DurationKind{in_transports<&Wire::head_timeout>, 10ms, 1h},
            "For a request's head, from accepting or its first byte on."},
    Setting{"http.body_timeout", DurationKind{in_transports<&Wire::body_timeout>, 10ms, 1h},
            "For a request's body; for every 64 KiB of an upload."},
    Setting{"http.idle_timeout", DurationKind{in_transports<&Wire::idle_timeout>, 10ms, 1h},
            "Between two requests of one connection."},
    Setting{"http.write_timeout", DurationKind{in_transports<&Wire::write_timeout>, 10ms, 1h},
            "For every 64 KiB of an answer to be taken."},
    Setting{"http.answer_timeout", DurationKind{in_transports<&Wire::answer_timeout>, 10ms, 1h},
            "For another shard's part of an answer; then it is a 503."},

    Setting{"http.gzip", FlagKind{in_transports<&Wire::gzip>},
            "Compress answers over 1 KiB for clients that ask for it."},
    Setting{"http.trusted_proxies", NetworkListKind{in_transports<&Wire::trusted_proxies>},
            "Networks of proxies in front, which say who asks: \"10.0.0.0/8\", \"fd00::/8\"."},
    Setting{"http.use_forwarded", FlagKind{in_transports<&Wire::use_forwarded>},
            "true: they say it in Forwarded (RFC 7239), not in X-Forwarded-For."},
    Setting{"http.proxy_protocol", FlagKind{in_transports<&Wire::proxy_protocol>},
            "true: they begin each connection with the PROXY protocol, version 1 or 2."},
    Setting{"http.secure_cookies", FlagKind{in_transports<&Wire::secure_cookies>},
            "true: a proxy in front speaks TLS, so cookies are for TLS alone."},

    Setting{"longpoll.wait_max", DurationKind{in_transports<&Wire::wait_max>, 100ms, 1h},
            "What a long-poll may ask for with wait=."},

    Setting{"sse.heartbeat", DurationKind{in_transports<&Wire::sse_heartbeat>, 10ms, 1h},
            "Between two comments that keep an event stream alive."},
    Setting{"sse.retry", DurationKind{in_transports<&Wire::sse_retry>, 10ms, 1h},
            "What clients wait before they reconnect: each is told a half to three halves of it."},

    Setting{"websocket.fragments_max",
            CountKind<std::size_t>{in_transports<&Wire::fragments_max>, 1, 65'536},
            "Frames of one message."},
    Setting{"websocket.close_timeout",
            DurationKind{in_transports<&Wire::close_timeout>, 10ms, 1min},
            "For the peer's part of a closing handshake."},
    Setting{"websocket.deflate", FlagKind{in_transports<&Wire::deflate>},
            "Compress for clients that offer permessage-deflate."},
    Setting{"websocket.deflate_level", CountKind<int>{in_transports<&Wire::deflate_level>, 1, 9},
            "1 is fast, 9 is small."},
    Setting{"websocket.deflate_min_bytes",
            SizeKind{in_transports<&Wire::deflate_min_bytes>, 0, 16 * mib},
            "A smaller publication goes as it is."},

    Setting{"limits.enabled", FlagKind{in_limits<&Limits::enabled>},
            "false, or --no-limits: nothing below holds but sizes, rooms and connections."},
    Setting{"limits.dry_run", FlagKind{in_limits<&Limits::dry_run>},
            "true: what would be refused is counted and let in; limits.connections holds still."},
    Setting{"limits.text_bytes", SizeKind{in_limits<&Limits::text_bytes>, 1, mib},
            "One message's text, or its data as JSON."},
    Setting{"limits.message_bytes", SizeKind{in_limits<&Limits::message_bytes>, kib, 16 * mib},
            "One frame or message of a client, everything included."},
    Setting{"limits.name_bytes", SizeKind{in_limits<&Limits::name_bytes>, 1, kib},
            "A user's name."},
    Setting{"limits.rooms_per_session",
            CountKind<std::size_t>{in_limits<&Limits::rooms_per_session>, 1, 100'000},
            "Rooms that one session may have joined at a time."},
    Setting{"limits.rooms", CountKind<std::size_t>{in_limits<&Limits::rooms>, 1, 100'000'000},
            "Rooms of this process."},
    Setting{"limits.connections",
            CountKind<std::size_t>{in_limits<&Limits::connections>, 1, 100'000'000},
            "Connections of this process; further ones are told to come back later."},
    Setting{"limits.connections_per_address",
            CountKind<std::size_t>{in_limits<&Limits::connections_per_address>, 1, 100'000'000},
            "Connections from one address, or from one /64 of IPv6; proxies are exempt."},
    Setting{"limits.memory", SizeKind{in_limits<&Limits::memory>, 0, 1024 * gib},
            "Resident memory above which nobody new is let in; 0: no such mark."},
    Setting{"limits.errors_in_a_row",
            CountKind<std::uint32_t>{in_limits<&Limits::errors_in_a_row>, 1, 1'000'000},
            "Refused commands in a row that end a session."},
    Setting{"limits.session.per_second",
            NumberKind{in_limits<&Limits::session, &Rate::per_second>, rate_min, rate_max},
            "Commands of one session: refilled each second, and allowed at once."},
    Setting{"limits.session.burst",
            NumberKind{in_limits<&Limits::session, &Rate::burst>, 1, rate_max}, ""},
    Setting{"limits.user.per_second",
            NumberKind{in_limits<&Limits::user, &Rate::per_second>, rate_min, rate_max},
            "Commands of one user, whatever the number of sessions."},
    Setting{"limits.user.burst", NumberKind{in_limits<&Limits::user, &Rate::burst>, 1, rate_max},
            ""},
    Setting{"limits.address.per_second",
            NumberKind{in_limits<&Limits::address, &Rate::per_second>, rate_min, rate_max},
            "Commands from one address, or from one /64 of IPv6."},
    Setting{"limits.address.burst",
            NumberKind{in_limits<&Limits::address, &Rate::burst>, 1, rate_max}, ""},
    Setting{"limits.room.per_second",
            NumberKind{in_limits<&Limits::room, &Rate::per_second>, rate_min, rate_max},
            "What is said in one room, whoever says it."},
    Setting{"limits.room.burst", NumberKind{in_limits<&Limits::room, &Rate::burst>, 1, rate_max},
            ""},
    Setting{"limits.handshakes.per_second",
            NumberKind{in_limits<&Limits::handshakes, &Rate::per_second>, rate_min, rate_max},
            "New connections of this process."},
    Setting{"limits.handshakes.burst",
            NumberKind{in_limits<&Limits::handshakes, &Rate::burst>, 1, rate_max}, ""},

    Setting{"history.store",
            TextKind{at<&ServerConfig::history_store>,
                     file_name_bytes_max,
                     {&is_history_store, "memory, sqlite:PATH or postgres:URL", true}},
            "Where what is said is kept: memory, sqlite:PATH or postgres:URL."},
    Setting{"history.durability", DurabilityKind{in_history<&core::HistoryConfig::durability>},
            "With a store: sync (stored, then sent on and acked) or async (stored soon after)."},
    Setting{"history.messages",
            CountKind<std::size_t>{in_history<&core::HistoryConfig::messages>, 0, 100'000},
            "Messages of a room that are kept in memory."},
    Setting{"history.bytes", SizeKind{in_history<&core::HistoryConfig::bytes>, 0, gib},
            "The same in bytes."},
    Setting{"history.idle_ttl",
            DurationKind{in_history<&core::HistoryConfig::idle_ttl>, 1s, 24h * 365},
            "A room without members leaves memory after this long."},

    Setting{
        "history.keep_messages",
        CountKind<std::size_t>{in_history<&core::HistoryConfig::keep, &core::Retention::messages>,
                               0, 1'000'000'000'000},
        "Messages of a room that the store keeps; 0: all."},
    Setting{"history.keep_bytes",
            SizeKind{in_history<&core::HistoryConfig::keep, &core::Retention::bytes>, 0,
                     1024 * 1024 * gib},
            "The same in bytes."},
    Setting{"history.keep_age",
            DurationKind{in_history<&core::HistoryConfig::keep, &core::Retention::age>, 0ms,
                         24h * 36'500},
            "The same by age, looked at once a minute."},
    Setting{
        "history.queue_messages",
        CountKind<std::size_t>{in_history<&core::HistoryConfig::queue_messages>, 1, 100'000'000},
        "Messages that may wait to be stored; then sends are unavailable."},
    Setting{"history.queue_bytes",
            SizeKind{in_history<&core::HistoryConfig::queue_bytes>, kib, 64 * gib},
            "The same in bytes."},

    Setting{"presence.roster_max",
            CountKind<std::size_t>{in_presence<&core::PresenceConfig::roster_max>, 0, 100'000},
            "Members above which a room tells only how many there are."},
    Setting{"presence.grace", DurationKind{in_presence<&core::PresenceConfig::grace>, 0s, 1h},
            "How long a session that vanished stays present."},
    Setting{"presence.poll_ttl", DurationKind{in_presence<&core::PresenceConfig::poll_ttl>, 1s, 1h},
            "How long somebody who only polls stays present without saying so again."},

    Setting{"heartbeat.ping_every",
            DurationKind{in_heartbeat<&core::HeartbeatConfig::ping_every>, 10ms, 1h},
            "A ping after this long."},
    Setting{"heartbeat.dead_after",
            DurationKind{in_heartbeat<&core::HeartbeatConfig::dead_after>, 20ms, 2h},
            "A peer that has said nothing for this long is gone; longer than ping_every."},

    Setting{"window.messages",
            CountKind<std::size_t>{in_window<&core::WindowConfig::messages>, 16, 1'000'000},
            "How far a reader may lag behind its room before on_lag applies, in publications."},
    Setting{"window.bytes", SizeKind{in_window<&core::WindowConfig::bytes>, 64 * kib, gib},
            "The same in bytes."},

    Setting{"flush.slice_writes",
            CountKind<std::size_t>{in_flush<&core::FlushConfig::slice_writes>, 1, 65'536},
            "Writes between two looks at what else there is to do."},
    Setting{
        "flush.delay", FlushDelayKind{in_flush<&core::FlushConfig::delay>},
        "How long what is said may wait for more: \"adaptive\" (without idle time), or a time."},
    Setting{"flush.delay_max",
            DurationKind{in_flush<&core::FlushConfig::delay_max>, 0ms, flush_delay_max},
            "The most that an adaptive delay may be."},

    Setting{"drain.deadline", DurationKind{in_drain<&core::DrainConfig::deadline>, 0s, 1h},
            "From the signal to the last connection's end."},
    Setting{"drain.retry_min", DurationKind{in_drain<&core::DrainConfig::retry_min>, 0s, 1h},
            "Sessions are told to come back after a time between this ..."},
    Setting{"drain.retry_max", DurationKind{in_drain<&core::DrainConfig::retry_max>, 0s, 1h},
            "... and this."},
};

constexpr std::array later_settings{
    LaterSetting{"broker", "local", "this version runs as one node only"},
};

constexpr std::array<std::string_view, 3> on_lag_names{"disconnect", "gap", "latest"};

}  // namespace

std::span<const Setting> all_settings() {
    static const std::vector<Setting> all = [] {
        std::vector<Setting> rows(settings.begin(), settings.end());
        for (const auto section : {socketio_settings(), files_settings()}) {
            rows.insert(std::ranges::find(rows, "limits.enabled", &Setting::key), section.begin(),
                        section.end());
        }
        const auto accounts = accounts_settings();
        rows.insert(std::ranges::find(rows, "history.store", &Setting::key), accounts.begin(),
                    accounts.end());
        return rows;
    }();
    return all;
}

const Setting* find_setting(std::string_view key) {
    const auto found = std::ranges::find(all_settings(), key, &Setting::key);
    return found == all_settings().end() ? nullptr : &*found;
}

const LaterSetting* find_later(std::string_view key) {
    const auto found =
        std::find_if(later_settings.begin(), later_settings.end(), [&](const LaterSetting& row) {
            return key == row.key || (key.starts_with(row.key) && key[row.key.size()] == '.');
        });
    return found == later_settings.end() ? nullptr : &*found;
}

const LaterSetting* find_later_variable(std::string_view name) {
    const auto found =
        std::find_if(later_settings.begin(), later_settings.end(), [&](const LaterSetting& row) {
            const auto own = environment_name(row.key);
            return name == own || name.starts_with(own + "__");
        });
    return found == later_settings.end() ? nullptr : &*found;
}

std::string_view nearest_key(std::string_view key) {
    const auto farther = [&](const Setting& a, const Setting& b) {
        return edit_distance(key, a.key) < edit_distance(key, b.key);
    };
    return std::ranges::min_element(all_settings(), farther)->key;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);  // distances from a's prefix to each prefix of b
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

std::string environment_name(std::string_view key) {
    std::string out = "PARLEY_";
    for (const char c : key) {
        if (c == '.') {
            out += "__";
        } else {
            out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
        }
    }
    return out;
}

std::string history_key(std::string_view rule_key) {
    return "history." + std::string(rule_key);
}

std::optional<std::string> read_keep(std::string_view rule_key, const std::string& word,
                                     core::RoomRule& rule) {
    // The same values as the setting for all rooms has.
    ServerConfig read;
    const std::vector<std::string> words{word};
    if (auto problem = assign(*find_setting(history_key(rule_key)), read, words)) return problem;
    const core::Retention& keep = read.core.history.keep;
    if (rule_key == "keep_messages") rule.keep_messages = keep.messages;
    if (rule_key == "keep_bytes") rule.keep_bytes = keep.bytes;
    if (rule_key == "keep_age") rule.keep_age = keep.age;
    return std::nullopt;
}

std::optional<core::OnLag> on_lag_from(std::string_view word) {
    for (std::size_t i = 0; i < on_lag_names.size(); ++i) {
        if (on_lag_names[i] == word) return static_cast<core::OnLag>(i);
    }
    return std::nullopt;
}

std::string_view name_of(core::OnLag on_lag) {
    return on_lag_names[static_cast<std::size_t>(on_lag)];
}

}  // namespace parley::server
