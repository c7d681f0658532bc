// gzip: bytes as one gzip member (RFC 1952), for Content-Encoding.
//
// Path:     HttpConnection → [gzip] → answer
// Runs on:  one thread at a time.
// Owned by: Gate, one of each shard: a compressor is 256 KiB, which no connection need have.
// Bounds:   deflateBound() of what it is given.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace parley::protocol {

class GzipEncoder {
public:
    // 1 is fast, 9 is small. Throws std::bad_alloc.
    explicit GzipEncoder(int level = 5);
    ~GzipEncoder();
    GzipEncoder(const GzipEncoder&) = delete;
    GzipEncoder& operator=(const GzipEncoder&) = delete;

    [[nodiscard]] std::string encode(std::string_view bytes);

private:
    std::unique_ptr<z_stream_s> stream_;
};

}  // namespace parley::protocol
