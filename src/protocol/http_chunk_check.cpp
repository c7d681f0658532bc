#include "protocol/http_chunk_check.hpp"

#include <algorithm>

#include "protocol/http_bytes.hpp"

namespace parley::protocol {
namespace {

constexpr unsigned value_of(char digit) {
    return static_cast<unsigned>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

// Behind the size of a chunk; nobody has a use for more.
constexpr std::uint32_t extension_bytes_max = 256;

}  // namespace

HttpChunkCheck::Step HttpChunkCheck::feed(std::string_view bytes,
                                          const HttpHeadLimits& limits) noexcept {
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (state_ == State::data) {
            const auto skipped = std::min<std::uint64_t>(left_, bytes.size() - at);
            left_ -= skipped;
            at += skipped;
            if (left_ == 0) state_ = State::data_end;
            continue;
        }
        if (state_ == State::trailer) {
            const Step step = trailer_.feed(bytes.substr(at), limits);
            return {step.status, at + step.consumed};
        }
        const Status status = take(bytes[at++]);
        if (status != Status::need_more) return {status, at};
    }
    return {Status::need_more, at};
}

HttpChunkCheck::Status HttpChunkCheck::take(char byte) noexcept {
    switch (state_) {
        case State::size:
            return take_size(byte);
        case State::extension:
            if (byte == '\r') {
                state_ = State::size_end;
                return Status::need_more;
            }
            if (!is_http<text_byte>(byte))
                return refuse("a control character behind a chunk's size");
            return ++extension_ > extension_bytes_max ? refuse("too much behind a chunk's size")
                                                      : Status::need_more;
        case State::size_end:
            if (byte != '\n') return refuse("CR without LF");
            state_ = left_ == 0 ? State::trailer : State::data;
            if (left_ == 0) trailer_.expect_trailer();
            digits_ = extension_ = 0;
            return Status::need_more;
        case State::data_end:
            state_ = State::data_line_feed;
            return byte == '\r' ? Status::need_more : refuse("a chunk longer than it says");
        case State::data_line_feed:
            state_ = State::size;
            return byte == '\n' ? Status::need_more : refuse("CR without LF");
        case State::data:
        case State::trailer:
            break;
    }
    return Status::need_more;
}

HttpChunkCheck::Status HttpChunkCheck::take_size(char byte) noexcept {
    if (is_http<hex_byte>(byte)) {
        // Sixteen digits would wrap; eight are 4 GiB, past any limit.
        if (++digits_ > 8) return refuse("a chunk's size of more than eight digits");
        left_ = left_ * 16 + value_of(byte);
        return Status::need_more;
    }
    if (digits_ == 0) return refuse("a chunk's size that is no number");
    if (byte == '\r') {
        state_ = State::size_end;
        return Status::need_more;
    }
    if (byte != ';') return refuse("a chunk's size that is no number");
    state_ = State::extension;
    return Status::need_more;
}

HttpChunkCheck::Status HttpChunkCheck::refuse(std::string_view why) noexcept {
    error_ = why;
    return Status::refused;
}

unsigned HttpChunkCheck::status() const noexcept {
    return error_.empty() ? trailer_.status() : 400;
}

std::string_view HttpChunkCheck::error() const noexcept {
    return error_.empty() ? trailer_.error() : error_;
}

}  // namespace parley::protocol
