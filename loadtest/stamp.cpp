#include "loadtest/stamp.hpp"

#include <array>

namespace parley::load {
namespace {

constexpr std::uint8_t not_hex = 0xff;

constexpr std::array<std::uint8_t, 256> make_hex_values() {
    std::array<std::uint8_t, 256> values{};
    values.fill(not_hex);
    for (std::uint8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = i;
    for (std::uint8_t i = 0; i < 6; ++i) {
        values[static_cast<std::size_t>('a' + i)] = static_cast<std::uint8_t>(10 + i);
    }
    return values;
}
constexpr std::array<std::uint8_t, 256> hex_values = make_hex_values();

void append_hex(std::string& out, std::uint64_t value, unsigned digits) {
    for (unsigned i = digits; i-- > 0;) out.push_back("0123456789abcdef"[(value >> (4 * i)) & 15]);
}

bool read_hex(std::string_view digits, std::uint64_t& value) {
    value = 0;
    for (const char c : digits) {
        const std::uint8_t nibble = hex_values[static_cast<unsigned char>(c)];
        if (nibble == not_hex) return false;
        value = value << 4 | nibble;
    }
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
        std::uint64_t intended = 0;
        std::uint64_t publisher = 0;
        std::uint64_t sequence = 0;
        if (read_hex(text.substr(at + 2, 16), intended) &&
            read_hex(text.substr(at + 18, 8), publisher) &&
            read_hex(text.substr(at + 26, 8), sequence)) {
            return FoundStamp{
                {static_cast<std::int64_t>(intended), static_cast<std::uint32_t>(publisher),
                 static_cast<std::uint32_t>(sequence)},
                at + stamp_bytes};
        }
    }
    return std::nullopt;
}

}  // namespace parley::load
