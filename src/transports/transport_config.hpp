// TransportConfig: what an operator may choose of sockets, HTTP and WebSocket, with its defaults.
//
// Path:     config_file, command_line → [TransportConfig] → Gate
// Runs on:  built at start; then read by any thread, changed by none.
// Owned by: the server (composition root), a test.
// Bounds:   core/config.hpp bounds messages and connections.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "protocol/socketio_chat.hpp"
#include "transports/io_choice.hpp"
#include "transports/socketio/engine_config.hpp"
#include "transports/socketio/socketio_config.hpp"
#include "transports/tls_config.hpp"

namespace parley::transports {

using std::chrono::milliseconds;

// [socketio]
struct SocketIoSettings {
    bool enabled = true;
    EngineConfig engine;
    SocketIoConfig connection;
    protocol::SocketIoChatConfig chat;
};

struct TransportConfig {
    // Connections that the kernel completes before they are accepted; net.core.somaxconn caps it.
    int backlog = 4096;
    IoChoice io = IoChoice::epoll;  // how bytes leave

    // [http]
    std::size_t header_bytes = 16 * 1024;  // the head of a request; more is 431
    std::size_t target_bytes = 8 * 1024;   // of it the target; more is 414
    std::size_t body_bytes = 64 * 1024;    // its body; more is 413
    milliseconds head_timeout{10'000};     // from its first byte, or from accepting, to its last
    milliseconds body_timeout{30'000};     // from the head's end to the body's
    milliseconds idle_timeout{60'000};     // between two requests of one connection
    milliseconds write_timeout{30'000};    // for every 64 KiB of an answer to be taken
    milliseconds answer_timeout{5'000};    // for another shard's part of an answer; then 503
    // Who may open a WebSocket from a page: "https://chat.example.org", "https://*.example.org",
    // "*". A page of this host and port always may, and so may what sends no Origin.
    std::vector<std::string> allowed_origins;
    bool gzip = true;  // answers over 1 KiB, where asked for
    // Networks of proxies, whose word is taken for who a connection or a request comes from.
    std::vector<std::string> trusted_proxies;
    bool use_forwarded = false;   // they say it in Forwarded, not in X-Forwarded-For
    bool proxy_protocol = false;  // and ahead of each connection, by the PROXY protocol
    bool secure_cookies = false;  // a proxy in front speaks TLS: cookies are for that alone

    // [longpoll]
    milliseconds wait_max{60'000};  // what `wait` may ask for

    // [sse]
    milliseconds sse_heartbeat{15'000};  // between two comments
    milliseconds sse_retry{3'000};       // what clients wait before they reconnect, about

    // [websocket]
    std::size_t fragments_max = 1024;    // frames of one message
    milliseconds close_timeout{5'000};   // for the peer's part of a closing handshake
    bool deflate = true;                 // permessage-deflate where a client offers it
    int deflate_level = 1;               // 1 to 9
    std::size_t deflate_min_bytes = 96;  // a smaller publication goes as it is

    SocketIoSettings socketio;

    TlsConfig tls;  // [tls]
};

}  // namespace parley::transports
