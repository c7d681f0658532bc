// What a client says it takes: Accept and Accept-Encoding with their weights, and what its body is
// (RFC 9110, 8.3 and 12.5).
//
// Path:     frontend, HttpConnection → [http_negotiate]
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   the header's length; nothing is copied.
#pragma once

#include <string_view>

namespace parley::transports {

// True where an `Accept` header takes that media type ("application/json"): the most exact range
// that matches decides. True without the header.
[[nodiscard]] bool accepts_type(std::string_view accept, std::string_view type) noexcept;

// True where an `Accept-Encoding` header takes gzip and does not rather have the bytes as they are.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding) noexcept;

// The media type of a `Content-Type` header without its parameters: "application/json". Compare it
// in any case (protocol::equal_any_case).
[[nodiscard]] std::string_view media_type(std::string_view content_type) noexcept;

}  // namespace parley::transports
