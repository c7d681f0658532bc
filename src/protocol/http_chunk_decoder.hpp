// HttpChunkDecoder: a body in chunks, framed as RFC 9112 has it, to the letter; what HttpHeadCheck
// is for the head.
//
// Path:     HttpParser → [HttpChunkDecoder] → the request's body
// Runs on:  any thread; no socket, no clock.
// Owned by: HttpParser.
// Bounds:   chunks below 4 GiB; 256 bytes behind a chunk's size. No buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::protocol {

class HttpChunkDecoder {
public:
    enum class Status : std::uint8_t {
        need_more,
        complete,  // the last chunk: the fields behind the body follow, up to an empty line
        refused,
    };
    struct Step {
        Status status;
        std::size_t consumed;
        std::string_view data;  // of the body, within the bytes that were given
    };

    // Takes bytes up to the end of one chunk's data at most; call it until nothing is left. Not
    // after complete or refused.
    [[nodiscard]] Step feed(std::string_view bytes) noexcept;
    // Bytes of the chunk under way that have still to come.
    [[nodiscard]] std::uint64_t left() const noexcept { return left_; }
    // Why it is refused.
    [[nodiscard]] std::string_view error() const noexcept { return error_; }

private:
    enum class State : std::uint8_t { size, extension, size_end, data, data_end, data_line_feed };

    Status take(char byte) noexcept;
    Status take_size(char byte) noexcept;
    Status take_extension(char byte) noexcept;
    Status refuse(std::string_view why) noexcept;

    State state_ = State::size;
    std::uint32_t digits_ = 0;
    std::uint32_t extension_ = 0;
    std::uint64_t left_ = 0;
    std::string_view error_;
};

}  // namespace parley::protocol
