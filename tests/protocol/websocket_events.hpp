// What a WebSocketDecoder says of a stream, however the stream is cut; for tests and fuzzing.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/websocket_frame.hpp"

namespace parley::protocol::test {

inline constexpr WebSocketDecoderConfig server_config{.role = WebSocketRole::server};
inline constexpr WebSocketDecoderConfig client_config{.role = WebSocketRole::client};

struct SeenEvent {
    WebSocketDecoder::Event event;
    Opcode opcode;
    std::string payload;
    std::uint16_t code = 0;  // of close and failed
    std::string error{};
    friend bool operator==(const SeenEvent&, const SeenEvent&) = default;
};

inline SeenEvent seen(const WebSocketDecoder& decoder, WebSocketDecoder::Event event) {
    using Event = WebSocketDecoder::Event;
    SeenEvent out{event, Opcode::continuation, std::string(decoder.payload()), 0, ""};
    if (event != Event::failed) out.opcode = decoder.opcode();
    if (event == Event::close || event == Event::failed) out.code = decoder.close_code();
    if (event == Event::failed) out.error = decoder.error();
    return out;
}

// Feeds a piece from a buffer of exactly its size and spoils the buffer afterwards, so that reading
// past it and keeping a pointer to it both show. False once the decoder has failed.
inline bool feed_piece(WebSocketDecoder& decoder, std::string_view piece,
                       std::vector<SeenEvent>& events) {
    using Event = WebSocketDecoder::Event;
    std::vector<char> buffer(piece.begin(), piece.end());
    std::span<char> rest(buffer);
    for (;;) {
        const auto [event, consumed] = decoder.feed(rest);
        if (consumed > rest.size()) std::abort();
        rest = rest.subspan(consumed);
        if (event == Event::need_more) {
            if (!rest.empty()) std::abort();
            break;
        }
        events.push_back(seen(decoder, event));
        if (event == Event::failed) return false;
    }
    std::fill(buffer.begin(), buffer.end(), '\x5A');
    return true;
}

// One decoder for the whole stream, or a new one behind each piece that leaves the old one idle.
enum class Decoders { one, renewed };

// `next_size(left)` is how long the next piece is, at least 1.
template <typename NextSize>
std::vector<SeenEvent> decode_in_pieces(const WebSocketDecoderConfig& config,
                                        std::string_view stream, NextSize next_size,
                                        Decoders decoders = Decoders::one) {
    WebSocketDecoder decoder(config);
    std::vector<SeenEvent> events;
    while (!stream.empty()) {
        const std::size_t size =
            std::min(static_cast<std::size_t>(next_size(stream.size())), stream.size());
        if (!feed_piece(decoder, stream.substr(0, size), events)) break;
        stream.remove_prefix(size);
        if (decoders == Decoders::renewed && decoder.idle()) decoder = WebSocketDecoder(config);
    }
    return events;
}

inline std::vector<SeenEvent> decode_whole(const WebSocketDecoderConfig& config,
                                           std::string_view stream) {
    return decode_in_pieces(config, stream, [](std::size_t left) { return left; });
}

// One frame as bytes. The server's frames are bare, the client's masked.
struct FrameSpec {
    Opcode opcode = Opcode::text;
    std::string payload;
    bool fin = true;
    bool rsv1 = false;
};

inline constexpr MaskKey test_mask{0x37, 0xFA, 0x21, 0x3D};

inline std::string frame_bytes(const FrameSpec& frame, bool masked = true) {
    std::string out;
    const MaskKey* mask = masked ? &test_mask : nullptr;
    append_frame_header(out, frame.opcode, frame.payload.size(), frame.fin, frame.rsv1, mask);
    const std::size_t begin = out.size();
    out += frame.payload;
    if (masked) apply_mask(std::span(out).subspan(begin), test_mask);
    return out;
}

}  // namespace parley::protocol::test
