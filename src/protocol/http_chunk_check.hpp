// HttpChunkCheck: whether a body in chunks is framed as RFC 9112 has it, to the letter; what
// HttpHeadCheck is for the head.
//
// Path:     HttpParser → [HttpChunkCheck], then Beast
// Runs on:  any thread; no socket, no clock.
// Owned by: HttpParser.
// Bounds:   chunks below 4 GiB; 256 bytes behind a chunk's size; fields behind the body as the
//           head's HttpHeadLimits have them. No buffer.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/http_head_check.hpp"

namespace parley::protocol {

// What lies between the bytes of a body in chunks: sizes, line ends, and the fields behind it. It
// follows the framing to the letter; the bytes themselves are Beast's to take.
class HttpChunkCheck {
public:
    using Status = HttpHeadCheck::Status;
    using Step = HttpHeadCheck::Step;

    [[nodiscard]] Step feed(std::string_view bytes, const HttpHeadLimits& limits) noexcept;
    [[nodiscard]] unsigned status() const noexcept;
    [[nodiscard]] std::string_view error() const noexcept;

private:
    enum class State : std::uint8_t {
        size,
        extension,
        size_end,
        data,
        data_end,
        data_line_feed,
        trailer
    };

    Status take(char byte) noexcept;
    Status take_size(char byte) noexcept;
    Status refuse(std::string_view why) noexcept;

    State state_ = State::size;
    std::uint32_t digits_ = 0;
    std::uint32_t extension_ = 0;
    std::uint64_t left_ = 0;  // of the chunk's size
    std::string_view error_;
    HttpHeadCheck trailer_;
};

}  // namespace parley::protocol
