// SocketHandler: what is spoken in one namespace of a Socket.IO connection; SocketLink: what it may
// do with it; SocketApplication: who makes handlers, and knows which namespaces there are.
//
// Path:     SocketIoConnection → [SocketHandler] → Subscriber; [SocketLink] → SocketIoConnection
// Runs on:  its shard.
// Owned by: the connection owns its handlers, and has a link for each.
// Bounds:   SocketIoConnection's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/close_reason.hpp"
#include "core/transport.hpp"
#include "transports/socketio/engine_handler.hpp"

namespace parley::transports {

// An event, or an acknowledgement, as it came. Valid within the call.
struct SocketMessage {
    // The packet's JSON array as it is written, the event's name first: it has passed the checks
    // of the codec, and each `{"_placeholder":true,"num":n}` in it names one of the attachments.
    std::string_view args;
    std::span<const std::string> attachments;
    std::optional<std::uint64_t> id;  // of an event: acknowledge it by that; of an ack: its own
};

class SocketLink {
public:
    // The answer to CONNECT, once: one of these two, now or later. `sid` is shown to this peer
    // only; without a `pid` the connection's state can't be recovered.
    virtual void accept(std::string_view sid, std::string_view pid) noexcept = 0;
    // CONNECT_ERROR; `data` is JSON, or empty. on_closed() follows from the loop.
    virtual void refuse(std::string_view message, std::string_view data) noexcept = 0;

    // Sends an event of its own, ahead of all frames not yet begun: `args` is the JSON array, the
    // name first, compact, with a placeholder for each attachment. With an id the peer is asked to
    // acknowledge it (SocketHandler::on_ack()).
    virtual void emit(std::string_view args, std::span<const std::string_view> attachments = {},
                      std::optional<std::uint64_t> id = {}) noexcept = 0;
    virtual void acknowledge(std::uint64_t id, std::string_view args,
                             std::span<const std::string_view> attachments = {}) noexcept = 0;
    // Who takes publications' frames (EngineLink::writer()); those of a namespace name it.
    [[nodiscard]] virtual core::FrameWriter& writer() noexcept = 0;
    // DISCONNECT: ends this namespace alone. on_closed() follows from the loop.
    virtual void disconnect() noexcept = 0;
    // Ends the whole connection. on_closed() follows from the loop.
    virtual void close(const core::CloseReason& reason) noexcept = 0;
    virtual void resume() noexcept = 0;

protected:
    ~SocketLink() = default;
};

// How a socket ended: only one that was lost may be recovered.
enum class SocketEnd : std::uint8_t {
    disconnected,  // DISCONNECT, of either side
    lost,          // the connection under it has ended
};

class SocketHandler {
public:
    SocketHandler() = default;
    virtual ~SocketHandler() = default;
    SocketHandler(const SocketHandler&) = delete;
    SocketHandler& operator=(const SocketHandler&) = delete;

    // First of all, once: CONNECT came, and the link waits for accept() or refuse().
    virtual void on_open(SocketLink& link) = 0;
    // Only after accept(). Its name is a string, or a number, and none of the reserved ones.
    virtual void on_event(const SocketMessage& event) = 0;
    virtual void on_ack(const SocketMessage& ack) = 0;
    // False: no packet of the connection is to be handed over until SocketLink::resume().
    [[nodiscard]] virtual bool ready() const noexcept = 0;
    // The writer may go on after it answered `blocked`, to this socket or to another of its
    // connection.
    virtual void on_writable() = 0;
    virtual void on_writer_changed() = 0;
    virtual void on_drain() = 0;
    // Last of all, once. The link takes nothing any more.
    virtual void on_closed(const core::CloseReason& reason, SocketEnd end) noexcept = 0;
};

class SocketApplication {
public:
    SocketApplication() = default;
    virtual ~SocketApplication() = default;
    SocketApplication(const SocketApplication&) = delete;
    SocketApplication& operator=(const SocketApplication&) = delete;

    // Whether there is a namespace of that name ("/" or "/custom").
    [[nodiscard]] virtual bool has(std::string_view name) const noexcept = 0;
    // The handler of a new socket of a namespace that there is. `auth` is CONNECT's payload, a JSON
    // object as it is written, or empty.
    [[nodiscard]] virtual std::unique_ptr<SocketHandler> connect(std::string_view name,
                                                                 std::string_view auth,
                                                                 const EngineOpening& opening) = 0;
};

}  // namespace parley::transports
