#include "protocol/websocket_frame.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "protocol/deflate.hpp"

namespace parley::protocol {
namespace {

constexpr std::uint8_t rsv1_bit = 0x40;
constexpr std::uint8_t rsv23_bits = 0x30;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_bits = 0x7F;
constexpr std::uint64_t control_bytes_max = 125;

// The close codes that a decoder fails with (RFC 6455, 7.4.1).
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t no_code_given = 1005;
constexpr std::uint16_t invalid_payload = 1007;
constexpr std::uint16_t policy_violation = 1008;
constexpr std::uint16_t too_big = 1009;

constexpr std::size_t length_field_bytes(std::uint8_t short_length) {
    return short_length == 127 ? 8 : short_length == 126 ? 2 : 0;
}

}  // namespace

struct WebSocketDecoder::Kept {
    std::string message;  // inflated, where it was deflated
    std::string control;  // a control frame that came in pieces, perhaps amid a message
    std::optional<Inflater> inflater;
};

WebSocketDecoder::WebSocketDecoder(const WebSocketDecoderConfig& config) noexcept
    : config_(&config) {}
WebSocketDecoder::~WebSocketDecoder() = default;
WebSocketDecoder::WebSocketDecoder(WebSocketDecoder&&) noexcept = default;
WebSocketDecoder& WebSocketDecoder::operator=(WebSocketDecoder&&) noexcept = default;

WebSocketDecoder::Step WebSocketDecoder::feed(std::span<char> bytes) {
    const std::size_t offered = bytes.size();
    if (state_ == State::failed) return {Event::failed, offered};
    release_last_event();
    if (state_ == State::closed) return {Event::need_more, offered};
    while (!bytes.empty()) {
        Event event = Event::need_more;
        if (state_ == State::header) event = take_header(bytes);
        // A frame without payload is over with its header.
        if (event == Event::need_more && state_ == State::payload) event = take_payload(bytes);
        if (event == Event::failed) return {event, offered};
        if (event != Event::need_more) return {event, offered - bytes.size()};
    }
    return {Event::need_more, offered};
}

void WebSocketDecoder::release_last_event() noexcept {
    payload_ = {};
    if (!kept_ || state_ == State::payload) return;
    kept_->control.clear();
    if (in_message_) return;
    if (kept_->inflater) {
        kept_->message = std::string();
    } else {
        kept_.reset();
    }
}

WebSocketDecoder::Kept& WebSocketDecoder::kept() {
    if (!kept_) kept_ = std::make_unique<Kept>();
    return *kept_;
}

WebSocketDecoder::Event WebSocketDecoder::fail(std::uint16_t code, const char* error) noexcept {
    state_ = State::failed;
    close_code_ = code;
    error_ = error;
    payload_ = {};
    kept_.reset();
    header_size_ = 0;
    in_message_ = false;
    return Event::failed;
}

Opcode WebSocketDecoder::frame_opcode() const noexcept {
    return static_cast<Opcode>(header_[0] & 0x0F);
}

// ---- the header ------------------------------------------------------------------------------

std::size_t WebSocketDecoder::header_bytes_needed() const noexcept {
    if (header_size_ < 2) return 2;
    const std::size_t key = (header_[1] & mask_bit) != 0 ? std::tuple_size_v<MaskKey> : 0;
    return 2 + length_field_bytes(header_[1] & length_bits) + key;
}

WebSocketDecoder::Event WebSocketDecoder::take_header(std::span<char>& bytes) {
    // Twice: the first two bytes say how many more there are.
    for (std::size_t needed = header_bytes_needed(); header_size_ < needed;
         needed = header_bytes_needed()) {
        const std::size_t taken = std::min(needed - header_size_, bytes.size());
        if (taken == 0) return Event::need_more;
        std::memcpy(header_.data() + header_size_, bytes.data(), taken);
        header_size_ = static_cast<std::uint8_t>(header_size_ + taken);
        bytes = bytes.subspan(taken);
        if (header_size_ < needed) return Event::need_more;
        if (header_size_ == 2 && judge_first_bytes() == Event::failed) return Event::failed;
    }
    return judge_length();
}

// What RFC 6455, 5.2 to 5.5 forbids and the first two bytes show.
WebSocketDecoder::Event WebSocketDecoder::judge_first_bytes() noexcept {
    const Opcode opcode = frame_opcode();
    const bool masked = (header_[1] & mask_bit) != 0;
    const bool rsv1 = (header_[0] & rsv1_bit) != 0;
    const bool starts_message = opcode == Opcode::text || opcode == Opcode::binary;
    if ((header_[0] & rsv23_bits) != 0) return fail(protocol_error, "a reserved bit is set");
    if (rsv1 && !(config_->deflate && starts_message)) {
        return fail(protocol_error, "RSV1 is set where no compressed message begins");
    }
    if (masked != (config_->role == WebSocketRole::server)) {
        return fail(protocol_error, masked ? "a frame from a server must not be masked"
                                           : "a frame from a client must be masked");
    }
    if (frame_is_control()) {
        if (opcode > Opcode::pong) return fail(protocol_error, "a reserved opcode");
        if (!frame_is_final())
            return fail(protocol_error, "a control frame must not be fragmented");
        if ((header_[1] & length_bits) > control_bytes_max) {
            return fail(protocol_error, "a control frame must not exceed 125 bytes");
        }
        return Event::need_more;
    }
    if (opcode > Opcode::binary) return fail(protocol_error, "a reserved opcode");
    if (starts_message == in_message_) {
        return fail(protocol_error, in_message_ ? "a message began within another message"
                                                : "a continuation of no message");
    }
    if (starts_message) {
        in_message_ = true;
        message_opcode_ = opcode;
        deflated_ = rsv1;
        fragments_ = 0;
        utf8_.reset();
    }
    if (++fragments_ > config_->fragments_max) {
        return fail(policy_violation, "a message of too many fragments");
    }
    return Event::need_more;
}

WebSocketDecoder::Event WebSocketDecoder::judge_length() noexcept {
    std::uint64_t length = header_[1] & length_bits;
    const std::size_t field_bytes = length_field_bytes(static_cast<std::uint8_t>(length));
    if (field_bytes != 0) {
        length = 0;
        for (std::size_t i = 0; i < field_bytes; ++i) length = (length << 8) | header_[2 + i];
        if ((length >> 63) != 0) return fail(protocol_error, "a length with its highest bit set");
        if (length < (field_bytes == 2 ? 126U : 65536U)) {
            return fail(protocol_error, "a length that is not in its shortest form");
        }
    }
    if (!frame_is_control()) {
        if (length > config_->frame_bytes_max) return fail(too_big, "a frame too big");
        // The length of a deflated frame says nothing of the message's: inflating is bounded.
        const std::uint64_t before = kept_ ? kept_->message.size() : 0;
        if (!deflated_ && before + length > config_->message_bytes_max) {
            return fail(too_big, "a message too big");
        }
    }
    frame_bytes_left_ = length;
    mask_phase_ = 0;
    state_ = State::payload;
    return Event::need_more;
}

// ---- the payload -----------------------------------------------------------------------------

WebSocketDecoder::Event WebSocketDecoder::take_payload(std::span<char>& bytes) {
    const std::span<char> piece = bytes.first(
        static_cast<std::size_t>(std::min<std::uint64_t>(frame_bytes_left_, bytes.size())));
    if (piece.empty() && frame_bytes_left_ != 0) return Event::need_more;
    bytes = bytes.subspan(piece.size());
    frame_bytes_left_ -= piece.size();
    if ((header_[1] & mask_bit) != 0) {
        MaskKey key;
        std::memcpy(key.data(), header_.data() + header_size_ - key.size(), key.size());
        mask_phase_ = static_cast<std::uint8_t>(apply_mask(piece, key, mask_phase_));
    }
    const bool last = frame_bytes_left_ == 0;
    if (last) {
        state_ = State::header;
        header_size_ = 0;
    }
    const std::string_view unmasked(piece.data(), piece.size());
    if (frame_is_control()) return take_control(unmasked, last);
    return deflated_ ? take_deflated(unmasked, last && frame_is_final())
                     : take_data(unmasked, last && frame_is_final());
}

WebSocketDecoder::Event WebSocketDecoder::take_control(std::string_view piece, bool last) {
    const bool in_pieces = kept_ && !kept_->control.empty();
    if (!last || in_pieces) kept().control.append(piece);
    if (!last) return Event::need_more;
    opcode_ = frame_opcode();
    payload_ = in_pieces ? std::string_view(kept_->control) : piece;
    if (opcode_ == Opcode::ping) return Event::ping;
    if (opcode_ == Opcode::pong) return Event::pong;
    return end_close();
}

WebSocketDecoder::Event WebSocketDecoder::end_close() noexcept {
    close_code_ = no_code_given;
    if (payload_.size() == 1) return fail(protocol_error, "a close frame with half a code");
    if (payload_.size() >= 2) {
        close_code_ = static_cast<std::uint16_t>((static_cast<std::uint8_t>(payload_[0]) << 8) |
                                                 static_cast<std::uint8_t>(payload_[1]));
        payload_.remove_prefix(2);
        if (!is_valid_close_code(close_code_)) {
            return fail(protocol_error, "a close code that must not be sent");
        }
        if (!is_valid_utf8(payload_)) return fail(invalid_payload, "a close reason not in UTF-8");
    }
    state_ = State::closed;
    in_message_ = false;
    return Event::close;
}

WebSocketDecoder::Event WebSocketDecoder::take_data(std::string_view piece, bool last) {
    if (message_opcode_ == Opcode::text && !utf8_.feed(piece)) {
        return fail(invalid_payload, "a text not in UTF-8");
    }
    const bool in_pieces = kept_ && !kept_->message.empty();
    if (last && !in_pieces) return end_message(piece);
    kept().message.append(piece);
    return last ? end_message(kept_->message) : Event::need_more;
}

WebSocketDecoder::Event WebSocketDecoder::take_deflated(std::string_view piece, bool last) {
    Kept& message = kept();
    if (!message.inflater) {
        message.inflater.emplace(config_->inflate_window_bits, config_->inflate_context_takeover);
    }
    const std::size_t before = message.message.size();
    auto status = message.inflater->feed(message.message, piece, config_->message_bytes_max);
    if (last && status == Inflater::Status::ok) {
        status = message.inflater->finish(message.message, config_->message_bytes_max);
    }
    // First what came out, then why no more did: so the verdict does not hang on how it was split.
    const std::string_view inflated = std::string_view(message.message).substr(before);
    if (message_opcode_ == Opcode::text && !utf8_.feed(inflated)) {
        return fail(invalid_payload, "a text not in UTF-8");
    }
    if (status == Inflater::Status::too_large) return fail(too_big, "a message too big");
    if (status == Inflater::Status::malformed) return fail(invalid_payload, "malformed deflate");
    if (!last) return Event::need_more;
    if (!config_->inflate_context_takeover) message.inflater.reset();
    return end_message(message.message);
}

WebSocketDecoder::Event WebSocketDecoder::end_message(std::string_view whole) noexcept {
    if (message_opcode_ == Opcode::text && !utf8_.complete()) {
        return fail(invalid_payload, "a text that ends within a character");
    }
    in_message_ = false;
    opcode_ = message_opcode_;
    payload_ = whole;
    return Event::message;
}

}  // namespace parley::protocol
