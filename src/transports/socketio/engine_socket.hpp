// EngineSocket: what carries an Engine.IO session over a WebSocket, or is to once it has probed.
//
// Path:     WebSocketConnection → [EngineSocket] → EngineSession;
//           EngineSession → [EngineSocket] → WebSocketLink
// Runs on:  its shard.
// Owned by: its WebSocketConnection.
// Bounds:   the connection's.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/engineio.hpp"
#include "transports/socketio/engine_session.hpp"
#include "transports/websocket/websocket_handler.hpp"

namespace parley::transports {

class EngineSocket final : public WebSocketHandler {
public:
    enum class Part : std::uint8_t {
        carrying,  // opens its session, or has taken it over
        probing,   // of a session that polls
        left,      // its session does not know it any more
    };
    EngineSocket(EngineSession& session, Part part) noexcept : session_(&session), part_(part) {}

    // ---- for EngineSession

    void send(MessageKind kind, std::string_view payload) noexcept;
    void say(protocol::EngineType type, std::string_view data) noexcept;
    // It has probed: the session is its own.
    void carry() noexcept { part_ = Part::carrying; }
    // Closes the connection; the session hears no more of it.
    void leave(const core::CloseReason& reason) noexcept;
    [[nodiscard]] WebSocketLink& link() noexcept { return *link_; }

    // ---- WebSocketHandler

    void on_open(WebSocketLink& link) override;
    void on_message(protocol::Opcode opcode, std::string_view payload) override;
    [[nodiscard]] bool ready() const noexcept override {
        return part_ != Part::carrying || session_->ready_for_socket();
    }
    void on_writable() override {
        if (part_ == Part::carrying) session_->socket_writable();
    }
    // Engine.IO has its own.
    [[nodiscard]] bool has_heartbeat() const noexcept override { return true; }
    void on_drain() override {
        if (part_ == Part::carrying) session_->announce_drain();
    }
    void on_closed(const core::CloseReason& reason) noexcept override;

private:
    EngineSession::Pointer session_;
    WebSocketLink* link_ = nullptr;
    Part part_;
};

}  // namespace parley::transports
