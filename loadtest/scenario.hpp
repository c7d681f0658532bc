// Scenario: what is asked of a run, and who plays which part in it. Users are numbered 0 to
// connections - 1; everything about a user follows from its number.
//
// Path:     command line → [Scenario] → run
// Runs on:  read at start; constant afterwards.
// Owned by: main.
// Bounds:   what scenario_problem() refuses.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/target.hpp"
#include "loadtest/transport.hpp"

namespace parley::load {

struct Url {
    std::string host;
    std::uint16_t port = 80;
    std::string path;  // with the query; "/" where the URL has none
    bool tls = false;  // wss, https
};

struct TlsOptions {
    std::string ca_file;    // certificates to trust, PEM; empty: the system's
    bool insecure = false;  // the server's certificate is not looked at
    bool resume = false;    // connections after a thread's first take up its session
};

// The handshake-rate mode: connections are opened, brought as far as `kind` says, and closed.
struct Handshakes {
    enum class Kind : std::uint8_t { tcp, tls, upgrade };
    Kind kind = Kind::upgrade;
    double rate_per_s = 0;  // 0: closed loop, Scenario::connections of them at once
};

// "tcp", "tls", "upgrade".
[[nodiscard]] std::string_view name_of(Handshakes::Kind kind);

struct Scenario {
    Url url;
    TlsOptions tls;
    Mix mix;
    std::optional<Handshakes> handshakes;  // instead of everything else
    std::uint32_t connections = 100;
    std::uint32_t rooms = 1;
    std::string room_prefix = "load";
    double rate_per_s = 10;  // messages, over all rooms
    // Closed loop, `rest` alone: each connection sends when its last message is answered.
    bool rate_max = false;
    std::uint32_t payload_bytes = 128;
    std::uint32_t spread = 1;  // members of each room that take turns publishing
    // Connections that send for those whose transport only listens, where there are any.
    std::uint32_t senders = 16;
    std::chrono::nanoseconds warmup = std::chrono::seconds(1);
    std::chrono::nanoseconds duration = std::chrono::seconds(30);
    std::chrono::nanoseconds ramp = std::chrono::seconds(5);
    std::chrono::nanoseconds settle = std::chrono::seconds(30);  // for the last to become ready
    std::chrono::nanoseconds drain = std::chrono::seconds(5);    // for the last to be delivered
    double slow_readers_percent = 0;
    double churn_per_s = 0;
    unsigned threads = 1;
    std::vector<std::string> source_ips;
    std::int32_t server_pid = 0;  // 0: the server's cost is not measured
    std::uint64_t seed = 1;

    // Members of a room take the numbers room, room + rooms, room + 2 * rooms …; its publishers
    // are the first `spread` of them, so the publishers are exactly 0 to publishers() - 1. Where
    // `rest` is in the mix, its users come first, and they do all the publishing.
    [[nodiscard]] std::uint32_t publishers() const {
        return mix.has(Transport::rest) ? rest_connections() : rooms * spread;
    }
    [[nodiscard]] std::uint32_t publishers_a_room() const {
        return (publishers() + rooms - 1) / rooms;
    }
    [[nodiscard]] std::uint32_t rest_connections() const;
    [[nodiscard]] Transport transport_of(std::uint32_t user) const;
    [[nodiscard]] std::uint32_t room_of(std::uint32_t user) const { return user % rooms; }
    [[nodiscard]] std::uint32_t member_of(std::uint32_t user) const { return user / rooms; }
    // Slow readers are spread evenly over those that do not publish.
    [[nodiscard]] std::uint32_t slow_readers() const;
    [[nodiscard]] bool is_slow(std::uint32_t user) const;
    // Leaves and rejoins when its turn comes.
    [[nodiscard]] bool may_churn(std::uint32_t user) const;
};

// Why the scenario can't be played, in one line that names the option; nothing when it can.
[[nodiscard]] std::optional<std::string> scenario_problem(const Scenario& scenario);

// "25s", "500ms", "2m", "1h", "0s".
[[nodiscard]] Checked<std::chrono::nanoseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);
// "512", "1KiB", "2MiB".
[[nodiscard]] Checked<std::uint32_t> parse_size(std::string_view text);
// ws, wss, http or https://host[:port][/path][?query]; an IPv6 address stands in brackets.
[[nodiscard]] Checked<Url> parse_url(std::string_view text);
// "127.0.0.2,127.0.0.4-127.0.0.6": numeric addresses and ranges of IPv4 addresses.
[[nodiscard]] Checked<std::vector<std::string>> parse_source_ips(std::string_view text);

}  // namespace parley::load
