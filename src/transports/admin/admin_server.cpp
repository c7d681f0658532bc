#include "transports/admin/admin_server.hpp"

#include <utility>

#include "transports/admin/admin_frontends.hpp"

namespace parley::transports::admin {
namespace {

core::Config hub_config() {
    core::Config config;
    config.limits.connections = AdminServer::connections_max;
    return config;
}

// Whoever asks an admin listener does so directly.
TransportConfig without_proxy_protocol(TransportConfig config) {
    config.proxy_protocol = false;
    return config;
}

}  // namespace

AdminServer::AdminServer(const TransportConfig& config, ServerView view)
    : view_(std::move(view)),
      hub_(hub_config(), {&thread_}, core::machine_now(), 0),
      gate_((thread_.attach(hub_.shard(0)), thread_), without_proxy_protocol(config), connections_,
            {}) {
    gate_.add_frontend(make_metrics_frontend(view_));
    gate_.add_frontend(make_probes_frontend(view_));
    gate_.add_frontend(make_debug_frontend(view_));
}

AdminServer::~AdminServer() {
    thread_.stop();
    thread_.join();
}

boost::asio::ip::tcp::endpoint AdminServer::listen(const boost::asio::ip::tcp::endpoint& endpoint) {
    return gate_.listen(endpoint);
}

boost::asio::ip::tcp::endpoint AdminServer::listen_on(int descriptor) {
    return gate_.listen_on(descriptor);
}

void AdminServer::start() {
    thread_.start();
}

}  // namespace parley::transports::admin
