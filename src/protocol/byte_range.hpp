// byte_range: which part of something a request asks for, and whether it has it already (RFC 9110,
// 13 and 14).
//
// Path:     FilesFrontend → [byte_range]
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   one range; several are answered by the whole.
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::protocol {

struct ByteRange {
    enum class Kind : std::uint8_t {
        whole,          // none is asked for, or one that is passed over
        part,           // `first` to `last`, inclusive
        unsatisfiable,  // none of its bytes is there
    };
    Kind kind = Kind::whole;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// What a Range header asks for of `size` bytes. Another unit, several ranges and what is no range are
// passed over (RFC 9110, 14.2).
[[nodiscard]] ByteRange parse_byte_range(std::string_view header, std::uint64_t size) noexcept;

// Whether If-None-Match names the strong tag `etag`, with its quotes: weak comparison.
[[nodiscard]] bool none_match_names(std::string_view if_none_match, std::string_view etag) noexcept;
// Whether a Range holds under If-Range: without one, or where it is that very tag. A date never is:
// no answer here gives one.
[[nodiscard]] bool if_range_holds(std::string_view if_range, std::string_view etag) noexcept;

}  // namespace parley::protocol
