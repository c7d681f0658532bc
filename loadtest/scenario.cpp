#include "loadtest/scenario.hpp"

#include <algorithm>
#include <cmath>

#include "loadtest/stamp.hpp"

namespace parley::load {
namespace {

constexpr std::uint32_t connections_max = 1'000'000;
constexpr std::uint32_t payload_bytes_max = 1u << 20;
constexpr unsigned threads_max = 64;
constexpr std::chrono::hours duration_max{24};

bool is_room_prefix(std::string_view text) {
    constexpr std::string_view letters_and_digits =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    constexpr std::size_t prefix_bytes_max = 64;
    return !text.empty() && text.size() <= prefix_bytes_max &&
           letters_and_digits.find(text.front()) != std::string_view::npos &&
           text.find_first_not_of(std::string(letters_and_digits) + "._:@-") ==
               std::string_view::npos;
}

}  // namespace

std::string_view name_of(Handshakes::Kind kind) {
    switch (kind) {
        case Handshakes::Kind::tcp:
            return "tcp";
        case Handshakes::Kind::tls:
            return "tls";
        case Handshakes::Kind::upgrade:
            return "upgrade";
    }
    return {};
}

std::uint32_t Scenario::slow_readers() const {
    std::uint32_t readers = 0;
    for (std::size_t i = 0; cast && i < personas.size(); ++i) {
        if (personas[i].kind == Persona::Kind::slow_reader) readers += cast->groups()[i].count;
    }
    if (cast) return readers;
    return static_cast<std::uint32_t>(
        std::llround(slow_readers_percent / 100.0 * static_cast<double>(connections)));
}

std::uint32_t Scenario::rest_connections() const {
    return static_cast<std::uint32_t>(
        (std::uint64_t{connections} * mix.percent(Transport::rest) + 50) / 100);
}

Transport Scenario::transport_of(std::uint32_t user) const {
    if (const Persona* const persona = persona_of(user)) return persona->transport;
    const std::uint32_t rest = rest_connections();
    if (user < rest || mix.only(Transport::rest)) return Transport::rest;
    // Counted room by room, each room has a stretch of the pattern of its own, and so every
    // transport's share to within one. The first `larger` rooms have a member more.
    const std::uint32_t place = user - rest;
    const std::uint32_t room = place % rooms;
    const std::uint32_t members = (connections - rest) / rooms;
    const std::uint32_t larger = (connections - rest) % rooms;
    return mix.listener(std::uint64_t{room} * members + std::min(room, larger) + place / rooms);
}

bool Scenario::is_slow(std::uint32_t user) const {
    const Persona* const persona = persona_of(user);
    if (persona != nullptr) return persona->kind == Persona::Kind::slow_reader;
    if (user < publishers() || user >= connections) return false;
    const std::uint64_t readers = connections - publishers();
    const std::uint64_t slow = slow_readers();
    const std::uint64_t place = user - publishers();
    return (place + 1) * slow / readers > place * slow / readers;
}

bool Scenario::may_churn(std::uint32_t user) const {
    const Persona* const persona = persona_of(user);
    if (persona != nullptr) return persona->kind == Persona::Kind::churner;
    return churn_per_s > 0 && user >= publishers() && !is_slow(user);
}

Persona::Reading Scenario::reading_of(std::uint32_t user) const {
    const Persona* const persona = persona_of(user);
    return persona != nullptr ? persona->reading : Persona::Reading{};
}

unsigned Scenario::shares() const {
    return std::min(threads * split.of, connections);
}

void assign_parts(Scenario& scenario) {
    if (scenario.personas.empty()) return;
    scenario.cast =
        std::make_shared<const Cast>(scenario.personas, scenario.connections, scenario.rooms);
    std::vector<std::uint32_t> counts;
    for (const Cast::Group& group : scenario.cast->groups()) counts.push_back(group.count);
    scenario.mix = mix_of(scenario.personas, counts);
}

namespace {

// What of the transports and of TLS can't be had.
std::optional<std::string> transports_problem(const Scenario& s) {
    if (s.handshakes) {
        if (!(s.handshakes->rate_per_s >= 0 && s.handshakes->rate_per_s <= 1e6)) {
            return "--handshakes must be 'max' or up to 1000000 a second";
        }
        if (s.handshakes->kind == Handshakes::Kind::tls && !s.url.tls) {
            return "--handshake-kind tls needs an https:// or wss:// URL";
        }
    }
    const bool tls = s.url.tls || (s.server_metrics && s.server_metrics->tls);
    if (!tls && (!s.tls.ca_file.empty() || s.tls.insecure || s.tls.resume)) {
        return "--tls-ca, --tls-insecure and --tls-resume need an https:// or wss:// URL";
    }
    constexpr std::uint32_t senders_max = 10'000;
    if (s.senders == 0 || s.senders > senders_max) {
        return "--senders must be 1 to " + std::to_string(senders_max);
    }
    if (s.rate_max && !s.mix.only(Transport::rest)) return "--rate max needs --transport rest";
    if (s.personas.empty() && s.mix.has(Transport::rest) && s.rest_connections() < s.rooms) {
        return "--rooms " + std::to_string(s.rooms) +
               " need as many connections of rest to publish, " + "there are " +
               std::to_string(s.rest_connections());
    }
    return std::nullopt;
}

// What can't be had together with the search of the highest rate.
std::optional<std::string> find_max_problem(const Scenario& s) {
    if (!s.find_max) return std::nullopt;
    constexpr std::chrono::milliseconds step_min{100};
    if (s.handshakes) return "--find-max and --handshakes exclude each other";
    if (s.rate_max) return "--find-max searches open loop: --rate max excludes it";
    if (s.churn_per_s > 0 || s.slow_readers_percent > 0) {
        return "--find-max does not go with --churn or --slow-readers";
    }
    if (s.find_max->p99_max.empty()) return "--p99-max needs at least one bound";
    for (const auto& bound : s.find_max->p99_max) {
        if (bound.count() <= 0) return "--p99-max must be more than 0";
    }
    if (!(s.find_max->rate_max_per_s > 0 && s.find_max->rate_max_per_s <= 1e7)) {
        return "--max-rate must be more than 0 and at most 10000000";
    }
    if (s.find_max->step < step_min) return "--step-duration must be at least 100ms";
    return std::nullopt;
}

}  // namespace

std::optional<std::string> scenario_problem(const Scenario& s) {
    if (s.connections == 0 || s.connections > connections_max) {
        return "--connections must be 1 to " + std::to_string(connections_max);
    }
    if (s.rooms == 0) return "--rooms must be at least 1";
    if (s.spread == 0) return "--spread must be at least 1";
    if (const auto problem = transports_problem(s)) return problem;
    if (const auto problem = personas_problem(s)) return problem;
    if (const auto problem = find_max_problem(s)) return problem;
    const bool rest = s.mix.has(Transport::rest);
    const std::uint64_t publishers = s.cast ? s.cast->publishers()
                                     : rest ? s.rest_connections()
                                            : std::uint64_t{s.rooms} * s.spread;
    if (publishers > s.connections) {
        return "--rooms " + std::to_string(s.rooms) + " with --spread " + std::to_string(s.spread) +
               " need " + std::to_string(publishers) +
               " connections to publish, --connections is " + std::to_string(s.connections);
    }
    if (!is_room_prefix(s.room_prefix)) {
        return "--room-prefix must be 1 to 64 of [A-Za-z0-9._:@-], the first a letter or digit";
    }
    if (!(s.rate_per_s >= 0 && s.rate_per_s <= 1e7)) return "--rate must be 0 to 10000000";
    if (s.payload_bytes < stamp_bytes || s.payload_bytes > payload_bytes_max) {
        return "--payload must be " + std::to_string(stamp_bytes) + " (the stamp) to " +
               std::to_string(payload_bytes_max) + " bytes";
    }
    if (s.duration.count() <= 0) return "--duration must be more than 0";
    for (const auto& part : {s.warmup, s.duration, s.ramp, s.settle, s.drain}) {
        if (part > duration_max) return "no part of a run may last longer than 24h";
    }
    if (!(s.slow_readers_percent >= 0 && s.slow_readers_percent <= 100)) {
        return "--slow-readers is a percentage, 0 to 100";
    }
    if (s.slow_readers() > s.connections - publishers) {
        return "--slow-readers needs " + std::to_string(s.slow_readers()) +
               " connections that do not publish, there are " +
               std::to_string(s.connections - publishers);
    }
    if (!(s.churn_per_s >= 0 && s.churn_per_s <= 1e5)) return "--churn must be 0 to 100000";
    if (s.churn_per_s > 0 && s.connections - publishers == s.slow_readers()) {
        return "--churn needs connections that neither publish nor read slowly: there are none";
    }
    if (s.threads == 0 || s.threads > threads_max) {
        return "--threads must be 1 to " + std::to_string(threads_max);
    }
    if (s.split.of > s.connections / s.threads && s.split.of > 1) {
        return "--workers " + std::to_string(s.split.of) + " of --threads " +
               std::to_string(s.threads) + " need a connection for each thread, --connections is " +
               std::to_string(s.connections);
    }
    if (s.find_max && (!s.phases.empty() || s.cast || s.split.of > 1)) {
        return "--find-max does not go with phases, personas or several processes";
    }
    if (!s.phases.empty() && s.rate_max) return "--rate max does not go with phases";
    if (s.cast && s.rate_max) return "--rate max does not go with personas";
    if (const auto problem = phases_problem(s)) return problem;
    return std::nullopt;
}

}  // namespace parley::load
