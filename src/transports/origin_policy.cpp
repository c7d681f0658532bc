#include "transports/origin_policy.hpp"

#include <algorithm>
#include <charconv>

#include "protocol/header_list.hpp"

namespace parley::transports {
namespace {

struct HostPort {
    std::string host;  // lower case; an IPv6 address with its brackets
    std::optional<unsigned> port;
};

std::optional<HostPort> split_host(std::string_view text) {
    // The port's colon is behind the bracket of an IPv6 address.
    const auto bracket = text.find(']');
    const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
    HostPort out{protocol::in_lower_case(text.substr(0, colon)), std::nullopt};
    if (out.host.empty()) return std::nullopt;
    if (colon == std::string_view::npos) return out;
    const std::string_view digits = text.substr(colon + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port > 65535) {
        return std::nullopt;
    }
    out.port = port;
    return out;
}

unsigned default_port(std::string_view scheme) {
    if (scheme == "https" || scheme == "wss") return 443;
    if (scheme == "http" || scheme == "ws") return 80;
    return 0;
}

struct Origin {
    std::string scheme;
    std::string host;
    unsigned port;
};

std::optional<Origin> parse_origin(std::string_view text) {
    const auto separator = text.find("://");
    if (separator == std::string_view::npos || separator == 0) return std::nullopt;
    Origin origin{protocol::in_lower_case(text.substr(0, separator)), {}, 0};
    const std::string_view authority = text.substr(separator + 3);
    if (authority.find_first_of("/?#@ ") != std::string_view::npos) return std::nullopt;
    auto host = split_host(authority);
    if (!host) return std::nullopt;
    origin.host = std::move(host->host);
    origin.port = host->port.value_or(default_port(origin.scheme));
    return origin;
}

}  // namespace

OriginPolicy::OriginPolicy(const std::vector<std::string>& allowed) {
    for (const std::string& entry : allowed) {
        if (entry == "*") {
            all_ = true;
            continue;
        }
        auto origin = parse_origin(entry);
        if (!origin) continue;
        const bool below = origin->host.starts_with("*.");
        if (below) origin->host.erase(0, 1);
        patterns_.push_back({origin->scheme, origin->host, below, origin->port});
    }
}

bool OriginPolicy::allows(std::string_view origin, std::string_view host) const {
    return origin.empty() || all_ || names(origin, host);
}

bool OriginPolicy::names(std::string_view origin, std::string_view host) const {
    const auto page = parse_origin(origin);
    if (!page) return false;
    // The scheme is the page's word alone: behind a proxy the server can't know its own.
    if (const auto own = split_host(host);
        own && own->host == page->host &&
        own->port.value_or(default_port(page->scheme)) == page->port) {
        return true;
    }
    return lists(origin);
}

bool OriginPolicy::lists(std::string_view origin) const {
    const auto page = parse_origin(origin);
    if (!page) return false;
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
        if (pattern.scheme != page->scheme || pattern.port != page->port) return false;
        return pattern.below
                   ? page->host.size() > pattern.host.size() && page->host.ends_with(pattern.host)
                   : page->host == pattern.host;
    });
}

bool is_origin_pattern(std::string_view text) {
    return text == "*" || parse_origin(text);
}

}  // namespace parley::transports
