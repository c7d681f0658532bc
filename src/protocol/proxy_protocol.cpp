#include "protocol/proxy_protocol.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <string>

namespace parley::protocol {
namespace {

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::string_view first_line = "PROXY ";
constexpr std::size_t prefix_bytes = 16;  // version 2: signature, command, family, length
constexpr std::size_t v4_bytes = 12;      // two addresses, two ports
constexpr std::size_t v6_bytes = 36;
constexpr std::size_t unix_bytes = 216;  // two paths
constexpr unsigned char local = 0x20;    // the command of a proxy that speaks for itself

// Takes the word before the next blank off the front. Words are parted by exactly one.
std::string_view next_word(std::string_view& rest) {
    const auto end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return word;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size();
}

bool parse_address(int family, std::string_view text, std::span<std::uint8_t, 16> into) {
    return ::inet_pton(family, std::string(text).c_str(), into.data()) == 1;
}

std::uint16_t number_at(const char* bytes) {
    const auto high = static_cast<unsigned char>(bytes[0]);
    const auto low = static_cast<unsigned char>(bytes[1]);
    return static_cast<std::uint16_t>(high << 8U | low);
}

// What the addresses of a family take, however they are carried.
std::size_t address_bytes(char family) {
    switch (static_cast<unsigned char>(family) >> 4U) {
        case 1:
            return v4_bytes;
        case 2:
            return v6_bytes;
        case 3:
            return unix_bytes;
        default:
            return 0;
    }
}

}  // namespace

ProxyHeaderDecoder::Step ProxyHeaderDecoder::feed(std::string_view bytes) {
    std::size_t consumed = 0;
    while (consumed < bytes.size()) {
        const Status status = take(bytes[consumed++]);
        if (status != Status::need_more) return {status, consumed};
    }
    return {Status::need_more, consumed};
}

ProxyHeaderDecoder::Status ProxyHeaderDecoder::take(char byte) {
    if (size_ < kept_.size()) kept_[size_] = byte;
    const std::size_t at = size_++;
    if (kept_[0] == signature[0]) {
        if (at < signature.size()) {
            return byte == signature[at] ? Status::need_more : fail("no PROXY header");
        }
        if (size_ < prefix_bytes) return Status::need_more;
        if (size_ == prefix_bytes) return take_prefix();
        extras_.take(byte);
        return size_ < length_ ? Status::need_more : take_header();
    }
    if (at < first_line.size()) {
        return byte == first_line[at] ? Status::need_more : fail("no PROXY header");
    }
    if (byte == '\n') return take_line();
    return size_ < line_bytes_max ? Status::need_more : fail("a PROXY line of more than 107 bytes");
}

// "PROXY TCP4 192.0.2.1 192.0.2.2 51000 443", "PROXY UNKNOWN" and anything behind it.
ProxyHeaderDecoder::Status ProxyHeaderDecoder::take_line() {
    std::string_view rest(kept_.data(), size_ - 1);
    if (!rest.ends_with('\r')) return fail("a PROXY line that does not end with CR LF");
    rest.remove_suffix(1);
    rest.remove_prefix(first_line.size());
    const std::string_view family = next_word(rest);
    if (family == "UNKNOWN") return Status::complete;
    if (family != "TCP4" && family != "TCP6") return fail("a PROXY line of an unknown family");
    const bool v4 = family == "TCP4";
    const std::string_view source = next_word(rest);
    const std::string_view destination = next_word(rest);
    const std::string_view source_port = next_word(rest);
    std::array<std::uint8_t, 16> ours{};
    std::uint16_t our_port = 0;
    const int kind = v4 ? AF_INET : AF_INET6;
    if (!parse_address(kind, source, peer_.address) || !parse_address(kind, destination, ours)) {
        return fail("a PROXY line whose addresses are none");
    }
    if (!parse_port(source_port, peer_.port) || !parse_port(rest, our_port)) {
        return fail("a PROXY line whose ports are none");
    }
    peer_.family = v4 ? ProxiedPeer::Family::v4 : ProxiedPeer::Family::v6;
    return Status::complete;
}

ProxyHeaderDecoder::Status ProxyHeaderDecoder::take_prefix() {
    const auto command = static_cast<unsigned char>(kept_[12]);
    if (command != 0x20 && command != 0x21) return fail("a PROXY header of an unknown version");
    length_ = prefix_bytes + number_at(kept_.data() + 14);
    if (length_ > proxy_header_bytes_max) return fail("a PROXY header of more than 4096 bytes");
    // What the proxy says of itself is discarded, whatever it is.
    const std::size_t extras_at =
        command == local ? length_ : prefix_bytes + address_bytes(kept_[13]);
    extras_.begin({kept_.data(), prefix_bytes}, extras_at, length_);
    return length_ == prefix_bytes ? take_addresses() : Status::need_more;
}

ProxyHeaderDecoder::Status ProxyHeaderDecoder::take_header() {
    const Status status = take_addresses();
    const std::string_view problem = extras_.problem();
    return status == Status::malformed || problem.empty() ? status : fail(problem);
}

ProxyHeaderDecoder::Status ProxyHeaderDecoder::take_addresses() {
    const auto family = static_cast<unsigned char>(kept_[13]);
    const std::size_t room = length_ - prefix_bytes;
    if (static_cast<unsigned char>(kept_[12]) == local) return Status::complete;
    const char* const source = kept_.data() + prefix_bytes;
    switch (family) {
        case 0x11:  // TCP over IPv4
            if (room < v4_bytes) return fail("a PROXY header too short for its addresses");
            std::copy_n(source, 4, peer_.address.begin());
            peer_.port = number_at(source + 8);
            peer_.family = ProxiedPeer::Family::v4;
            return Status::complete;
        case 0x21:  // TCP over IPv6
            if (room < v6_bytes) return fail("a PROXY header too short for its addresses");
            std::copy_n(source, 16, peer_.address.begin());
            peer_.port = number_at(source + 32);
            peer_.family = ProxiedPeer::Family::v6;
            return Status::complete;
        case 0x00:  // unspecified
        case 0x12:  // UDP
        case 0x22:
        case 0x31:  // Unix sockets
        case 0x32:
            return Status::complete;
        default:
            return fail("a PROXY header of an unknown family");
    }
}

}  // namespace parley::protocol
