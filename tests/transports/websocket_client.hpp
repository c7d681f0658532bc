// WebSocketClient: a WebSocket's client side for tests, with the codec's client role; raw bytes go
// out where the codec can't misbehave.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/websocket_frame.hpp"
#include "protocol/websocket_handshake.hpp"
#include "transports/loopback_client.hpp"

namespace parley::transports::test {

inline constexpr protocol::MaskKey test_mask{0x37, 0xFA, 0x21, 0x3D};

// One frame as a client sends it, masked.
inline std::string client_frame(protocol::Opcode opcode, std::string_view payload, bool fin = true,
                                bool rsv1 = false) {
    std::string out;
    protocol::append_frame_header(out, opcode, payload.size(), fin, rsv1, &test_mask);
    const std::size_t begin = out.size();
    out += payload;
    protocol::apply_mask(std::span(out).subspan(begin), test_mask);
    return out;
}

inline std::string client_close(std::uint16_t code, std::string_view reason = {}) {
    std::string out;
    protocol::append_close_frame(out, code, reason, &test_mask);
    return out;
}

// What came: a message, a control frame, or the end.
struct Received {
    protocol::WebSocketDecoder::Event event = protocol::WebSocketDecoder::Event::need_more;
    protocol::Opcode opcode = protocol::Opcode::continuation;
    std::string payload;
    std::uint16_t close_code = 0;
    bool ended = false;  // the connection ended without another frame
};

template <typename Socket>
class BasicWebSocketClient {
public:
    static constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";

    BasicWebSocketClient(std::uint16_t port, std::string_view path,
                         std::string_view extra_headers = {}, int receive_buffer = 0)
        : BasicWebSocketClient(Socket(port, receive_buffer), path, extra_headers) {}

    BasicWebSocketClient(Socket socket, std::string_view path, std::string_view extra_headers)
        : socket_(std::move(socket)) {
        socket_.send("GET " + std::string(path) +
                     " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
                     std::string(key) + "\r\n" + std::string(extra_headers) + "\r\n");
        head_ = socket_.read_through("\r\n\r\n");
        std::string error;
        EXPECT_TRUE(protocol::check_upgrade_response(head_, key, error)) << error << '\n' << head_;
        config_.role = protocol::WebSocketRole::client;
        config_.message_bytes_max = config_.frame_bytes_max = std::size_t{64} * 1024 * 1024;
        const auto agreed =
            protocol::parse_deflate_answer(protocol::head_field(head_, "Sec-WebSocket-Extensions"));
        if (agreed) {
            config_.deflate = true;
            config_.inflate_window_bits = agreed->server_window_bits;
            config_.inflate_context_takeover = !agreed->server_no_context_takeover;
        }
        agreed_ = agreed;
        decoder_.emplace(config_);
    }
    BasicWebSocketClient(const BasicWebSocketClient&) = delete;
    BasicWebSocketClient& operator=(const BasicWebSocketClient&) = delete;

    [[nodiscard]] Socket& socket() noexcept { return socket_; }
    [[nodiscard]] const std::string& head() const noexcept { return head_; }
    [[nodiscard]] const std::optional<protocol::DeflateAgreement>& deflate() const noexcept {
        return agreed_;
    }

    void send(protocol::Opcode opcode, std::string_view payload) {
        socket_.send(client_frame(opcode, payload));
    }
    void send_text(std::string_view text) { send(protocol::Opcode::text, text); }

    // The next frame of any kind.
    Received receive() {
        using Event = protocol::WebSocketDecoder::Event;
        for (;;) {
            if (bytes_.empty()) {
                bytes_ = socket_.read_some();
                if (bytes_.empty()) {
                    Received end;
                    end.ended = true;
                    return end;
                }
            }
            const auto step = decoder_->feed(bytes_);
            Received received{step.event, decoder_->opcode(), std::string(decoder_->payload()),
                              decoder_->close_code(), false};
            bytes_.erase(0, step.consumed);
            if (step.event == Event::need_more) continue;
            EXPECT_NE(step.event, Event::failed) << decoder_->error();
            return received;
        }
    }
    // The next message's payload; a failure for anything else.
    std::string receive_message() {
        Received received = receive();
        EXPECT_EQ(received.event, protocol::WebSocketDecoder::Event::message)
            << "ended " << received.ended << ", close code " << received.close_code;
        return std::move(received.payload);
    }
    // Skips what comes before it. 0 where the connection ends without a close frame.
    std::uint16_t receive_close() {
        for (;;) {
            const Received received = receive();
            if (received.ended) return 0;
            if (received.event == protocol::WebSocketDecoder::Event::close) {
                return received.close_code;
            }
        }
    }
    // True when nothing follows but the end of the connection.
    bool at_end() { return bytes_.empty() && socket_.at_end(); }

private:
    Socket socket_;
    std::string head_;
    protocol::WebSocketDecoderConfig config_;
    std::optional<protocol::DeflateAgreement> agreed_;
    std::optional<protocol::WebSocketDecoder> decoder_;
    std::string bytes_;
};

using WebSocketClient = BasicWebSocketClient<LoopbackClient>;

}  // namespace parley::transports::test
