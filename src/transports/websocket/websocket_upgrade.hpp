// The opening handshake of a WebSocket over our HTTP (RFC 6455, section 4).
//
// Path:     HttpConnection → Frontend → [websocket_upgrade] → WebSocketConnection
// Runs on:  its shard.
// Owned by: nobody; no state.
// Bounds:   none of its own.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/websocket_handshake.hpp"
#include "transports/frontend.hpp"

namespace parley::transports {

// A request that may be upgraded.
struct AgreedUpgrade {
    std::string head;  // the answer 101 as it goes on the wire
    std::optional<protocol::DeflateAgreement> deflate;
};

// True where the request asks for a WebSocket at all.
[[nodiscard]] bool wants_websocket(const HttpRequest& request);

// Judges the request: what was agreed, or the refusal to answer with. An agreement on deflate by
// which the server would have less than `server_window_bits_min` is not made; the connection then
// goes on without.
[[nodiscard]] std::variant<AgreedUpgrade, HttpResponse> agree_upgrade(
    const HttpRequest& request, std::span<const std::string_view> subprotocols,
    const protocol::DeflateConfig& deflate, int server_window_bits_min);

}  // namespace parley::transports
