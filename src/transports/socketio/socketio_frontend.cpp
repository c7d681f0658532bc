// `/socket.io/`: the chat over Socket.IO.
#include <memory>
#include <string>

#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"
#include "transports/socketio/chat_socket.hpp"
#include "transports/socketio/engine_frontend.hpp"
#include "transports/socketio/socketio_connection.hpp"

namespace parley::transports {
namespace {

// Sockets of the chat over connections of Socket.IO. What is configured stays as it is at the start:
// publications are encoded by it once for all.
class ChatOverSocketIo final : public EngineApplication {
public:
    explicit ChatOverSocketIo(Gate& gate)
        : config_(gate.config().socketio),
          chat_(gate.shard(), config_.chat, config_.connection.attachments_max),
          connections_(gate.shard(), chat_, config_.connection, config_.engine.max_payload) {}

    std::unique_ptr<EngineHandler> open(const EngineOpening& opening) override {
        return connections_.open(opening);
    }

private:
    const SocketIoSettings config_;
    ChatApplication chat_;
    SocketIoApplication connections_;
};

// Where Socket.IO is switched off.
class NoFrontend final : public Frontend {
public:
    bool owns(const HttpTarget&) const noexcept override { return false; }
    std::optional<HttpResponse> handle(Exchange&) override { return std::nullopt; }
};

}  // namespace

std::unique_ptr<Frontend> make_socketio_frontend(Gate& gate) {
    if (!gate.config().socketio.enabled) return std::make_unique<NoFrontend>();
    return std::make_unique<EngineFrontend>(
        gate, "/socket.io/", [](const Gate& asked) { return asked.config().socketio.engine; },
        std::make_unique<ChatOverSocketIo>(gate));
}

}  // namespace parley::transports
