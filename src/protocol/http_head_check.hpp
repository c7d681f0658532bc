// HttpHeadCheck: whether the bytes of a request's head are what RFC 9112 has, to the letter, before
// anything else reads them. Whoever stands in front of the server may read a sloppy head in another
// way, and what the two disagree about is how a request is smuggled past the first.
//
// Path:     HttpParser → [HttpHeadCheck], then Beast
// Runs on:  any thread; no socket, no clock.
// Owned by: HttpParser.
// Bounds:   HttpHeadLimits; no buffer: one state and a few counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::protocol {

struct HttpHeadLimits {
    std::size_t head_bytes = 16 * 1024;
    std::size_t target_bytes = 8 * 1024;
    std::size_t fields = 128;
};

class HttpHeadCheck {
public:
    enum class Status : std::uint8_t { need_more, complete, refused };
    struct Step {
        Status status;
        std::size_t consumed;  // up to and with the empty line; up to the fault where refused
    };

    // Looks at the next bytes, whatever they were cut into. Not after complete or refused.
    [[nodiscard]] Step feed(std::string_view bytes, const HttpHeadLimits& limits) noexcept;
    // 400, 414, 431 or 505, and why. Valid after refused.
    [[nodiscard]] unsigned status() const noexcept { return refused_with_; }
    [[nodiscard]] std::string_view error() const noexcept { return error_; }

    // Ready for the fields that may follow a body in chunks: field lines up to an empty line.
    void expect_trailer() noexcept;

private:
    enum class State : std::uint8_t {
        method,
        target_begin,
        target,
        version,
        line_end,     // a line feed must come
        field_begin,  // a field, or the empty line
        name,
        value,
        head_end,  // the last line feed must come
    };

    std::size_t skip_run(std::string_view bytes, const HttpHeadLimits& limits) noexcept;
    Status take(char byte, const HttpHeadLimits& limits) noexcept;
    Status take_method(char byte) noexcept;
    Status take_target(char byte, const HttpHeadLimits& limits) noexcept;
    Status take_version(char byte) noexcept;
    Status take_field_begin(char byte, const HttpHeadLimits& limits) noexcept;
    Status take_name(char byte) noexcept;
    Status take_value(char byte) noexcept;
    Status refuse(unsigned status, std::string_view why) noexcept;
    Status bad_byte(char byte, std::string_view why) noexcept;

    State state_ = State::method;
    bool other_version_ = false;
    std::uint16_t refused_with_ = 0;
    std::uint32_t size_ = 0;
    std::uint32_t part_ = 0;  // bytes of the target or of the version
    std::uint32_t fields_ = 0;
    std::string_view error_;
};

// Whether a `Host` value, or the authority of a target, names a host and perhaps a port: no user
// information, no blanks, no list (RFC 9110, 7.2). Empty is a name.
[[nodiscard]] bool is_host_and_port(std::string_view text) noexcept;
// Digits and nothing else, at most 19 of them (RFC 9110, 8.6).
[[nodiscard]] bool is_content_length(std::string_view text) noexcept;

}  // namespace parley::protocol
