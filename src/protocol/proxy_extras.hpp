// ProxyExtras: what a PROXY header of version 2 may say behind its addresses, each thing with its
// type and length. Of them the checksum counts here; all others are passed over.
//
// Path:     ProxyHeaderDecoder → [ProxyExtras]
// Runs on:  any thread; no socket, no clock.
// Owned by: ProxyHeaderDecoder.
// Bounds:   none: nothing is kept.
#pragma once

#include <boost/crc.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::protocol {

class ProxyExtras {
public:
    // Begins with the bytes ahead of the addresses. The extras begin at that offset of the header,
    // which has `total` bytes; beyond it: there are none.
    void begin(std::string_view prefix, std::size_t extras_at, std::size_t total);
    // The next byte of the header.
    void take(char byte);
    // After the last byte: what is wrong, or nothing. A checksum must be that of the header with its
    // own four bytes zero (CRC32c, RFC 9260, appendix A).
    [[nodiscard]] std::string_view problem() const;

private:
    // Takes a byte of an extra; true where it is one of the checksum itself.
    bool take_extra(std::size_t within, std::uint8_t byte);

    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFF'FFFF, 0xFFFF'FFFF, true, true> sum_;
    std::size_t at_ = 0;
    std::size_t total_ = 0;
    std::size_t extra_at_ = 0;  // where the current one begins
    std::size_t length_ = 0;    // of its value
    std::uint8_t type_ = 0;
    std::uint8_t checksums_ = 0;
    std::uint32_t told_ = 0;  // the checksum
    std::string_view problem_;
};

}  // namespace parley::protocol
