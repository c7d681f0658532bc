// EngineFrontend: one path at which Engine.IO v4 is spoken, over polling and over WebSocket, whatever
// its messages say.
//
// Path:     HttpConnection → [EngineFrontend] → EngineSession
// Runs on:  its shard.
// Owned by: Gate.
// Bounds:   EngineSessions'; a request's body by EngineConfig::max_payload.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "protocol/websocket_frame.hpp"
#include "transports/cors.hpp"
#include "transports/frontend.hpp"
#include "transports/socketio/engine_config.hpp"
#include "transports/socketio/engine_handler.hpp"
#include "transports/socketio/engine_sessions.hpp"

namespace parley::transports {

class EngineFrontend final : public Frontend {
public:
    // Says what is chosen, and is asked again when the gate's configuration has changed.
    using ConfigSource = std::function<EngineConfig(const Gate& gate)>;

    // `path` begins and ends with a slash, and is its own with and without the last one.
    EngineFrontend(Gate& gate, std::string path, ConfigSource config,
                   std::unique_ptr<EngineApplication> application);

    [[nodiscard]] bool owns(const HttpTarget& target) const noexcept override;
    [[nodiscard]] std::optional<HttpResponse> handle(Exchange& exchange) override;
    [[nodiscard]] std::optional<std::size_t> body_bytes_max() const noexcept override {
        return decoding_.message_bytes_max;
    }
    [[nodiscard]] const Cors* cors() const noexcept override { return &cors_; }
    void config_changed() override;

private:
    struct Query;

    [[nodiscard]] std::optional<HttpResponse> open(Exchange& exchange, const Query& query,
                                                   bool socket);
    [[nodiscard]] std::optional<HttpResponse> poll(Exchange& exchange, EngineSession& session);
    [[nodiscard]] std::optional<HttpResponse> take_socket(Exchange& exchange,
                                                          EngineSession& session, bool carrying);

    Gate* gate_;
    std::string path_;
    ConfigSource config_;
    std::unique_ptr<EngineApplication> application_;
    EngineSessions sessions_;
    Cors cors_;
    protocol::WebSocketDecoderConfig decoding_;
};

}  // namespace parley::transports
