// media_types: what a file is by its first bytes, whether that agrees with what it is said to be, and
// what of it a browser may show in place.
//
// Path:     DiskFileStore → [media_types] ← FilesFrontend
// Runs on:  any thread; pure functions and a table.
// Owned by: nobody.
// Bounds:   sniff_bytes are looked at; of text all is.
#pragma once

#include <cstddef>
#include <string_view>

#include "protocol/utf8.hpp"

namespace parley::protocol {

// What is known of a file whose bytes say nothing.
inline constexpr std::string_view octet_stream = "application/octet-stream";
// So many of a file's first bytes tell what it is; the whole file where that is shorter.
inline constexpr std::size_t sniff_bytes = 512;

// The media type that a file's first bytes have, a constant: one of png, jpeg, gif, webp, avif, pdf,
// mp4, webm, mp3, ogg, zip and plain UTF-8 text; empty for anything else.
[[nodiscard]] std::string_view sniff_media_type(std::string_view first) noexcept;

// Whether a browser may show that type in place: pictures, video and sound whose bytes were
// recognised, and nothing that can hold a script.
[[nodiscard]] bool is_shown_inline(std::string_view type) noexcept;

// What a file is kept as, which is a constant; or that it is not what it is said to be.
struct MediaVerdict {
    std::string_view type;
    bool contradicts = false;
};
// `declared` is a media type without parameters, in any case; empty, application/octet-stream and
// what curl says unasked declare nothing. A declared type that these bytes can't prove, like
// text/html or a word processor's, is kept as application/octet-stream.
[[nodiscard]] MediaVerdict judge_media_type(std::string_view declared,
                                            std::string_view sniffed) noexcept;

// "image/png", in any case and without parameters; no longer than any that is registered.
[[nodiscard]] bool is_media_type(std::string_view text) noexcept;
// "*", "image/*" or "image/png", in lower case.
[[nodiscard]] bool is_media_pattern(std::string_view text) noexcept;
[[nodiscard]] bool media_matches(std::string_view pattern, std::string_view type) noexcept;

// Whether a file is plain text to its end: UTF-8 without control characters but for blanks.
class TextCheck {
public:
    // False from the first byte on that belongs to no text.
    bool feed(std::string_view bytes) noexcept;
    // True where it may end here.
    [[nodiscard]] bool complete() const noexcept { return well_ && utf8_.complete(); }

private:
    Utf8Validator utf8_;
    bool well_ = true;
};

}  // namespace parley::protocol
