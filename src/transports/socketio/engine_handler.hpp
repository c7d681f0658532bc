// EngineHandler: what is spoken over an Engine.IO session; EngineLink: what it may do with it;
// EngineApplication: who makes handlers. None of them knows what carries the session.
//
// Path:     EngineSession → [EngineHandler] → Socket.IO; Socket.IO → [EngineLink] → EngineSession
// Runs on:  its shard.
// Owned by: the session owns its handler, and is the handler's link.
// Bounds:   EngineSession's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/close_reason.hpp"
#include "core/transport.hpp"

namespace parley::transports {

enum class MessageKind : std::uint8_t { text, binary };

// What the request said that opened a session.
struct EngineOpening {
    std::string address;     // of the peer past trusted proxies, without port
    std::string query;       // of the target, not decoded
    std::string token{};     // that it showed by a header or a cookie; empty: none
    bool by_cookie = false;  // by that
};

class EngineLink {
public:
    // Sends one message of its own, ahead of all frames not yet begun. What is sent while one
    // message is handled leaves together at its end.
    virtual void send(MessageKind kind, std::string_view payload) noexcept = 0;
    // Who takes publications' frames. They come as WebSocket frames (unmasked, not compressed) of
    // whole Engine.IO packets, several in one core::Frame where that is so; polling takes them out
    // again. Another one after EngineHandler::on_writer_changed().
    [[nodiscard]] virtual core::FrameWriter& writer() noexcept = 0;
    // Ends the session. The handler's on_closed() follows from the loop, never from within this
    // call; later calls do nothing.
    virtual void close(const core::CloseReason& reason) noexcept = 0;
    // The handler is ready again after it was not.
    virtual void resume() noexcept = 0;

protected:
    ~EngineLink() = default;
};

class EngineHandler {
public:
    EngineHandler() = default;
    virtual ~EngineHandler() = default;
    EngineHandler(const EngineHandler&) = delete;
    EngineHandler& operator=(const EngineHandler&) = delete;

    // First of all, once.
    virtual void on_open(EngineLink& link) = 0;
    // One whole message; the payload is valid within the call.
    virtual void on_message(MessageKind kind, std::string_view payload) = 0;
    // False: no message is to be handed over, nor read, until EngineLink::resume().
    [[nodiscard]] virtual bool ready() const noexcept = 0;
    // The writer may go on after it answered `blocked`.
    virtual void on_writable() = 0;
    // The session was upgraded: EngineLink::writer() is another one. on_writable() follows where
    // the one of before had answered `blocked`.
    virtual void on_writer_changed() = 0;
    // The server is about to go.
    virtual void on_drain() = 0;
    // Last of all, once. The link takes nothing any more.
    virtual void on_closed(const core::CloseReason& reason) noexcept = 0;
};

class EngineApplication {
public:
    EngineApplication() = default;
    virtual ~EngineApplication() = default;
    EngineApplication(const EngineApplication&) = delete;
    EngineApplication& operator=(const EngineApplication&) = delete;

    // The handler of a new session.
    [[nodiscard]] virtual std::unique_ptr<EngineHandler> open(const EngineOpening& opening) = 0;
};

}  // namespace parley::transports
