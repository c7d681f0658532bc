// Operation: how the server is watched while it runs: the admin listener, the watch over the
// shards, what systemd is told, and the metrics of the process as a whole.
//
// Path:     Server → [Operation] → AdminServer, ShardWatch, ServiceManager
// Runs on:  the main thread; readiness() and the metrics also on the admin thread.
// Owned by: Server; ends before the hub that it looks at.
// Bounds:   none of its own.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/hub.hpp"
#include "server/server_config.hpp"
#include "server/service_manager.hpp"
#include "transports/admin/admin_server.hpp"
#include "transports/admin/shard_watch.hpp"
#include "transports/gate.hpp"

namespace parley::server {

class Operation {
public:
    // `io` is run by the main thread. All three outlive it.
    Operation(boost::asio::io_context& io, core::Hub& hub, transports::Admission& admission,
              const ServerConfig& config);

    // Adds metrics that are asked for at each scrape, on the admin thread. Before serving().
    void add_metrics(std::vector<transports::admin::MetricSource> sources);
    // Makes the admin listener, on the inherited sockets where there are any, else on its address
    // where one is set. Throws std::system_error that names the address. Before serving().
    void listen(const ServerConfig& config, const std::vector<int>& inherited);

    // The shards turn: answers on the admin listener, watches, and tells systemd.
    void serving();
    void draining(std::string_view why);
    // New limits are in force.
    void reconfigured(const core::LimitsConfig& limits) noexcept;
    void reload_begins() const;
    void reload_ended(bool well);

private:
    void tick();
    void say_status() const;
    [[nodiscard]] std::string status_text() const;
    [[nodiscard]] transports::admin::Readiness readiness() const noexcept;
    [[nodiscard]] std::vector<transports::admin::MetricSource> own_metrics();

    core::Hub* hub_;
    transports::Admission* connections_;
    std::chrono::milliseconds stalled_after_;
    boost::asio::steady_timer timer_;
    std::chrono::steady_clock::duration tick_every_;
    bool feeds_watchdog_ = false;
    std::uint64_t ticks_ = 0;

    // Written by the main thread, read by the admin thread; each stands for itself.
    std::atomic<bool> draining_{false};
    std::atomic<std::size_t> connections_max_;
    std::atomic<std::size_t> memory_max_;
    std::atomic<std::uint64_t> reloads_{0};
    std::atomic<std::uint64_t> reloads_failed_{0};
    std::atomic<bool> last_reload_well_{true};

    ServiceManager systemd_;
    transports::admin::ShardWatch watch_;
    std::vector<transports::admin::MetricSource> sources_;
    std::optional<transports::admin::AdminServer> admin_;  // last: its thread looks at the rest
};

}  // namespace parley::server
