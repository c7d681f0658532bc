// AdminServer: the listener that operators and their machines ask: metrics, probes, what weighs
// most.
//
// Path:     kernel → [AdminServer] → HttpConnection → the admin frontends
// Runs on:  built by the main thread; then a thread of its own.
// Owned by: the server (composition root). What its view points to outlives it.
// Bounds:   connections_max; further ones are answered 503.
//
// It is a gate like any other on a shard of its own, of a hub without rooms, so that HTTP is spoken
// by the same code; but on a thread that serves nobody else: it must answer when a shard does not,
// and a scrape must not take time from sessions. Its connections are in no counter of the server.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>

#include "core/hub.hpp"
#include "transports/admin/server_view.hpp"
#include "transports/gate.hpp"
#include "transports/shard_thread.hpp"
#include "transports/transport_config.hpp"

namespace parley::transports::admin {

class AdminServer {
public:
    static constexpr std::size_t connections_max = 64;

    AdminServer(const TransportConfig& config, ServerView view);
    // Ends what is left, without goodbyes.
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    // Both before start(). Gives back where it listens; throws std::system_error, naming the
    // address. The descriptor is one of a socket that listens already (socket activation).
    boost::asio::ip::tcp::endpoint listen(const boost::asio::ip::tcp::endpoint& endpoint);
    boost::asio::ip::tcp::endpoint listen_on(int descriptor);
    // Answers from here on.
    void start();

private:
    ServerView view_;
    ShardThread thread_;
    core::Hub hub_;
    Admission connections_;
    Gate gate_;
};

}  // namespace parley::transports::admin
