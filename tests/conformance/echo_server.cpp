// parley_echo_server: echoes WebSocket messages at `/` and `/wsecho` and HTTP bodies at `/hello`,
// over the transports that the chat server uses, for conformance suites.
#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "conformance/echo_frontends.hpp"
#include "core/hub.hpp"
#include "transports/gate.hpp"

namespace parley::conformance {
namespace {

using boost::asio::ip::tcp;

struct Options {
    std::uint16_t port = 0;
    std::size_t message_bytes = 16 * 1024 * 1024;
    std::size_t fragments = 65'536;
    bool no_deflate = false;
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
    return config;
}

void serve(const Options& options) {
    boost::asio::io_context signals_io;
    boost::asio::signal_set signals(signals_io, SIGTERM, SIGINT);
    signals.async_wait([](const boost::system::error_code&, int) {});

    transports::ShardThread thread;
    core::Hub hub(core_config(options), {&thread}, core::machine_now(), 1);
    thread.attach(hub.shard(0));
    const transports::TransportConfig config = transport_config(options);
    transports::Admission connections;
    {
        transports::Gate gate(thread, config, connections, echo_frontends);
        const auto endpoint = gate.listen({boost::asio::ip::address_v4::loopback(), options.port});
        std::cout << "listening on " << endpoint << std::endl;
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
    CLI::App app("Echoes WebSocket messages at / and /wsecho and HTTP bodies at /hello.");
    app.add_option("--port", options.port, "port on 127.0.0.1; 0: any that is free")
        ->capture_default_str();
    app.add_option("--message-bytes", options.message_bytes, "longest message or body")
        ->capture_default_str();
    app.add_option("--fragments", options.fragments, "most frames of one message")
        ->capture_default_str();
    app.add_flag("--no-deflate", options.no_deflate, "do not agree to permessage-deflate");
    CLI11_PARSE(app, argc, argv);
    try {
        parley::conformance::serve(options);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
