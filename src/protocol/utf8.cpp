#include "protocol/utf8.hpp"

#include <cstddef>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace parley::protocol {
namespace {

// A state that is not 0 says which byte may come next and how many are still to come:
// bits 0 to 7 how many, 8 to 15 the lowest next byte, 16 to 23 the highest.
constexpr std::uint32_t expect(std::uint32_t count, std::uint32_t lowest = 0x80,
                               std::uint32_t highest = 0xBF) {
    return count | (lowest << 8) | (highest << 16);
}

constexpr std::uint32_t bad = 0xFFFFFFFF;

// The narrower ranges after E0, ED, F0 and F4 are what keeps out overlong forms, surrogates and
// what lies above U+10FFFF (RFC 3629, section 4).
constexpr std::uint32_t after_lead(std::uint8_t lead) {
    if (lead < 0x80) return 0;
    if (lead < 0xC2) return bad;
    if (lead < 0xE0) return expect(1);
    if (lead == 0xE0) return expect(2, 0xA0);
    if (lead == 0xED) return expect(2, 0x80, 0x9F);
    if (lead < 0xF0) return expect(2);
    if (lead == 0xF0) return expect(3, 0x90);
    if (lead < 0xF4) return expect(3);
    if (lead == 0xF4) return expect(3, 0x80, 0x8F);
    return bad;
}

constexpr std::uint32_t after(std::uint32_t state, std::uint8_t byte) {
    if (state == 0) return after_lead(byte);
    if (byte < ((state >> 8) & 0xFF) || byte > ((state >> 16) & 0xFF)) return bad;
    const std::uint32_t left = (state & 0xFF) - 1;
    return left == 0 ? 0 : expect(left);
}

// The first byte that is not ASCII, or some ASCII byte less than a block before `end`.
const char* skip_ascii(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        const auto high = static_cast<unsigned>(
            _mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
        if (high != 0) return at + __builtin_ctz(high);
    }
#endif
    for (; end - at >= 8; at += 8) {
        std::uint64_t block;
        std::memcpy(&block, at, sizeof block);
        if ((block & 0x8080808080808080U) != 0) break;
    }
    return at;
}

}  // namespace

bool Utf8Validator::feed(std::string_view bytes) noexcept {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    std::uint32_t state = state_;
    while (at != end) {
        if (state == 0 && static_cast<std::uint8_t>(*at) < 0x80) {
            at = skip_ascii(at, end);
            while (at != end && static_cast<std::uint8_t>(*at) < 0x80) ++at;
            continue;
        }
        state = after(state, static_cast<std::uint8_t>(*at++));
        if (state == bad) return false;
    }
    state_ = state;
    return true;
}

bool is_valid_utf8(std::string_view bytes) noexcept {
    Utf8Validator validator;
    return validator.feed(bytes) && validator.complete();
}

std::string_view whole_characters(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end);
}

}  // namespace parley::protocol
