#include "protocol/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::protocol {
namespace {

using Family = ProxiedPeer::Family;
using ProxyStatus = ProxyHeaderDecoder::Status;

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string version_2(unsigned char command, unsigned char family, std::string_view addresses) {
    std::string out = signature;
    out.push_back(static_cast<char>(command));
    out.push_back(static_cast<char>(family));
    out.push_back(static_cast<char>(addresses.size() >> 8U));
    out.push_back(static_cast<char>(addresses.size() & 0xFFU));
    return out.append(addresses);
}

const std::string v4_addresses("\xC0\x00\x02\x01\xC0\x00\x02\x02\xC7\x38\x01\xBB", 12);
const std::string v6_addresses = std::string("\x20\x01\x0D\xB8", 4) + std::string(11, '\0') +
                                 '\x01' + std::string(16, '\x02') +
                                 std::string("\xC7\x38\x01\xBB", 4);

// Something that a proxy adds: its type, and what it says.
std::string extra(char type, std::string_view value) {
    std::string out{type, static_cast<char>(value.size() >> 8U), static_cast<char>(value.size())};
    return out.append(value);
}

// Bit by bit, as RFC 9260 has it in appendix A.
std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t sum = 0xFFFF'FFFF;
    for (const char byte : bytes) {
        sum ^= static_cast<std::uint8_t>(byte);
        for (int bit = 0; bit < 8; ++bit) sum = sum >> 1U ^ ((sum & 1U) != 0 ? 0x82F6'3B78U : 0U);
    }
    return ~sum;
}

// The header with those extras, of which the one of type 3 is the checksum of it all.
std::string with_checksum(unsigned char family, std::string_view addresses, std::string_view before,
                          std::string_view behind) {
    std::string header = version_2(0x21, family,
                                   std::string(addresses) + std::string(before) +
                                       extra(3, std::string(4, '\0')) + std::string(behind));
    const std::uint32_t sum = crc32c(header);
    const std::size_t at = header.size() - behind.size() - 4;
    for (unsigned i = 0; i < 4; ++i) header[at + i] = static_cast<char>(sum >> (24 - 8 * i));
    return header;
}

struct Good {
    std::string_view what;
    std::string header;
    Family family;
    std::vector<std::uint8_t> address;
    std::uint16_t port;
};

std::vector<Good> good_headers() {
    const std::vector<std::uint8_t> v4{192, 0, 2, 1};
    const std::vector<std::uint8_t> v6{0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return {
        {"v1 IPv4", "PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\n", Family::v4, v4, 51000},
        {"v1 IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 51000 443\r\n", Family::v6, v6, 51000},
        {"v1 port 0", "PROXY TCP4 192.0.2.1 192.0.2.2 0 0\r\n", Family::v4, v4, 0},
        {"v1 unknown", "PROXY UNKNOWN\r\n", Family::none, {}, 0},
        {"v1 unknown, the longest line",
         "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         Family::none,
         {},
         0},
        {"v2 IPv4", version_2(0x21, 0x11, v4_addresses), Family::v4, v4, 51000},
        {"v2 IPv4 and more", version_2(0x21, 0x11, v4_addresses + extra(4, std::string(300, 'x'))),
         Family::v4, v4, 51000},
        {"v2 IPv4 and its checksum", with_checksum(0x11, v4_addresses, {}, {}), Family::v4, v4,
         51000},
        {"v2 IPv6 and its checksum among others",
         with_checksum(0x21, v6_addresses, extra(4, {}) + extra(1, "http/1.1"), extra(5, "id")),
         Family::v6, v6, 51000},
        {"v2 UDP and its checksum", with_checksum(0x22, v6_addresses, {}, {}), Family::none, {}, 0},
        {"v2 Unix and its checksum",
         with_checksum(0x31, std::string(216, 'u'), extra(2, "a.example"), {}),
         Family::none,
         {},
         0},
        {"v2 the proxy itself, with what is no checksum",
         version_2(0x20, 0x00, extra(3, "none")),
         Family::none,
         {},
         0},
        {"v2 IPv6", version_2(0x21, 0x21, v6_addresses), Family::v6, v6, 51000},
        {"v2 the proxy itself", version_2(0x20, 0x00, {}), Family::none, {}, 0},
        {"v2 the proxy itself, with addresses",
         version_2(0x20, 0x11, v4_addresses),
         Family::none,
         {},
         0},
        {"v2 unspecified", version_2(0x21, 0x00, extra(4, "a")), Family::none, {}, 0},
        {"v2 Unix", version_2(0x21, 0x31, std::string(216, 'u')), Family::none, {}, 0},
        {"v2 UDP", version_2(0x21, 0x12, v4_addresses), Family::none, {}, 0},
        {"v2 as long as may be",
         version_2(0x21, 0x11,
                   v4_addresses + extra(4, std::string(proxy_header_bytes_max - 16 - 12 - 3, 'x'))),
         Family::v4, v4, 51000},
    };
}

TEST(ProxyHeaderDecoder, TakesTheHeaderAndNothingBehindItAtEverySplit) {
    const std::string behind = "GET / HTTP/1.1\r\n";
    for (const Good& good : good_headers()) {
        SCOPED_TRACE(good.what);
        const std::string all = good.header + behind;
        const std::size_t step = good.header.size() > 500 ? 97 : 1;
        for (std::size_t cut = 0; cut <= all.size(); cut += step) {
            ProxyHeaderDecoder decoder;
            auto first = decoder.feed(std::string_view(all).substr(0, cut));
            std::size_t consumed = first.consumed;
            if (first.status == ProxyStatus::need_more) {
                ASSERT_EQ(consumed, cut);
                first = decoder.feed(std::string_view(all).substr(cut));
                consumed += first.consumed;
            }
            ASSERT_EQ(first.status, ProxyStatus::complete) << cut << decoder.error();
            ASSERT_EQ(consumed, good.header.size()) << cut;
            ASSERT_EQ(decoder.peer().family, good.family);
            ASSERT_EQ(decoder.peer().port, good.port);
            for (std::size_t i = 0; i < good.address.size(); ++i) {
                ASSERT_EQ(decoder.peer().address[i], good.address[i]) << i;
            }
        }
    }
}

TEST(ProxyHeaderDecoder, WaitsForTheRestOfEveryBeginning) {
    for (const Good& good : good_headers()) {
        SCOPED_TRACE(good.what);
        for (std::size_t size = 0; size < good.header.size(); ++size) {
            ProxyHeaderDecoder decoder;
            const auto step = decoder.feed(std::string_view(good.header).substr(0, size));
            ASSERT_EQ(step.status, ProxyStatus::need_more) << size;
        }
    }
}

TEST(ProxyHeaderDecoder, RefusesWhatIsNoHeader) {
    struct Bad {
        std::string_view what;
        std::string header;
    };
    for (const Bad& bad : {
             Bad{"HTTP at once", "GET / HTTP/1.1\r\n"},
             Bad{"another word", "PROXI TCP4 "},
             Bad{"lower case", "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"},
             Bad{"no family", "PROXY \r\n"},
             Bad{"another family", "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n"},
             Bad{"LF alone", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"},
             Bad{"an address of the other family", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"},
             Bad{"the other way round", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"},
             Bad{"no address", "PROXY TCP4 here there 1 2\r\n"},
             Bad{"an address of five parts", "PROXY TCP4 1.2.3.4.5 192.0.2.2 1 2\r\n"},
             Bad{"a missing port", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"},
             Bad{"a port too large", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 1\r\n"},
             Bad{"a port with a sign", "PROXY TCP4 192.0.2.1 192.0.2.2 +1 1\r\n"},
             Bad{"a port with a leading zero", "PROXY TCP4 192.0.2.1 192.0.2.2 01 1\r\n"},
             Bad{"two blanks", "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"},
             Bad{"a word too many", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"},
             Bad{"a line too long", "PROXY UNKNOWN " + std::string(100, 'x')},
             Bad{"a broken signature", std::string("\r\n\r\n\0\r\nQUIX", 11)},
             Bad{"version 1 in version 2", version_2(0x11, 0x11, v4_addresses)},
             Bad{"version 3", version_2(0x31, 0x11, v4_addresses)},
             Bad{"another command", version_2(0x22, 0x11, v4_addresses)},
             Bad{"another family", version_2(0x21, 0x41, v4_addresses)},
             Bad{"another protocol", version_2(0x21, 0x13, v4_addresses)},
             Bad{"too short for IPv4", version_2(0x21, 0x11, v4_addresses.substr(0, 11))},
             Bad{"nothing for IPv4", version_2(0x21, 0x11, {})},
             Bad{"too short for IPv6", version_2(0x21, 0x21, v4_addresses)},
             Bad{"half an extra",
                 version_2(0x21, 0x11, v4_addresses + extra(4, "ab").substr(0, 4))},
             Bad{"the beginning of an extra", version_2(0x21, 0x11, v4_addresses + "\x04")},
             Bad{"a checksum of 3 bytes", version_2(0x21, 0x11, v4_addresses + extra(3, "abc"))},
             Bad{"a checksum of 5 bytes", version_2(0x21, 0x11, v4_addresses + extra(3, "abcde"))},
             Bad{"two checksums", with_checksum(0x11, v4_addresses, extra(3, "abcd"), {})},
             Bad{"too long", version_2(0x21, 0x11, std::string(proxy_header_bytes_max - 15, 'x'))},
         }) {
        SCOPED_TRACE(bad.what);
        for (std::size_t cut = 0; cut <= std::min<std::size_t>(bad.header.size(), 200); ++cut) {
            ProxyHeaderDecoder decoder;
            auto step = decoder.feed(std::string_view(bad.header).substr(0, cut));
            if (step.status == ProxyStatus::need_more) {
                step = decoder.feed(std::string_view(bad.header).substr(cut));
            }
            ASSERT_EQ(step.status, ProxyStatus::malformed) << cut;
            ASSERT_FALSE(decoder.error().empty());
        }
    }
}

TEST(ProxyHeaderDecoder, RefusesAHeaderWithAChecksumOfWhichAnyBitWasChanged) {
    ASSERT_EQ(crc32c("123456789"), 0xE306'9283U) << "the check value that everybody gives";
    const std::string header = with_checksum(0x11, v4_addresses, extra(1, "h2"), extra(5, "id"));
    // The signature, version, family and length are judged by themselves.
    for (std::size_t at = 16; at < header.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string changed = header;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            ProxyHeaderDecoder decoder;
            const auto step = decoder.feed(changed);
            // A checksum whose type was changed is none.
            const bool no_checksum = at == header.size() - 5 - 7;
            ASSERT_EQ(step.status, no_checksum ? ProxyStatus::complete : ProxyStatus::malformed)
                << at << ", bit " << bit;
        }
    }
}

}  // namespace
}  // namespace parley::protocol
