// The PROXY protocol, versions 1 and 2, as it is received: a few bytes ahead of everything else, in
// which a proxy says who connected to it (HAProxy, proxy-protocol.txt).
//
// Path:     stream → [ProxyHeaderDecoder] → Gate
// Runs on:  any thread; no socket, no clock.
// Owned by: whoever reads the connection's first bytes.
// Bounds:   proxy_header_bytes_max.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/proxy_extras.hpp"

namespace parley::protocol {

// The whole header of version 2, with what a proxy may add to the addresses; version 1 has 107.
inline constexpr std::size_t proxy_header_bytes_max = 4096;

// Who connected to the proxy.
struct ProxiedPeer {
    enum class Family : std::uint8_t {
        none,  // nobody: the proxy itself did, to see whether the server is there; or it can't tell
        v4,
        v6,
    };
    Family family = Family::none;
    std::array<std::uint8_t, 16> address{};  // the first four for IPv4; in the order of the network
    std::uint16_t port = 0;
};

class ProxyHeaderDecoder {
public:
    enum class Status { need_more, complete, malformed };
    struct Step {
        Status status;
        std::size_t consumed;  // never beyond the header
    };

    // Takes what belongs to the header off the front of `bytes`. Not after complete or malformed.
    [[nodiscard]] Step feed(std::string_view bytes);
    // Valid after complete.
    [[nodiscard]] const ProxiedPeer& peer() const noexcept { return peer_; }
    // Why it is malformed.
    [[nodiscard]] std::string_view error() const noexcept { return error_; }

private:
    static constexpr std::size_t line_bytes_max = 107;

    Status take(char byte);
    Status take_line();
    Status take_prefix();
    Status take_addresses();
    Status take_header();
    Status fail(std::string_view why) {
        error_ = why;
        return Status::malformed;
    }

    std::array<char, line_bytes_max> kept_{};  // the line, or the prefix and the addresses
    std::size_t size_ = 0;                     // bytes of the header so far
    std::size_t length_ = 0;                   // of the whole header, once version 2 told
    ProxyExtras extras_;
    ProxiedPeer peer_;
    std::string_view error_;
};

}  // namespace parley::protocol
