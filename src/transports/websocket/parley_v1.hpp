// ParleyV1: the chat over WebSocket, subprotocol parley.v1 (protocol.md, section 3).
//
// Path:     WebSocketConnection → [ParleyV1] → Subscriber; Flush → [ParleyV1] → WebSocketConnection
// Runs on:  its shard.
// Owned by: its WebSocketConnection.
// Bounds:   the connection's; one command at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/subscriber.hpp"
#include "core/transport.hpp"
#include "transports/websocket/websocket_handler.hpp"

namespace parley::transports {

class Gate;

// What the request said of the session to come.
struct ParleyV1Opening {
    core::PeerIdentity peer;
    std::optional<std::string> room;           // to join at once, and to send bare text to
    std::optional<protocol::Error> refused{};  // why the token that was shown is none
};

// Reads `?name=` and `?room=`; nothing where the query is malformed or not UTF-8.
[[nodiscard]] std::optional<ParleyV1Opening> read_opening(std::string_view query);

class ParleyV1 final : public WebSocketHandler, public core::Transport {
public:
    // `deflate`: the connection agreed to it.
    ParleyV1(Gate& gate, ParleyV1Opening opening, bool deflate);

    // WebSocketHandler
    void on_open(WebSocketLink& link) override;
    void on_message(protocol::Opcode opcode, std::string_view payload) override;
    bool ready() const noexcept override { return subscriber_->ready(); }
    void on_writable() override { subscriber_->writable(); }
    void on_drain() override { subscriber_->announce_drain(); }
    void on_closed(const core::CloseReason& reason) noexcept override;

    // core::Transport
    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override {
        return link_->write_some(frames);
    }
    void reply(const core::Reply& reply) noexcept override;
    void close(const core::CloseReason& reason) noexcept override { link_->close(reason); }
    void resume() noexcept override { link_->resume(); }

private:
    void speak(std::string_view text);

    Gate* gate_;
    WebSocketLink* link_ = nullptr;
    std::unique_ptr<ParleyV1Opening> opening_;  // until it is open
    std::string room_;                          // the URL's, where it names one
    std::shared_ptr<core::Subscriber> subscriber_;
};

}  // namespace parley::transports
