// SocketIoConnection: Socket.IO v5 over one Engine.IO session: its namespaces, each with a handler
// of its own, and the rules on what ends it (Socket.IO protocol, revision 5).
//
// Path:     EngineSession → [SocketIoConnection] → SocketHandler; SocketLink → EngineLink
// Runs on:  its shard.
// Owned by: its EngineSession.
// Bounds:   one socket a namespace that the application has; one binary packet under way, by
//           SocketIoContext::limits; connect_timeout until the first socket is accepted, and then
//           the connection ends (socketio_connect_timeouts). No packet is taken while a CONNECT is
//           undecided or a socket that was ended here is not gone yet.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/shard.hpp"
#include "core/timer_wheel.hpp"
#include "protocol/socketio.hpp"
#include "transports/socketio/engine_handler.hpp"
#include "transports/socketio/socket_handler.hpp"
#include "transports/socketio/socketio_config.hpp"

namespace parley::transports {

// What the connections of one shard have in common. It outlives them.
struct SocketIoContext {
    core::Shard& shard;
    SocketApplication& application;
    std::chrono::milliseconds connect_timeout;
    protocol::SocketDecoder::Limits limits;
    std::string scratch;  // for encoding within one function
};

class SocketIoConnection final : public EngineHandler, private core::Timer {
public:
    SocketIoConnection(SocketIoContext& context, const EngineOpening& opening);
    ~SocketIoConnection() override;

    // EngineHandler
    void on_open(EngineLink& link) override;
    void on_message(MessageKind kind, std::string_view payload) override;
    [[nodiscard]] bool ready() const noexcept override;
    void on_writable() override;
    void on_writer_changed() override;
    void on_drain() override;
    void on_closed(const core::CloseReason& reason) noexcept override;

private:
    class Socket;
    using SocketPtr = std::unique_ptr<Socket>;

    // Calls f(Socket&) for those that have not ended.
    template <typename F>
    void each_socket(F f);
    // The place of the socket with that name, or the empty place where a new one belongs.
    [[nodiscard]] SocketPtr& place_of(std::string_view name) noexcept;

    void take(const protocol::SocketPacket& packet, std::span<const std::string> attachments);
    void take_connect(const protocol::SocketPacket& packet, SocketPtr& place);
    void take_disconnect(SocketPtr& place) noexcept;
    // The peer broke the protocol: ends the connection.
    void refuse(std::string_view what) noexcept;

    // For its sockets.
    void send(const protocol::SocketPacket& packet,
              std::span<const std::string_view> attachments = {}) noexcept;
    void accepted() noexcept;
    void ended() noexcept;

    void on_timer() noexcept;
    void drop_ended() noexcept;
    [[nodiscard]] core::TimePoint now() const noexcept { return context_->shard.now().mono; }

    SocketIoContext* context_;
    EngineLink* link_ = nullptr;
    SocketPtr sockets_;                                    // a list: nearly always of one
    std::unique_ptr<protocol::SocketDecoder> assembling_;  // while attachments are to come
    EngineOpening opening_;
    core::TimePoint connect_due_;
    bool connected_ = false;  // a socket was accepted
    bool handing_ = false;    // within on_message()
    bool failed_ = false;     // the peer broke the protocol: no more of it is looked at
};

// Makes the Socket.IO connections of one shard.
class SocketIoApplication final : public EngineApplication {
public:
    // `attachment_bytes_max`: of one packet's attachments in all. Both references must outlive it,
    // and it its connections.
    SocketIoApplication(core::Shard& shard, SocketApplication& application,
                        const SocketIoConfig& config, std::size_t attachment_bytes_max)
        : context_{shard,
                   application,
                   config.connect_timeout,
                   {config.attachments_max, attachment_bytes_max},
                   {}} {}

    [[nodiscard]] std::unique_ptr<EngineHandler> open(const EngineOpening& opening) override {
        return std::make_unique<SocketIoConnection>(context_, opening);
    }

private:
    SocketIoContext context_;
};

}  // namespace parley::transports
