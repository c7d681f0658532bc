#include "protocol/gzip.hpp"

#include <zlib.h>

#include <new>

namespace parley::protocol {
namespace {

// zlib's word for a gzip wrapper around the largest window.
constexpr int gzip_window_bits = 15 + 16;
constexpr int memory_level = 8;

Bytef* bytes_of(const char* text) {
    // zlib reads from where next_in points, though its type says otherwise.
    return reinterpret_cast<Bytef*>(const_cast<char*>(text));
}

}  // namespace

GzipEncoder::GzipEncoder(int level) : stream_(std::make_unique<z_stream>()) {
    if (deflateInit2(stream_.get(), level, Z_DEFLATED, gzip_window_bits, memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::bad_alloc();
    }
}

GzipEncoder::~GzipEncoder() {
    deflateEnd(stream_.get());
}

std::string GzipEncoder::encode(std::string_view bytes) {
    deflateReset(stream_.get());
    std::string out;
    out.resize(deflateBound(stream_.get(), bytes.size()));
    stream_->next_in = bytes_of(bytes.data());
    stream_->avail_in = static_cast<uInt>(bytes.size());
    stream_->next_out = bytes_of(out.data());
    stream_->avail_out = static_cast<uInt>(out.size());
    // There is room for all of it: one call ends it.
    deflate(stream_.get(), Z_FINISH);
    out.resize(stream_->total_out);
    return out;
}

}  // namespace parley::protocol
