#include "loadtest/scenario.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "loadtest/stamp.hpp"

namespace parley::load {
namespace {

constexpr std::uint32_t connections_max = 1'000'000;
constexpr std::uint32_t payload_bytes_max = 1u << 20;
constexpr unsigned threads_max = 64;
constexpr std::size_t source_ips_max = 4096;
constexpr std::chrono::hours duration_max{24};

// A whole number and the rest of the text behind it.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

std::optional<std::uint32_t> parse_ipv4(const std::string& text) {
    in_addr address{};
    if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
    return ntohl(address.s_addr);
}

bool is_ipv6(const std::string& text) {
    in6_addr address{};
    return ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::string format_ipv4(std::uint32_t value) {
    const in_addr address{htonl(value)};
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &address, text.data(), text.size());
    return text.data();
}

struct DurationUnit {
    std::string_view name;
    std::uint64_t ns;
};
constexpr std::array<DurationUnit, 4> duration_units{
    {{"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}}};

struct Scheme {
    std::string_view start;
    bool tls;
};
constexpr std::array<Scheme, 4> schemes{
    {{"ws://", false}, {"http://", false}, {"wss://", true}, {"https://", true}}};

bool is_room_prefix(std::string_view text) {
    constexpr std::string_view letters_and_digits =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    constexpr std::size_t prefix_bytes_max = 64;
    return !text.empty() && text.size() <= prefix_bytes_max &&
           letters_and_digits.find(text.front()) != std::string_view::npos &&
           text.find_first_not_of(std::string(letters_and_digits) + "._:@-") ==
               std::string_view::npos;
}

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

std::string quoted(std::string_view text) {
    std::string out(1, '\'');
    out.append(text).push_back('\'');
    return out;
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
    return static_cast<std::uint32_t>(
        std::llround(slow_readers_percent / 100.0 * static_cast<double>(connections)));
}

std::uint32_t Scenario::rest_connections() const {
    return static_cast<std::uint32_t>(
        (std::uint64_t{connections} * mix.percent(Transport::rest) + 50) / 100);
}

Transport Scenario::transport_of(std::uint32_t user) const {
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

std::uint32_t Scenario::connections_of(Transport transport) const {
    std::uint32_t count = 0;
    for (std::uint32_t user = 0; user < connections; ++user) {
        if (transport_of(user) == transport) ++count;
    }
    return count;
}

bool Scenario::is_slow(std::uint32_t user) const {
    if (user < publishers() || user >= connections) return false;
    const std::uint64_t readers = connections - publishers();
    const std::uint64_t slow = slow_readers();
    const std::uint64_t place = user - publishers();
    return (place + 1) * slow / readers > place * slow / readers;
}

bool Scenario::may_churn(std::uint32_t user) const {
    return churn_per_s > 0 && user >= publishers() && !is_slow(user);
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
    if (!s.url.tls && (!s.tls.ca_file.empty() || s.tls.insecure || s.tls.resume)) {
        return "--tls-ca, --tls-insecure and --tls-resume need an https:// or wss:// URL";
    }
    constexpr std::uint32_t senders_max = 10'000;
    if (s.senders == 0 || s.senders > senders_max) {
        return "--senders must be 1 to " + number(senders_max);
    }
    if (s.rate_max && !s.mix.only(Transport::rest)) return "--rate max needs --transport rest";
    if (s.mix.has(Transport::rest) && s.rest_connections() < s.rooms) {
        return "--rooms " + number(s.rooms) + " need as many connections of rest to publish, " +
               "there are " + number(s.rest_connections());
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> scenario_problem(const Scenario& s) {
    if (s.connections == 0 || s.connections > connections_max) {
        return "--connections must be 1 to " + number(connections_max);
    }
    if (s.rooms == 0) return "--rooms must be at least 1";
    if (s.spread == 0) return "--spread must be at least 1";
    if (const auto problem = transports_problem(s)) return problem;
    const bool rest = s.mix.has(Transport::rest);
    const std::uint64_t publishers =
        rest ? s.rest_connections() : std::uint64_t{s.rooms} * s.spread;
    if (publishers > s.connections) {
        return "--rooms " + number(s.rooms) + " with --spread " + number(s.spread) + " need " +
               number(publishers) + " connections to publish, --connections is " +
               number(s.connections);
    }
    if (!is_room_prefix(s.room_prefix)) {
        return "--room-prefix must be 1 to 64 of [A-Za-z0-9._:@-], the first a letter or digit";
    }
    if (!(s.rate_per_s >= 0 && s.rate_per_s <= 1e7)) return "--rate must be 0 to 10000000";
    if (s.payload_bytes < stamp_bytes || s.payload_bytes > payload_bytes_max) {
        return "--payload must be " + number(stamp_bytes) + " (the stamp) to " +
               number(payload_bytes_max) + " bytes";
    }
    if (s.duration.count() <= 0) return "--duration must be more than 0";
    for (const auto& part : {s.warmup, s.duration, s.ramp, s.settle, s.drain}) {
        if (part > duration_max) return "no part of a run may last longer than 24h";
    }
    if (!(s.slow_readers_percent >= 0 && s.slow_readers_percent <= 100)) {
        return "--slow-readers is a percentage, 0 to 100";
    }
    if (s.slow_readers() > s.connections - publishers) {
        return "--slow-readers needs " + number(s.slow_readers()) +
               " connections that do not publish, there are " + number(s.connections - publishers);
    }
    if (!(s.churn_per_s >= 0 && s.churn_per_s <= 1e5)) return "--churn must be 0 to 100000";
    if (s.churn_per_s > 0 && s.connections - publishers == s.slow_readers()) {
        return "--churn needs connections that neither publish nor read slowly: there are none";
    }
    if (s.threads == 0 || s.threads > threads_max) {
        return "--threads must be 1 to " + number(threads_max);
    }
    return std::nullopt;
}

Checked<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    std::string_view rest = text;
    const auto value = take_number(rest);
    for (const DurationUnit& unit : duration_units) {
        if (value && rest == unit.name && *value <= 1'000'000) {
            return std::chrono::nanoseconds(static_cast<std::int64_t>(*value * unit.ns));
        }
    }
    return Problem{quoted(text) +
                   " is no duration: expected a whole number and ms, s, m or h, such as 25s"};
}

std::string format_duration(std::chrono::nanoseconds duration) {
    const auto ns = static_cast<std::uint64_t>(duration.count());
    const DurationUnit* best = &duration_units[0];
    for (const DurationUnit& unit : duration_units) {
        if (ns != 0 && ns % unit.ns == 0) best = &unit;
    }
    if (ns == 0) best = &duration_units[1];
    return number(ns / best->ns) + std::string(best->name);
}

Checked<std::uint32_t> parse_size(std::string_view text) {
    std::string_view rest = text;
    const auto value = take_number(rest);
    std::uint64_t unit = 0;
    if (rest.empty()) unit = 1;
    if (rest == "KiB") unit = 1024;
    if (rest == "MiB") unit = std::uint64_t{1024} * 1024;
    if (!value || unit == 0 || *value > 0xffffffffu / unit) {
        return Problem{quoted(text) +
                       " is no size: expected bytes, or a whole number and KiB or MiB"};
    }
    return static_cast<std::uint32_t>(*value * unit);
}

Checked<Url> parse_url(std::string_view text) {
    const auto wrong = [text](std::string_view why) {
        return Problem{quoted(text) + ": " + std::string(why)};
    };
    Url url;
    std::string_view rest;
    for (const Scheme& scheme : schemes) {
        if (!text.starts_with(scheme.start)) continue;
        rest = text.substr(scheme.start.size());
        url.tls = scheme.tls;
        url.port = scheme.tls ? 443 : 80;
    }
    if (rest.data() == nullptr) return wrong("expected ws, wss, http or https://host:port/path");
    const std::size_t host_end = rest.find_first_of("/?");
    std::string_view authority = rest.substr(0, host_end);
    rest.remove_prefix(authority.size());

    std::string_view port;
    const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
    if (bracket == std::string_view::npos) return wrong("the bracket is not closed");
    const std::size_t colon = authority.find(':', bracket);
    url.host = authority.substr(0, colon);
    if (bracket > 0) url.host = authority.substr(1, bracket - 1);
    if (url.host.empty()) return wrong("the host is missing");
    if (colon != std::string_view::npos) {
        port = authority.substr(colon + 1);
        const auto value = take_number(port);
        if (!value || !port.empty() || *value == 0 || *value > 65535) {
            return wrong("the port must be 1 to 65535");
        }
        url.port = static_cast<std::uint16_t>(*value);
    }
    for (const char c : rest) {
        if (c <= ' ' || c == '#') return wrong("the path has a character that no URL may have");
    }
    url.path = rest.starts_with('/') ? std::string(rest) : std::string(1, '/').append(rest);
    return url;
}

Checked<std::vector<std::string>> parse_source_ips(std::string_view text) {
    std::vector<std::string> addresses;
    while (!text.empty()) {
        const std::string item(text.substr(0, text.find(',')));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        const std::size_t dash = item.find('-');
        const auto first = parse_ipv4(item.substr(0, dash));
        if (!first && is_ipv6(item)) {
            addresses.push_back(item);
            continue;
        }
        const auto last = dash == std::string::npos ? first : parse_ipv4(item.substr(dash + 1));
        if (!first || !last || *last < *first) {
            return Problem{quoted(item) + " is no address and no range of IPv4 addresses"};
        }
        if (*last - *first >= source_ips_max - addresses.size()) {
            return Problem{"more than " + number(source_ips_max) + " source addresses"};
        }
        for (std::uint64_t ip = *first; ip <= *last; ++ip) {
            addresses.push_back(format_ipv4(static_cast<std::uint32_t>(ip)));
        }
    }
    if (addresses.empty()) return Problem{"expected at least one address"};
    return addresses;
}

}  // namespace parley::load
