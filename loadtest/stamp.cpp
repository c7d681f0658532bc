#include "loadtest/stamp.hpp"

#include <bit>
#include <cstring>

namespace parley::load {
namespace {

void append_hex(std::string& out, std::uint64_t value, unsigned digits) {
    for (unsigned i = digits; i-- > 0;) out.push_back("0123456789abcdef"[(value >> (4 * i)) & 15]);
}

// Every byte of a word.
constexpr std::uint64_t each(std::uint8_t byte) {
    return byte * std::uint64_t{0x0101010101010101};
}

// Eight lower-case hexadecimal digits at once, a byte of a word each. False where one is none.
bool read_hex8(const char* digits, std::uint32_t& value) {
    std::uint64_t text = 0;
    std::memcpy(&text, digits, sizeof text);
    if constexpr (std::endian::native == std::endian::big) text = __builtin_bswap64(text);
    std::uint64_t nibbles = (text & each(0x0f)) + ((text >> 6) & each(1)) * 9;
    // What was no digit is written otherwise, or was more than fifteen.
    const std::uint64_t letters = ((nibbles + each(6)) >> 4) & each(1);
    if (((nibbles & each(0xf0)) | ((nibbles + each('0') + letters * ('a' - '0' - 10)) ^ text)) !=
        0) {
        return false;
    }
    // Neighbours are joined: the first digit lies lowest and counts most.
    nibbles = (nibbles << 4 | nibbles >> 8) & 0x00ff00ff00ff00ff;
    nibbles = (nibbles << 8 | nibbles >> 16) & 0x0000ffff0000ffff;
    value = static_cast<std::uint32_t>(nibbles << 16 | nibbles >> 32);
    return true;
}

}  // namespace

void append_stamp(std::string& out, const Stamp& stamp) {
    out.append(stamp_marker);
    append_hex(out, static_cast<std::uint64_t>(stamp.intended_ns), 16);
    append_hex(out, stamp.publisher, 8);
    append_hex(out, stamp.sequence, 8);
}

std::optional<FoundStamp> find_stamp(std::string_view text, std::size_t from) {
    for (std::size_t at = from; (at = text.find(stamp_marker, at)) != std::string_view::npos;
         ++at) {
        if (text.size() - at < stamp_bytes) return std::nullopt;
        const char* const digits = text.data() + at + stamp_marker.size();
        std::uint32_t high = 0;
        std::uint32_t low = 0;
        Stamp stamp;
        if (read_hex8(digits, high) && read_hex8(digits + 8, low) &&
            read_hex8(digits + 16, stamp.publisher) && read_hex8(digits + 24, stamp.sequence)) {
            stamp.intended_ns = static_cast<std::int64_t>(std::uint64_t{high} << 32 | low);
            return FoundStamp{stamp, at + stamp_bytes};
        }
    }
    return std::nullopt;
}

}  // namespace parley::load
