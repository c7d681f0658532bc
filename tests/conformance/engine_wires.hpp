// The three ways of an Engine.IO client, for tests that what is said over them is the same:
// WebSocket alone, polling alone, and polling that was upgraded.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/engineio.hpp"
#include "transports/engine_client.hpp"
#include "transports/websocket_client.hpp"

namespace parley::conformance {

// What a wire ends with, in the place of a packet.
inline constexpr std::string_view wire_end = "end";

// Each wire is open once it is made, and has `sid()`, `send()`, `send_binary()` and `receive()`: the
// next packet as it is written, `b:` and the bytes for a binary message, wire_end at the end.
class PollingWire {
public:
    PollingWire(std::uint16_t port, const std::string& path)
        : client_(port, path), sid_(client_.open()) {}

    [[nodiscard]] const std::string& sid() const noexcept { return sid_; }
    void send(std::string_view packet) {
        const auto answer = client_.post(sid_, packet);
        EXPECT_TRUE(answer.status == 400 || answer.body == "ok") << answer.body;
    }
    void send_binary(std::string_view bytes) {
        std::string body;
        protocol::append_engine_binary_record(body, bytes);
        send(body);
    }
    std::string receive() {
        if (packets_.empty()) poll();
        std::string packet = std::move(packets_.front());
        packets_.pop_front();
        return packet;
    }

private:
    void poll() {
        auto answer = client_.poll(sid_);
        if (answer.status != 200 || answer.body == "1") {
            packets_.emplace_back(wire_end);
            return;
        }
        protocol::EnginePayload payload(answer.body);
        protocol::EnginePacket packet;
        auto step = protocol::EnginePayload::Step::end;
        while ((step = payload.next(packet)) == protocol::EnginePayload::Step::packet) {
            std::string text = "b:";
            if (!packet.binary) text = std::to_string(static_cast<int>(packet.type));
            packets_.push_back(text.append(packet.data));
        }
        EXPECT_EQ(step, protocol::EnginePayload::Step::end) << answer.body;
    }

    transports::test::EngineClient client_;
    std::string sid_;
    std::deque<std::string> packets_;
};

class WebSocketWire {
public:
    WebSocketWire(std::uint16_t port, const std::string& path)
        : socket_(std::in_place, port, transports::test::socket_path({}, path)) {
        const std::string packet = receive();
        const auto open = protocol::decode_engine_open(std::string_view(packet).substr(1));
        EXPECT_TRUE(open && packet.starts_with('0')) << packet;
        if (open) sid_ = open->sid;
    }

    [[nodiscard]] const std::string& sid() const noexcept { return sid_; }
    void send(std::string_view packet) { socket_->send_text(packet); }
    void send_binary(std::string_view bytes) { socket_->send(protocol::Opcode::binary, bytes); }
    std::string receive() {
        using Event = protocol::WebSocketDecoder::Event;
        const auto received = socket_->receive();
        if (received.ended || received.event == Event::close) return std::string(wire_end);
        EXPECT_EQ(received.event, Event::message);
        if (received.opcode == protocol::Opcode::text) return received.payload;
        std::string text = "b:";
        return text.append(received.payload);
    }

protected:
    // Takes over the session of a client that polls.
    WebSocketWire(std::uint16_t port, const std::string& path, PollingWire polling)
        : socket_(std::in_place, port, transports::test::socket_path(polling.sid(), path)),
          sid_(polling.sid()) {
        send("2probe");
        EXPECT_EQ(receive(), "3probe");
        EXPECT_EQ(polling.receive(), "6");
        send("5");
    }

private:
    std::optional<transports::test::WebSocketClient> socket_;
    std::string sid_;
};

class UpgradedWire : public WebSocketWire {
public:
    UpgradedWire(std::uint16_t port, const std::string& path)
        : WebSocketWire(port, path, PollingWire(port, path)) {}
};

}  // namespace parley::conformance
