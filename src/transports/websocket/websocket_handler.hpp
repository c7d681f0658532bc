// WebSocketHandler: what is spoken over a WebSocket; WebSocketLink: what it may do with it.
//
// Path:     WebSocketConnection → [WebSocketHandler] → Subscriber; Flush → [WebSocketLink] → Stream
// Runs on:  its shard.
// Owned by: the connection owns its handler, and is the handler's link.
// Bounds:   WebSocketConnection's.
#pragma once

#include <span>
#include <string_view>

#include "core/close_reason.hpp"
#include "core/frame.hpp"
#include "core/transport.hpp"
#include "protocol/websocket_frame.hpp"

namespace parley::transports {

// The writing half of a connection, as its handler sees it.
class WebSocketLink : public core::FrameWriter {
public:
    // Sends one message of its own, ahead of all frames not yet begun. What is sent while one read
    // is handled leaves together at its end. `compressed` says that the payload is (RSV1).
    virtual void send(protocol::Opcode opcode, std::string_view payload,
                      bool compressed = false) noexcept = 0;
    // Begins the closing handshake. The handler's on_closed() follows from the loop, never from
    // within this call; later calls do nothing.
    virtual void close(const core::CloseReason& reason) noexcept = 0;
    // The handler is ready again after it was not.
    virtual void resume() noexcept = 0;

protected:
    ~WebSocketLink() = default;
};

class WebSocketHandler {
public:
    WebSocketHandler() = default;
    virtual ~WebSocketHandler() = default;
    WebSocketHandler(const WebSocketHandler&) = delete;
    WebSocketHandler& operator=(const WebSocketHandler&) = delete;

    // First of all, once. What it sends leaves together with the answer to the upgrade.
    virtual void on_open(WebSocketLink& link) = 0;
    // One whole message, text or binary; the payload is valid within the call.
    virtual void on_message(protocol::Opcode opcode, std::string_view payload) = 0;
    // False: no message is to be handed over, nor read, until WebSocketLink::resume().
    [[nodiscard]] virtual bool ready() const noexcept = 0;
    // write_some() may go on after it answered `blocked`.
    virtual void on_writable() = 0;
    // True where what is spoken has signs of life of its own: the connection then asks for none.
    [[nodiscard]] virtual bool has_heartbeat() const noexcept { return false; }
    // The server is about to go.
    virtual void on_drain() = 0;
    // Last of all, once. The link takes nothing any more.
    virtual void on_closed(const core::CloseReason& reason) noexcept = 0;
};

}  // namespace parley::transports
