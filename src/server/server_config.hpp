// ServerConfig: everything that an operator may choose, with its defaults.
//
// Path:     ConfigSources, CommandLine → [ServerConfig] → Server
// Runs on:  the main thread.
// Owned by: Server.
// Bounds:   the ranges in the table of settings (settings.cpp).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "auth/auth_config.hpp"
#include "core/config.hpp"
#include "core/file_store.hpp"
#include "server/values.hpp"
#include "transports/log.hpp"
#include "transports/transport_config.hpp"

namespace parley::server {

// [log]
struct LogConfig {
    transports::log::Level level = transports::log::Level::info;
    transports::log::Format format = transports::log::Format::text;
};

// [admin]
struct AdminConfig {
    std::optional<Endpoint> listen = Endpoint{boost::asio::ip::address_v4::loopback(), 9464};
    milliseconds stalled_after{10'000};  // a shard that owes its turn for this long is stalled
};

struct ServerConfig {
    std::vector<Endpoint> listen{{boost::asio::ip::tcp::v4(), 8080}};
    std::vector<Endpoint> tls_listen;  // tls.listen; empty: no TLS
    std::uint32_t shards = 0;          // 0: one per CPU that this process may run on
    LogConfig log;
    AdminConfig admin;
    std::string history_store = "memory";  // or sqlite:PATH, postgres:URL
    core::Config core;  // `core.shards` is set from `shards` when the server starts
    transports::TransportConfig transports;
    auth::AccountsConfig accounts;
    auth::JwtConfig jwt;
    core::FilesConfig files;
};

}  // namespace parley::server
