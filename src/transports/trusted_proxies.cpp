#include "transports/trusted_proxies.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/field.hpp>
#include <charconv>

#include "protocol/header_list.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::address;
using boost::asio::ip::tcp;
using protocol::trim;

constexpr unsigned mapped_bits = 96;

std::array<std::uint8_t, 16> bytes_of(const address& of) noexcept {
    if (of.is_v6()) return of.to_v6().to_bytes();
    std::array<std::uint8_t, 16> bytes{};
    bytes[10] = bytes[11] = 0xFF;
    std::ranges::copy(of.to_v4().to_bytes(), bytes.begin() + 12);
    return bytes;
}

bool is_within(const std::array<std::uint8_t, 16>& bytes, const Network& network) noexcept {
    for (unsigned bit = 0; bit < network.bits; bit += 8) {
        const unsigned left = std::min(8U, network.bits - bit);
        const auto mask = static_cast<std::uint8_t>(0xFFU << (8U - left));
        if (((bytes[bit / 8] ^ network.address[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

// An address with or without a port, as proxies write it: 192.0.2.1, 192.0.2.1:80, [2001:db8::1]:80,
// 2001:db8::1, all of them perhaps in quotes.
std::optional<address> parse_hop(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
    }
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        text = text.substr(1, end - 1);
    } else if (std::ranges::count(text, ':') == 1) {
        text = text.substr(0, text.find(':'));
    }
    boost::system::error_code error;
    const address parsed = boost::asio::ip::make_address(text, error);
    if (error) return std::nullopt;
    // One address has one spelling.
    if (parsed.is_v6() && parsed.to_v6().is_v4_mapped()) {
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, parsed.to_v6());
    }
    return parsed;
}

// Takes the next part off the front, trimmed. Quotes are no shelter for a separator here: no address
// has one in it, and a client that leaves a quote open must not hide what proxies add behind it.
bool next_part(std::string_view& rest, char separator, std::string_view& part) {
    if (rest.empty()) return false;
    const auto end = std::min(rest.find(separator), rest.size());
    part = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return true;
}

// The `for` of one element of Forwarded; empty without one.
std::string_view forwarded_for(std::string_view element) {
    std::string_view pair;
    while (next_part(element, ';', pair)) {
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos) continue;
        if (protocol::equal_any_case(trim(pair.substr(0, equals)), "for")) {
            return trim(pair.substr(equals + 1));
        }
    }
    return {};
}

// What was said at each hop, the client's first; several lines of the header are one list.
std::vector<std::string_view> hops_of(const HttpRequest& request, bool use_forwarded) {
    std::vector<std::string_view> hops;
    const auto [begin, end] = request.equal_range(use_forwarded ? "Forwarded" : "X-Forwarded-For");
    for (auto field = begin; field != end; ++field) {
        std::string_view list = field->value();
        std::string_view item;
        while (next_part(list, ',', item)) {
            hops.push_back(use_forwarded ? forwarded_for(item) : item);
        }
    }
    return hops;
}

}  // namespace

std::optional<Network> parse_network(std::string_view text) {
    const auto slash = text.find('/');
    boost::system::error_code error;
    const address parsed = boost::asio::ip::make_address(text.substr(0, slash), error);
    if (error || text.find('%') != std::string_view::npos) return std::nullopt;
    const unsigned most = parsed.is_v4() ? 32 : 128;
    unsigned bits = most;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const char* const end = digits.data() + digits.size();
        const auto [stop, failure] = std::from_chars(digits.data(), end, bits);
        if (failure != std::errc{} || stop != end || bits > most) return std::nullopt;
    }
    return Network{bytes_of(parsed), parsed.is_v4() ? mapped_bits + bits : bits};
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks, bool use_forwarded)
    : use_forwarded_(use_forwarded) {
    for (const std::string& text : networks) {
        if (const auto network = parse_network(text)) networks_.push_back(*network);
    }
}

bool TrustedProxies::trusts(const address& address) const noexcept {
    if (networks_.empty()) return false;
    const auto bytes = bytes_of(address);
    return std::ranges::any_of(
        networks_, [&bytes](const Network& network) { return is_within(bytes, network); });
}

tcp::endpoint TrustedProxies::client_of(const tcp::endpoint& hop,
                                        const HttpRequest& request) const {
    if (!trusts(hop.address())) return hop;
    tcp::endpoint client = hop;
    const auto hops = hops_of(request, use_forwarded_);
    for (auto said = hops.rbegin(); said != hops.rend(); ++said) {
        const auto before = parse_hop(*said);
        if (!before) break;
        client = {*before, 0};
        if (!trusts(*before)) break;
    }
    return client;
}

}  // namespace parley::transports
