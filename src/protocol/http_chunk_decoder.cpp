#include "protocol/http_chunk_decoder.hpp"

#include <algorithm>

#include "protocol/http_bytes.hpp"

namespace parley::protocol {
namespace {

constexpr unsigned value_of(char digit) {
    return static_cast<unsigned>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

// Sixteen digits would wrap; eight are 4 GiB, past any limit.
constexpr std::uint32_t digits_max = 8;
// Behind the size of a chunk; nobody has a use for more.
constexpr std::uint32_t extension_bytes_max = 256;

}  // namespace

HttpChunkDecoder::Step HttpChunkDecoder::feed(std::string_view bytes) noexcept {
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (state_ == State::data) {
            const auto length =
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
            left_ -= length;
            if (left_ == 0) state_ = State::data_end;
            return {Status::need_more, at + length, bytes.substr(at, length)};
        }
        const Status status = take(bytes[at++]);
        if (status != Status::need_more) return {status, at, {}};
    }
    return {Status::need_more, at, {}};
}

HttpChunkDecoder::Status HttpChunkDecoder::take(char byte) noexcept {
    switch (state_) {
        case State::size:
            return take_size(byte);
        case State::extension:
            return take_extension(byte);
        case State::size_end:
            if (byte != '\n') return refuse("CR without LF");
            digits_ = extension_ = 0;
            state_ = State::data;
            return left_ == 0 ? Status::complete : Status::need_more;
        case State::data_end:
            state_ = State::data_line_feed;
            return byte == '\r' ? Status::need_more : refuse("a chunk longer than it says");
        case State::data_line_feed:
            state_ = State::size;
            return byte == '\n' ? Status::need_more : refuse("CR without LF");
        case State::data:
            break;
    }
    return Status::need_more;
}

HttpChunkDecoder::Status HttpChunkDecoder::take_size(char byte) noexcept {
    if (is_http<hex_byte>(byte)) {
        if (++digits_ > digits_max) return refuse("a chunk's size of more than eight digits");
        left_ = left_ * 16 + value_of(byte);
        return Status::need_more;
    }
    if (digits_ > 0 && byte == '\r') {
        state_ = State::size_end;
        return Status::need_more;
    }
    if (digits_ > 0 && byte == ';') {
        state_ = State::extension;
        return Status::need_more;
    }
    return refuse("a chunk's size that is no number");
}

HttpChunkDecoder::Status HttpChunkDecoder::take_extension(char byte) noexcept {
    if (byte == '\r') {
        state_ = State::size_end;
        return Status::need_more;
    }
    if (!is_http<text_byte>(byte)) return refuse("a control character behind a chunk's size");
    if (++extension_ > extension_bytes_max) return refuse("too much behind a chunk's size");
    return Status::need_more;
}

HttpChunkDecoder::Status HttpChunkDecoder::refuse(std::string_view why) noexcept {
    error_ = why;
    return Status::refused;
}

}  // namespace parley::protocol
