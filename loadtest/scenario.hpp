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
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/persona.hpp"
#include "loadtest/phase_plan.hpp"
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

// One of several processes that play a scenario together: their threads count through all of them.
struct Split {
    unsigned index = 0;
    unsigned of = 1;
};

// Instead of one rate: the search of the highest that each bound bears.
struct FindMax {
    std::vector<std::chrono::nanoseconds> p99_max;  // ascending
    std::chrono::nanoseconds step = std::chrono::seconds(2);
    std::chrono::nanoseconds confirmation{0};  // 0: three steps' time
    double start_per_s = 0;                    // the first rate asked for; 0: by connections
    double rate_max_per_s = 1e7;               // none higher is asked for
};

struct Scenario {
    Url url;
    TlsOptions tls;
    Mix mix;
    std::optional<Handshakes> handshakes;  // instead of everything else
    std::optional<FindMax> find_max;       // instead of rate_per_s and duration
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
    bool spin = false;  // threads poll instead of sleeping
    std::vector<std::string> source_ips;
    std::int32_t server_pid = 0;        // 0: no process is looked at for the server's cost
    std::optional<Url> server_metrics;  // where the server tells of itself, as Prometheus reads it
    std::uint64_t seed = 1;
    std::vector<Phase> phases;         // of a scenario file; none: a warm-up and `duration`
    std::vector<Persona> personas;     // of a scenario file; none: as the numbers above have it
    std::shared_ptr<const Cast> cast;  // of the personas, once assign_parts() has been called
    Split split;

    // Members of a room take the numbers room, room + rooms, room + 2 * rooms …; its publishers
    // are the first `spread` of them, so the publishers are exactly 0 to publishers() - 1. Where
    // `rest` is in the mix, its users come first, and they do all the publishing.
    // Where there are personas the cast says who they are, and in which rooms.
    [[nodiscard]] std::uint32_t publishers() const {
        if (cast) return cast->publishers();
        return mix.has(Transport::rest) ? rest_connections() : rooms * spread;
    }
    [[nodiscard]] std::uint32_t publishers_in(std::uint32_t room) const {
        return cast ? cast->publishers_in(room) : (publishers() + rooms - 1) / rooms;
    }
    [[nodiscard]] std::uint32_t rest_connections() const;
    [[nodiscard]] Transport transport_of(std::uint32_t user) const;
    [[nodiscard]] std::uint32_t room_of(std::uint32_t user) const {
        return cast ? cast->room_of(user) : user % rooms;
    }
    [[nodiscard]] std::uint32_t member_of(std::uint32_t user) const {
        return cast ? cast->member_of(user) : user / rooms;
    }
    // Nothing where there are no personas.
    [[nodiscard]] const Persona* persona_of(std::uint32_t user) const {
        return cast && user < connections ? &personas[cast->persona_of(user)] : nullptr;
    }
    // Slow readers are spread evenly over those that do not publish.
    [[nodiscard]] std::uint32_t slow_readers() const;
    [[nodiscard]] bool is_slow(std::uint32_t user) const;
    // Leaves and rejoins when its turn comes.
    [[nodiscard]] bool may_churn(std::uint32_t user) const;
    // How a slow reader reads.
    [[nodiscard]] Persona::Reading reading_of(std::uint32_t user) const;
    // Load threads of all processes together.
    [[nodiscard]] unsigned shares() const;
};

// Casts the personas, which are valid, and lets the transports follow from them.
void assign_parts(Scenario& scenario);

// Why the scenario can't be played, in one line that names the option; nothing when it can.
[[nodiscard]] std::optional<std::string> scenario_problem(const Scenario& scenario);

// "25s", "500ms", "2m", "1h", "0s".
[[nodiscard]] Checked<std::chrono::nanoseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);
// "25ms", "25ms,200ms": what --p99-max takes; ascending.
[[nodiscard]] Checked<std::vector<std::chrono::nanoseconds>> parse_bounds(std::string_view text);
// "512", "1KiB", "2MiB".
[[nodiscard]] Checked<std::uint32_t> parse_size(std::string_view text);
// ws, wss, http or https://host[:port][/path][?query]; an IPv6 address stands in brackets.
[[nodiscard]] Checked<Url> parse_url(std::string_view text);
// "127.0.0.2,127.0.0.4-127.0.0.6": numeric addresses and ranges of IPv4 addresses.
[[nodiscard]] Checked<std::vector<std::string>> parse_source_ips(std::string_view text);

}  // namespace parley::load
