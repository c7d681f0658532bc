// The writing half of websocket_frame.hpp: headers, frames, masks and close codes.
#include <algorithm>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "protocol/websocket_frame.hpp"

namespace parley::protocol {
namespace {

constexpr std::size_t close_reason_bytes_max = 123;
constexpr std::uint16_t no_code = 1005;

void append_masked(std::string& out, std::string_view payload, const MaskKey* mask) {
    const std::size_t begin = out.size();
    out.append(payload);
    if (mask != nullptr) apply_mask(std::span(out).subspan(begin), *mask);
}

// At most `bytes_max` bytes of a text, not cutting a character in two.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t length = bytes_max;
    while (length > 0 && (static_cast<std::uint8_t>(text[length]) & 0xC0) == 0x80) --length;
    return text.substr(0, length);
}

}  // namespace

void append_frame_header(std::string& out, Opcode opcode, std::uint64_t length, bool fin, bool rsv1,
                         const MaskKey* mask) {
    std::array<std::uint8_t, frame_header_bytes_max> header;
    std::size_t size = 0;
    header[size++] = static_cast<std::uint8_t>((fin ? 0x80U : 0U) | (rsv1 ? 0x40U : 0U) |
                                               static_cast<unsigned>(opcode));
    const std::uint8_t mask_bit = mask != nullptr ? 0x80 : 0;
    int field_bits = 0;
    if (length <= 125) {
        header[size++] = static_cast<std::uint8_t>(mask_bit | length);
    } else {
        field_bits = length <= 0xFFFF ? 16 : 64;
        header[size++] = static_cast<std::uint8_t>(mask_bit | (field_bits == 16 ? 126 : 127));
    }
    while (field_bits > 0) {
        field_bits -= 8;
        header[size++] = static_cast<std::uint8_t>(length >> field_bits);
    }
    if (mask != nullptr) {
        std::memcpy(header.data() + size, mask->data(), mask->size());
        size += mask->size();
    }
    out.append(reinterpret_cast<const char*>(header.data()), size);
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload, bool rsv1,
                  const MaskKey* mask) {
    append_frame_header(out, opcode, payload.size(), true, rsv1, mask);
    append_masked(out, payload, mask);
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason,
                        const MaskKey* mask) {
    std::array<char, 2 + close_reason_bytes_max> payload;
    std::size_t size = 0;
    if (code != no_code) {
        payload[0] = static_cast<char>(code >> 8);
        payload[1] = static_cast<char>(code & 0xFF);
        const std::string_view cut = cut_utf8(reason, close_reason_bytes_max);
        std::copy(cut.begin(), cut.end(), payload.begin() + 2);
        size = 2 + cut.size();
    }
    append_frame(out, Opcode::close, {payload.data(), size}, false, mask);
}

unsigned apply_mask(std::span<char> bytes, const MaskKey& key, unsigned phase) noexcept {
    // The key as it lies from `phase` on, twice: whole blocks keep the phase.
    std::array<std::uint8_t, 8> pattern;
    for (unsigned i = 0; i < pattern.size(); ++i) pattern[i] = key[(phase + i) % key.size()];
    std::uint64_t pattern8;
    std::memcpy(&pattern8, pattern.data(), sizeof pattern8);

    char* at = bytes.data();
    std::size_t left = bytes.size();
#if defined(__SSE2__)
    const __m128i pattern16 = _mm_set1_epi64x(static_cast<long long>(pattern8));
    const auto mask_block = [pattern16](char* block) {
        auto* const place = reinterpret_cast<__m128i*>(block);
        _mm_storeu_si128(place, _mm_xor_si128(_mm_loadu_si128(place), pattern16));
    };
    for (; left >= 64; at += 64, left -= 64) {
        mask_block(at);
        mask_block(at + 16);
        mask_block(at + 32);
        mask_block(at + 48);
    }
    for (; left >= 16; at += 16, left -= 16) mask_block(at);
#endif
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t block;
        std::memcpy(&block, at, sizeof block);
        block ^= pattern8;
        std::memcpy(at, &block, sizeof block);
    }
    for (std::size_t i = 0; i < left; ++i) {
        at[i] = static_cast<char>(static_cast<std::uint8_t>(at[i]) ^ pattern[i]);
    }
    return static_cast<unsigned>((phase + bytes.size()) % key.size());
}

bool is_valid_close_code(std::uint16_t code) noexcept {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

}  // namespace parley::protocol
