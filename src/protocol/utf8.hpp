// Utf8Validator: UTF-8 checked as it comes, across any split (RFC 3629).
//
// Path:     WebSocketDecoder → [Utf8Validator]
// Runs on:  any thread; a value of 8 bytes or less.
// Owned by: a decoder.
// Bounds:   none needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::protocol {

class Utf8Validator {
public:
    // False as soon as a byte can't belong to valid UTF-8 (overlong forms, surrogates and anything
    // above U+10FFFF included), at that byte and not at the end of its sequence. ASCII runs are
    // skipped eight bytes or more at a time.
    [[nodiscard]] bool feed(std::string_view bytes) noexcept;
    // True where the text may end here.
    [[nodiscard]] bool complete() const noexcept { return state_ == 0; }
    void reset() noexcept { state_ = 0; }

private:
    std::uint32_t state_ = 0;
};

[[nodiscard]] bool is_valid_utf8(std::string_view bytes) noexcept;

// The first `bytes_max` bytes of a valid text, or a few fewer, so that no character is split.
[[nodiscard]] std::string_view whole_characters(std::string_view text,
                                                std::size_t bytes_max) noexcept;

}  // namespace parley::protocol
