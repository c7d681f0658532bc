// TrustedProxies: whose word is taken for who a request comes from, and what they say
// (X-Forwarded-For; Forwarded, RFC 7239).
//
// Path:     HttpConnection → [TrustedProxies] → Exchange::peer
// Runs on:  any thread; a constant value.
// Owned by: Gate.
// Bounds:   the operator's list; the hops that a request's head has room for.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transports/frontend.hpp"

namespace parley::transports {

// An address and how many of its bits count. IPv4 is kept as it is mapped into IPv6.
struct Network {
    std::array<std::uint8_t, 16> address{};
    unsigned bits = 128;
};
// "10.0.0.0/8", "192.0.2.1", "2001:db8::/32"; nothing for what is none.
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);

class TrustedProxies {
public:
    // An entry that is no network matches nothing. `use_forwarded`: what proxies say stands in
    // Forwarded, and X-Forwarded-For is the client's own invention; else it is the other way round.
    TrustedProxies(const std::vector<std::string>& networks, bool use_forwarded);

    [[nodiscard]] bool trusts(const boost::asio::ip::address& address) const noexcept;
    // Who made the request: `hop`, or where that is trusted the last one in the header who is not.
    // A word that is no address ends the search at the proxy that said it. The port is 0 where a
    // header told.
    [[nodiscard]] boost::asio::ip::tcp::endpoint client_of(
        const boost::asio::ip::tcp::endpoint& hop, const HttpRequest& request) const;

private:
    std::vector<Network> networks_;
    bool use_forwarded_;
};

}  // namespace parley::transports
