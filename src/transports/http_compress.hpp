// http_compress: an answer's content as gzip, where the client takes it and it pays.
//
// Path:     HttpConnection → [http_compress] → HttpResponse
// Runs on:  its shard.
// Owned by: nobody.
// Bounds:   one answer at a time; the compressor is the gate's.
#pragma once

#include <cstddef>
#include <string_view>

#include "protocol/gzip.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

// A smaller answer fits a segment or two as it is.
inline constexpr std::size_t gzip_bytes_min = 1024;

// True for media types of text, which are worth it.
[[nodiscard]] bool is_compressible(std::string_view content_type) noexcept;

// Compresses where `accept_encoding` asks for it, says so (Content-Encoding, Vary, and an ETag that
// is weak now), and gives back whether it did.
bool compress_answer(HttpResponse& response, std::string_view accept_encoding,
                     protocol::GzipEncoder& encoder);

}  // namespace parley::transports
