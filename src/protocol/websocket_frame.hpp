// WebSocket framing, both directions and both roles (RFC 6455, sections 5 to 8), with the bit that
// RFC 7692 adds.
//
// Path:     Stream → [WebSocketDecoder] → Transport; Publication → [append_frame] → Frame
// Runs on:  any thread; no socket, clock or thread of its own.
// Owned by: a connection.
// Bounds:   WebSocketDecoderConfig; past one of them the decoder stops with close code 1009
//           (fragments: 1008) and takes nothing more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "protocol/utf8.hpp"

namespace parley::protocol {

enum class Opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

// Whose bytes are decoded: a server reads masked frames, a client reads bare ones.
enum class WebSocketRole : std::uint8_t { server, client };

struct WebSocketDecoderConfig {
    WebSocketRole role = WebSocketRole::server;
    std::size_t message_bytes_max = 65536;  // a whole message, after inflating
    std::size_t frame_bytes_max = 65536;    // one frame's payload on the wire
    std::size_t fragments_max = 1024;       // frames of one message
    bool deflate = false;                   // permessage-deflate was negotiated
    int inflate_window_bits = 15;           // 8 to 15; at least the peer's, 15 fits every peer
    bool inflate_context_takeover = false;  // the peer keeps its window between messages
};

class WebSocketDecoder {
public:
    enum class Event : std::uint8_t {
        need_more,  // everything was consumed
        message,    // opcode() is text or binary, payload() is the whole message
        ping,       // payload() is to be echoed
        pong,
        close,   // close_code() and payload() (the reason) are the peer's
        failed,  // close_code() and error() say why; the connection must be closed with that code
    };
    struct Step {
        Event event;
        std::size_t consumed;
    };

    // The configuration is shared by many connections and must outlive the decoder.
    explicit WebSocketDecoder(const WebSocketDecoderConfig& config) noexcept;
    ~WebSocketDecoder();
    WebSocketDecoder(WebSocketDecoder&&) noexcept;
    WebSocketDecoder& operator=(WebSocketDecoder&&) noexcept;

    // Takes bytes as they came and stops behind the first event; feed the rest again, until
    // need_more: that call also gives back the last message's memory. Unmasks in place. A message
    // that lies whole and unfragmented in `bytes` is not copied: payload() points into `bytes`.
    // What is incomplete is kept, so the caller never keeps bytes for the decoder. UTF-8 is checked
    // as it comes: `failed` with 1007 at the bad byte, not at the frame's end. After `failed` and
    // after `close` whatever is fed is taken and dropped; `failed` stays the answer.
    [[nodiscard]] Step feed(std::span<char> bytes);

    // Of the last event; valid until the next feed().
    [[nodiscard]] Opcode opcode() const noexcept { return opcode_; }
    [[nodiscard]] std::string_view payload() const noexcept { return payload_; }
    // Of `close`: the peer's code, 1005 where it gave none. Of `failed`: the code to close with.
    [[nodiscard]] std::uint16_t close_code() const noexcept { return close_code_; }
    [[nodiscard]] std::string_view error() const noexcept { return error_; }
    // True where it remembers nothing: a new decoder would go on as well. Whoever has a million of
    // connections need keep none for those that stand idle.
    [[nodiscard]] bool idle() const noexcept {
        return state_ == State::header && !mid_message() && !kept_;
    }
    // True while a frame or a fragmented message is incomplete.
    [[nodiscard]] bool mid_message() const noexcept {
        return state_ == State::payload || header_size_ != 0 || in_message_;
    }

private:
    enum class State : std::uint8_t { header, payload, closed, failed };
    // What an incomplete or compressed message needs; absent while idle.
    struct Kept;

    void release_last_event() noexcept;
    Kept& kept();

    // The steps of feed(). Each takes its bytes off the front of `bytes`. need_more: go on.
    Event take_header(std::span<char>& bytes);
    Event judge_first_bytes() noexcept;
    Event judge_length() noexcept;
    Event take_payload(std::span<char>& bytes);
    Event take_control(std::string_view piece, bool last);
    Event end_close() noexcept;
    Event take_data(std::string_view piece, bool last);
    Event take_deflated(std::string_view piece, bool last);
    Event end_message(std::string_view whole) noexcept;
    Event fail(std::uint16_t code, const char* error) noexcept;

    [[nodiscard]] Opcode frame_opcode() const noexcept;
    [[nodiscard]] bool frame_is_control() const noexcept { return (header_[0] & 0x08) != 0; }
    [[nodiscard]] bool frame_is_final() const noexcept { return (header_[0] & 0x80) != 0; }
    [[nodiscard]] std::size_t header_bytes_needed() const noexcept;

    const WebSocketDecoderConfig* config_;
    std::unique_ptr<Kept> kept_;
    std::string_view payload_;
    const char* error_ = "";
    std::uint64_t frame_bytes_left_ = 0;
    std::array<std::uint8_t, 14> header_{};  // of the frame at hand
    std::uint8_t header_size_ = 0;
    std::uint8_t mask_phase_ = 0;
    Utf8Validator utf8_;  // of the text message at hand
    std::uint32_t fragments_ = 0;
    std::uint16_t close_code_ = 0;
    Opcode opcode_ = Opcode::continuation;
    Opcode message_opcode_ = Opcode::continuation;
    State state_ = State::header;
    bool in_message_ = false;
    bool deflated_ = false;  // the message at hand
};

// Longest header: 2 + 8 + 4 bytes.
inline constexpr std::size_t frame_header_bytes_max = 14;

// A mask key of the client role; nothing for the server role.
using MaskKey = std::array<std::uint8_t, 4>;

// Appends a frame header for a payload of `length` bytes.
void append_frame_header(std::string& out, Opcode opcode, std::uint64_t length, bool fin = true,
                         bool rsv1 = false, const MaskKey* mask = nullptr);
// Appends a whole single frame; with a mask the payload is masked as the client role must.
void append_frame(std::string& out, Opcode opcode, std::string_view payload, bool rsv1 = false,
                  const MaskKey* mask = nullptr);
// Appends a close frame; the reason is cut to 123 bytes at a character's border. Code 1005: empty.
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason,
                        const MaskKey* mask = nullptr);

// XORs bytes with the repeating key, beginning `phase` bytes into it; returns the next phase.
// Vectorised. RFC 6455, 5.3.
unsigned apply_mask(std::span<char> bytes, const MaskKey& key, unsigned phase = 0) noexcept;

// True for codes that may stand in a close frame (RFC 6455, 7.4; IANA's registry).
[[nodiscard]] bool is_valid_close_code(std::uint16_t code) noexcept;

}  // namespace parley::protocol
