// MultipartDecoder: a form with files as it comes, part by part, in whatever pieces (RFC 7578, 2046).
//
// Path:     HttpConnection → UploadSink → [MultipartDecoder] → FileUpload
// Runs on:  any thread; no socket, no clock.
// Owned by: UploadSink.
// Bounds:   head_bytes_max for a part's headers, parts_max parts; of their content nothing is held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/content_disposition.hpp"

namespace parley::protocol {

// The boundary of a Content-Type header that is multipart/form-data; nothing where it is not, or has
// none that may be one.
[[nodiscard]] std::optional<std::string> multipart_boundary(std::string_view content_type);

class MultipartDecoder {
public:
    static constexpr std::size_t head_bytes_max = 8 * 1024;
    static constexpr std::size_t parts_max = 32;

    enum class Status : std::uint8_t {
        need_more,
        part_begins,  // part() is its head
        data,         // of the part; step.data
        part_ends,
        end,  // the last part is over; whatever follows is none of it
        refused,
    };
    struct Step {
        Status status;
        std::size_t consumed;
        std::string_view data;  // valid until the next feed() and no longer than the bytes given
    };
    struct PartHead {
        ContentDisposition disposition;
        std::string content_type;  // as it is written; empty: none
    };

    // `boundary` is one that multipart_boundary() gave.
    explicit MultipartDecoder(std::string_view boundary);

    // Takes bytes up to the next thing to tell; call it until nothing is left. Not after refused.
    [[nodiscard]] Step feed(std::string_view bytes);
    [[nodiscard]] const PartHead& part() const noexcept { return part_; }
    [[nodiscard]] std::string_view error() const noexcept { return error_; }
    // True once the last part is over.
    [[nodiscard]] bool ended() const noexcept { return state_ == State::epilogue; }

private:
    enum class State : std::uint8_t { preamble, content, behind, head, epilogue };

    Step take_content(std::string_view bytes);
    Step take_behind(std::string_view bytes);
    Step take_head(std::string_view bytes);
    [[nodiscard]] bool parse_head();
    Step refuse(std::string_view why, std::size_t consumed) noexcept;

    std::string delimiter_;    // "\r\n--boundary"
    std::size_t matched_ = 2;  // of it, at the end of what was taken; a body begins behind a line
    State state_ = State::preamble;
    std::string head_;  // of the part, or what stands behind a delimiter in its line
    std::size_t parts_ = 0;
    PartHead part_;
    std::string_view error_;
};

}  // namespace parley::protocol
