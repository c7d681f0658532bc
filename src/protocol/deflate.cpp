#include "protocol/deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <stdexcept>

namespace parley::protocol {
namespace {

// What Z_SYNC_FLUSH ends with and RFC 7692, 7.2.1 takes off.
constexpr std::string_view sync_tail{"\x00\x00\xff\xff", 4};
constexpr std::size_t output_step_min = 256;
constexpr std::size_t zlib_length_max = std::numeric_limits<uInt>::max();

// zlib asks for a mutable pointer and only reads from it.
Bytef* input(const char* bytes) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(bytes));
}
Bytef* output(char* bytes) {
    return reinterpret_cast<Bytef*>(bytes);
}

void require_ok(int code, const char* what) {
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code != Z_OK) throw std::invalid_argument(what);
}

}  // namespace

// ---- Deflater --------------------------------------------------------------------------------

struct Deflater::Stream {
    z_stream z{};
    bool context_takeover;

    Stream(int window_bits, int level, bool takeover) : context_takeover(takeover) {
        // Raw deflate (a negative window); 8 is zlib's own default for its memory level.
        require_ok(deflateInit2(&z, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY),
                   "Deflater: window_bits must be 9 to 15 and level 1 to 9");
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { deflateEnd(&z); }
};

Deflater::Deflater(int window_bits, int level, bool context_takeover)
    : stream_(std::make_unique<Stream>(window_bits, level, context_takeover)) {}
Deflater::~Deflater() = default;
Deflater::Deflater(Deflater&&) noexcept = default;
Deflater& Deflater::operator=(Deflater&&) noexcept = default;

void Deflater::compress(std::string& out, std::string_view message) {
    // zlib refuses a second flush with nothing between; an empty block is what RFC 7692, 7.2.3.6
    // sends for an empty message.
    if (message.empty()) {
        out.push_back('\0');
        return;
    }
    z_stream& z = stream_->z;
    std::size_t used = out.size();
    do {
        const std::size_t piece = std::min(message.size(), zlib_length_max);
        z.next_in = input(message.data());
        z.avail_in = static_cast<uInt>(piece);
        message.remove_prefix(piece);
        const int flush = message.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH;
        do {
            const std::size_t room = std::max<std::size_t>(output_step_min, z.avail_in / 2 + 64);
            out.resize(used + room);
            z.next_out = output(out.data() + used);
            z.avail_out = static_cast<uInt>(room);
            // Z_BUF_ERROR only says that the flush had ended exactly with the room.
            ::deflate(&z, flush);
            used += room - z.avail_out;
        } while (z.avail_out == 0);
    } while (!message.empty());
    out.resize(used - sync_tail.size());
    if (!stream_->context_takeover) deflateReset(&z);
}

// ---- Inflater --------------------------------------------------------------------------------

struct Inflater::Stream {
    z_stream z{};
    bool context_takeover;
    bool any_input = false;  // of the message at hand
    bool at_end = false;     // the last thing read was the end of a block with BFINAL

    Stream(int window_bits, bool takeover) : context_takeover(takeover) {
        // A peer that agreed to 8 may be zlib's, which then uses 9.
        require_ok(inflateInit2(&z, -std::max(window_bits, 9)),
                   "Inflater: window_bits must be 8 to 15");
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() { inflateEnd(&z); }

    Status run(std::string& out, std::string_view piece, std::size_t out_bytes_max);
    Status step(std::string& out, std::size_t out_bytes_max, bool& room_left);
};

// One call of zlib. One byte more than allowed is given room, so that a message of exactly
// `out_bytes_max` is told from a longer one.
Inflater::Status Inflater::Stream::step(std::string& out, std::size_t out_bytes_max,
                                        bool& room_left) {
    const std::size_t used = out.size();
    const std::size_t wanted = std::max<std::size_t>(output_step_min, std::size_t{z.avail_in} * 4);
    const std::size_t room =
        std::min({wanted, out_bytes_max - std::min(used, out_bytes_max) + 1, zlib_length_max});
    out.resize(used + room);
    z.next_out = output(out.data() + used);
    z.avail_out = static_cast<uInt>(room);
    const int code = ::inflate(&z, Z_SYNC_FLUSH);
    room_left = z.avail_out != 0;
    out.resize(std::min(used + room - z.avail_out, out_bytes_max));
    if (used + room - z.avail_out > out_bytes_max) return Status::too_large;
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return Status::malformed;
    if (code == Z_STREAM_END) {
        // What follows a final block begins at the next byte and may look back over it
        // (RFC 7692, 7.2.3.5).
        inflateResetKeep(&z);
        at_end = true;
    }
    return Status::ok;
}

Inflater::Status Inflater::Stream::run(std::string& out, std::string_view piece,
                                       std::size_t out_bytes_max) {
    while (!piece.empty()) {
        const std::size_t length = std::min(piece.size(), zlib_length_max);
        z.next_in = input(piece.data());
        z.avail_in = static_cast<uInt>(length);
        piece.remove_prefix(length);
        // Output may be due although all input is taken: only room left over says that it isn't.
        for (bool room_left = false; z.avail_in != 0 || !room_left;) {
            if (z.avail_in != 0) at_end = false;
            if (const Status status = step(out, out_bytes_max, room_left); status != Status::ok) {
                return status;
            }
            if (at_end && z.avail_in == 0) break;
        }
    }
    return Status::ok;
}

Inflater::Inflater(int window_bits, bool context_takeover)
    : stream_(std::make_unique<Stream>(window_bits, context_takeover)) {}
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

Inflater::Status Inflater::feed(std::string& out, std::string_view piece,
                                std::size_t out_bytes_max) {
    if (piece.empty()) return Status::ok;
    stream_->any_input = true;
    return stream_->run(out, piece, out_bytes_max);
}

Inflater::Status Inflater::finish(std::string& out, std::size_t out_bytes_max) {
    Stream& stream = *stream_;
    Status status = Status::ok;
    // A sender whose flush had nothing to add sends nothing at all, and one that ended with BFINAL
    // may leave out the empty block after it: both are complete as they are.
    if (stream.any_input && !stream.at_end) {
        status = stream.run(out, sync_tail, out_bytes_max);
        // zlib's sign that it stands between two blocks.
        constexpr int between_blocks = 128;
        if (status == Status::ok && !stream.at_end && (stream.z.data_type & between_blocks) == 0) {
            status = Status::malformed;
        }
    }
    stream.any_input = false;
    stream.at_end = false;
    if (!stream.context_takeover) inflateReset(&stream.z);
    return status;
}

}  // namespace parley::protocol
