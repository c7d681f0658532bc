// parley_echo_server: echoes WebSocket messages at `/` and `/wsecho`, HTTP bodies at `/hello`,
// Engine.IO messages at `/engine.io/` and Socket.IO events at `/socket.io/`, over the transports that
// the chat server uses, for conformance suites.
#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "conformance/echo_frontends.hpp"
#include "conformance/engineio_echo.hpp"
#include "conformance/socketio_echo.hpp"
#include "core/hub.hpp"
#include "transports/gate.hpp"
#include "transports/send_ring.hpp"
#include "transports/socketio/engine_frontend.hpp"
#include "transports/tls_contexts.hpp"

namespace parley::conformance {
namespace {

using boost::asio::ip::tcp;

struct Options {
    std::uint16_t port = 0;
    std::size_t message_bytes = 16 * 1024 * 1024;
    std::size_t fragments = 65'536;
    bool no_deflate = false;
    std::int64_t ping_interval = 25'000;
    std::int64_t ping_timeout = 20'000;
    std::int64_t connect_timeout = 45'000;
    std::size_t max_payload = 1'000'000;
    std::string tls_cert;
    std::string tls_key;
};

core::Config core_config(const Options& options) {
    core::Config config;
    config.limits.message_bytes = options.message_bytes;
    // A suite counts the frames that it is sent: pings of the server's own stay out of it.
    config.heartbeat.ping_every = std::chrono::hours(24);
    config.heartbeat.dead_after = std::chrono::hours(24);
    return config;
}

transports::TransportConfig transport_config(const Options& options) {
    transports::TransportConfig config;
    config.fragments_max = options.fragments;
    config.deflate = !options.no_deflate;
    config.body_bytes = options.message_bytes;
    config.allowed_origins = {"*"};  // a suite may be a page of anywhere
    return config;
}

void add_engines(transports::Gate& gate, const Options& options) {
    const auto engine = [options](const transports::Gate&) {
        transports::EngineConfig config;
        config.ping_interval = std::chrono::milliseconds(options.ping_interval);
        config.ping_timeout = std::chrono::milliseconds(options.ping_timeout);
        config.max_payload = options.max_payload;
        return config;
    };
    transports::SocketIoConfig socketio;
    socketio.connect_timeout = std::chrono::milliseconds(options.connect_timeout);
    gate.add_frontend(std::make_unique<transports::EngineFrontend>(gate, "/engine.io/", engine,
                                                                   make_engineio_echo()));
    gate.add_frontend(std::make_unique<transports::EngineFrontend>(
        gate, "/socket.io/", engine,
        make_socketio_echo(gate.shard(), socketio, options.max_payload)));
}

// Listens on one port more, where a certificate is given.
void listen_tls(transports::Gate& gate, const Options& options) {
    if (options.tls_cert.empty()) return;
    transports::TlsConfig tls;
    tls.cert = {options.tls_cert};
    tls.key = {options.tls_key};
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
        core::machine_now().wall.time_since_epoch());
    gate.set_tls(std::make_shared<const transports::TlsContexts>(
        tls, std::make_shared<transports::TicketKeys>(), now.count()));
    const auto endpoint =
        gate.listen({boost::asio::ip::address_v4::loopback(), 0}, transports::ListenerKind::tls);
    std::cout << "listening with tls on " << endpoint << std::endl;
}

void serve(const Options& options) {
    boost::asio::io_context signals_io;
    boost::asio::signal_set signals(signals_io, SIGTERM, SIGINT);
    signals.async_wait([](const boost::system::error_code&, int) {});

    transports::Admission connections;
    transports::ShardThread thread(!transports::send_ring_refusal());
    core::Hub hub(core_config(options), {&thread}, core::machine_now(), 1);
    thread.attach(hub.shard(0));
    const transports::TransportConfig config = transport_config(options);
    {
        transports::Gate gate(thread, config, connections, echo_frontends);
        add_engines(gate, options);
        const auto endpoint = gate.listen({boost::asio::ip::address_v4::loopback(), options.port});
        std::cout << "listening on " << endpoint << std::endl;
        listen_tls(gate, options);
        thread.start();
        signals_io.run();
        thread.stop();
        thread.join();
    }
}

}  // namespace
}  // namespace parley::conformance

int main(int argc, char** argv) {
    parley::conformance::Options options;
    CLI::App app(
        "Echoes WebSocket messages at / and /wsecho, HTTP bodies at /hello, Engine.IO messages at "
        "/engine.io/ and Socket.IO events at /socket.io/.");
    app.add_option("--port", options.port, "port on 127.0.0.1; 0: any that is free")
        ->capture_default_str();
    app.add_option("--message-bytes", options.message_bytes, "longest message or body")
        ->capture_default_str();
    app.add_option("--fragments", options.fragments, "most frames of one message")
        ->capture_default_str();
    app.add_flag("--no-deflate", options.no_deflate, "do not agree to permessage-deflate");
    app.add_option("--ping-interval", options.ping_interval, "Engine.IO: milliseconds")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--ping-timeout", options.ping_timeout, "Engine.IO: milliseconds")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--max-payload", options.max_payload, "Engine.IO: bytes")->capture_default_str();
    app.add_option("--connect-timeout", options.connect_timeout, "Socket.IO: milliseconds")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    CLI::Option* const key = app.add_option("--tls-key", options.tls_key, "PEM file");
    app.add_option("--tls-cert", options.tls_cert, "PEM file: listen with TLS, too, on any port")
        ->needs(key);
    CLI11_PARSE(app, argc, argv);
    try {
        parley::conformance::serve(options);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
