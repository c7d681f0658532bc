// The texts of the command line that become parts of a Scenario.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "loadtest/scenario.hpp"

namespace parley::load {
namespace {

constexpr std::size_t source_ips_max = 4096;

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

bool is_ipv6_address(const std::string& text) {
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

std::string in_quotes(std::string_view text) {
    std::string out(1, '\'');
    out.append(text).push_back('\'');
    return out;
}

}  // namespace

Checked<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    std::string_view rest = text;
    const auto value = take_number(rest);
    for (const DurationUnit& unit : duration_units) {
        if (value && rest == unit.name && *value <= 1'000'000) {
            return std::chrono::nanoseconds(static_cast<std::int64_t>(*value * unit.ns));
        }
    }
    return Problem{in_quotes(text) +
                   " is no duration: expected a whole number and ms, s, m or h, such as 25s"};
}

std::string format_duration(std::chrono::nanoseconds duration) {
    const auto ns = static_cast<std::uint64_t>(duration.count());
    const DurationUnit* best = &duration_units[0];
    for (const DurationUnit& unit : duration_units) {
        if (ns != 0 && ns % unit.ns == 0) best = &unit;
    }
    if (ns == 0) best = &duration_units[1];
    return std::to_string(ns / best->ns) + std::string(best->name);
}

Checked<std::vector<std::chrono::nanoseconds>> parse_bounds(std::string_view text) {
    std::vector<std::chrono::nanoseconds> bounds;
    for (bool more = true; more;) {
        const std::size_t comma = text.find(',');
        const auto bound = parse_duration(text.substr(0, comma));
        if (!bound) return bound.error();
        bounds.push_back(*bound);
        more = comma != std::string_view::npos;
        if (more) text.remove_prefix(comma + 1);
    }
    std::sort(bounds.begin(), bounds.end());
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    return bounds;
}

Checked<std::uint32_t> parse_size(std::string_view text) {
    std::string_view rest = text;
    const auto value = take_number(rest);
    std::uint64_t unit = 0;
    if (rest.empty()) unit = 1;
    if (rest == "KiB") unit = 1024;
    if (rest == "MiB") unit = std::uint64_t{1024} * 1024;
    if (!value || unit == 0 || *value > 0xffffffffu / unit) {
        return Problem{in_quotes(text) +
                       " is no size: expected bytes, or a whole number and KiB or MiB"};
    }
    return static_cast<std::uint32_t>(*value * unit);
}

Checked<Url> parse_url(std::string_view text) {
    const auto wrong = [text](std::string_view why) {
        return Problem{in_quotes(text) + ": " + std::string(why)};
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
        if (!first && is_ipv6_address(item)) {
            addresses.push_back(item);
            continue;
        }
        const auto last = dash == std::string::npos ? first : parse_ipv4(item.substr(dash + 1));
        if (!first || !last || *last < *first) {
            return Problem{in_quotes(item) + " is no address and no range of IPv4 addresses"};
        }
        if (*last - *first >= source_ips_max - addresses.size()) {
            return Problem{"more than " + std::to_string(source_ips_max) + " source addresses"};
        }
        for (std::uint64_t ip = *first; ip <= *last; ++ip) {
            addresses.push_back(format_ipv4(static_cast<std::uint32_t>(ip)));
        }
    }
    if (addresses.empty()) return Problem{"expected at least one address"};
    return addresses;
}

}  // namespace parley::load
