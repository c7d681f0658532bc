// Raw DEFLATE of single messages as permessage-deflate frames them (RFC 7692, 7.2; RFC 1951), over
// zlib.
//
// Path:     Publication → [Deflater] → Frame; Stream → WebSocketDecoder → [Inflater]
// Runs on:  one thread at a time each.
// Owned by: a thread (Deflater), a decoder in the middle of a compressed message (Inflater).
// Bounds:   Inflater stops at the caller's output bound: a bomb costs that much and no more.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace parley::protocol {

class Deflater {
public:
    // window_bits 9 to 15; level 1 to 9. Throws std::bad_alloc, std::invalid_argument.
    explicit Deflater(int window_bits, int level = 6, bool context_takeover = false);
    ~Deflater();
    Deflater(Deflater&&) noexcept;
    Deflater& operator=(Deflater&&) noexcept;
    // Appends the compressed message without the trailing 00 00 ff ff; one zero byte for an empty
    // message. Without context takeover each message stands alone.
    void compress(std::string& out, std::string_view message);

private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
};

class Inflater {
public:
    enum class Status { ok, malformed, too_large };
    // window_bits 8 to 15: at least the peer's; 15 fits every peer. Throws std::bad_alloc,
    // std::invalid_argument.
    explicit Inflater(int window_bits, bool context_takeover = false);
    ~Inflater();
    Inflater(Inflater&&) noexcept;
    Inflater& operator=(Inflater&&) noexcept;
    // Appends what a piece of a message inflates to; may be called as pieces come. Stops with
    // too_large where `out` would grow past `out_bytes_max`.
    [[nodiscard]] Status feed(std::string& out, std::string_view piece, std::size_t out_bytes_max);
    // Ends the message: takes the implied 00 00 ff ff and forgets the window unless taken over.
    // malformed where the message stops within a block.
    [[nodiscard]] Status finish(std::string& out, std::size_t out_bytes_max);

private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
};

}  // namespace parley::protocol
