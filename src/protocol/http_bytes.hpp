// http_bytes: which bytes may be part of what in HTTP, as one table.
//
// Path:     HttpHeadCheck, HttpChunkDecoder → [http_bytes]
// Runs on:  any thread; a constant.
// Owned by: nobody.
// Bounds:   256 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace parley::protocol {

// What a byte may be part of (RFC 9110, 5.6.2 and 5.5; RFC 3986 for targets, to which what is not
// ASCII is added: browsers and curl send it as it is).
inline constexpr std::uint8_t token_byte = 1;
inline constexpr std::uint8_t target_byte = 2;
inline constexpr std::uint8_t text_byte = 4;
inline constexpr std::uint8_t hex_byte = 8;
inline constexpr std::uint8_t host_byte = 16;

namespace detail {
constexpr std::array<std::uint8_t, 256> make_http_classes() {
    std::array<std::uint8_t, 256> classes{};
    for (unsigned c = 0; c < 256; ++c) {
        const bool digit = c >= '0' && c <= '9';
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
        const bool mark = c != 0 && marks.find(static_cast<char>(c)) != std::string_view::npos;
        const bool visible = c > 0x20 && c != 0x7F;
        constexpr std::string_view host_marks = "-._~%!$&'()*+;=";
        const bool host_mark =
            c != 0 && host_marks.find(static_cast<char>(c)) != std::string_view::npos;
        auto& of = classes[c];
        if (digit || letter || host_mark) of |= host_byte;
        if (digit || letter || mark) of |= token_byte;
        // A fragment is never sent.
        if (visible && c != '#') of |= target_byte;
        if (visible || c == ' ' || c == '\t') of |= text_byte;
        if (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) of |= hex_byte;
    }
    return classes;
}
inline constexpr auto http_classes = make_http_classes();
}  // namespace detail

// is_http<token_byte>(c): whether the byte may be part of that.
template <std::uint8_t what>
[[nodiscard]] constexpr bool is_http(char byte) noexcept {
    return (detail::http_classes[static_cast<unsigned char>(byte)] & what) != 0;
}

// One of the 64 characters of RFC 4648, 4.
[[nodiscard]] constexpr bool is_base64(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

}  // namespace parley::protocol
