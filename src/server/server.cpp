#include "server/server.hpp"

#include <algorithm>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <system_error>

#include "core/limits.hpp"
#include "server/config_file.hpp"
#include "server/machine.hpp"
#include "transports/frontend_table.hpp"
#include "transports/log.hpp"

namespace parley::server {
namespace {

namespace log = transports::log;
using boost::asio::ip::tcp;
using std::chrono::seconds;

// Past the drain's deadline: a gate that has not reported by then is not waited for.
constexpr seconds cut_off_grace{2};

std::string_view signal_name(int number) {
    switch (number) {
        case SIGINT:
            return "SIGINT";
        case SIGTERM:
            return "SIGTERM";
        default:
            return "SIGHUP";
    }
}

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
}

// The gates share each port (SO_REUSEPORT), and so would a second server of the same user,
// unnoticed, each with half of the connections. A socket that does not share finds out.
void refuse_port_in_use(const tcp::endpoint& endpoint, const std::string& purpose = "") {
    boost::asio::io_context io;
    tcp::acceptor probe(io);
    boost::system::error_code failure;
    probe.open(endpoint.protocol(), failure);
    if (!failure) probe.set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure && endpoint.address().is_v6()) {
        probe.set_option(boost::asio::ip::v6_only(true), failure);
    }
    if (!failure) probe.bind(endpoint, failure);
    if (!failure) probe.listen(1, failure);
    if (failure) {
        throw std::system_error(failure.value(), std::system_category(),
                                "cannot listen on " + format_endpoint(endpoint) + purpose);
    }
}

ServerConfig with_shards(ServerConfig config) {
    config.core.shards =
        config.shards != 0 ? config.shards : std::min(usable_cpus(), core::limits::shards_max);
    return config;
}

using Threads = std::vector<std::unique_ptr<transports::ShardThread>>;

Threads make_threads(std::uint32_t count) {
    Threads threads;
    for (std::uint32_t i = 0; i < count; ++i) {
        threads.push_back(std::make_unique<transports::ShardThread>());
    }
    return threads;
}

std::unique_ptr<core::Hub> make_hub(const core::Config& config, const Threads& threads) {
    std::vector<core::ShardLoop*> loops;
    for (const auto& thread : threads) loops.push_back(thread.get());
    return std::make_unique<core::Hub>(config, loops, core::machine_now(), random_seed());
}

}  // namespace

Server::Server(const ServerConfig& config, std::function<ServerConfig()> reread)
    : config_(with_shards(config)),
      reread_(std::move(reread)),
      signals_(io_),
      cut_off_(io_),
      threads_(make_threads(config_.core.shards)),
      hub_(make_hub(config_.core, threads_)),
      operation_(io_, *hub_, connections_, config_) {
    for (std::uint32_t i = 0; i < config_.core.shards; ++i) {
        threads_[i]->attach(hub_->shard(i));
        gates_.push_back(std::make_unique<transports::Gate>(*threads_[i], config_.transports,
                                                            connections_, transports::frontends));
    }
}

Server::~Server() {
    stop_threads();
}

void Server::listen() {
    using Purpose = InheritedSocket::Purpose;
    std::vector<int> admin;
    bool inherited = false;
    for (const auto& socket : ServiceManager::inherited_sockets()) {
        if (socket.purpose == Purpose::https) {
            throw std::runtime_error("an inherited socket is named https: TLS is not configured");
        }
        if (socket.purpose == Purpose::admin) {
            admin.push_back(socket.descriptor);
        } else {
            listen_inherited(socket.descriptor);
            inherited = true;
        }
    }
    if (config_.admin.listen && admin.empty()) {
        refuse_port_in_use(*config_.admin.listen, " for the admin listener");
    }
    // Who hands over sockets has chosen the addresses.
    if (!inherited) listen_on_addresses();
    operation_.listen(config_, admin);
}

void Server::listen_on_addresses() {
    for (auto endpoint : config_.listen) {
        refuse_port_in_use(endpoint);
        // Where any port will do, the first gate's is everybody's.
        for (const auto& gate : gates_) endpoint = gate->listen(endpoint);
        log::info("listening", {{"address", format_endpoint(endpoint)}, {"listener", "plain"}});
    }
}

void Server::listen_inherited(int descriptor) {
    Endpoint endpoint;
    for (const auto& gate : gates_) endpoint = gate->listen_on(descriptor);
    log::info("listening",
              {{"address", format_endpoint(endpoint)}, {"listener", "plain"}, {"inherited", true}});
}

void Server::on_reload(std::string name, ReloadStep step) {
    reload_steps_.insert_or_assign(std::move(name), std::move(step));
}

void Server::serve() {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.add(SIGHUP);
    wait_for_signal();
    for (const auto& thread : threads_) thread->start();
    log::info("ready", {{"shards", threads_.size()},
                        {"connections_max", config_.core.limits.connections},
                        {"limits", config_.core.limits.enabled}});
    operation_.serving();
    io_.run();
    stop_threads();
    log::info("stopped", {{"connections_cut", connections_.now()}});
}

void Server::wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) return;
        wait_for_signal();
        on_signal(number);
    });
}

void Server::on_signal(int number) {
    if (number == SIGHUP) {
        reload();
    } else if (!draining_) {
        drain(number);
    } else {
        log::warn("ending at once", {{"signal", signal_name(number)}});
        io_.stop();
    }
}

void Server::drain(int signal_number) {
    draining_ = true;
    operation_.draining(signal_name(signal_number));
    const auto deadline = config_.core.drain.deadline;
    log::info("draining", {{"signal", signal_name(signal_number)},
                           {"deadline", format_duration(deadline)},
                           {"connections", connections_.now()}});
    gates_left_ = gates_.size();
    for (std::size_t i = 0; i < gates_.size(); ++i) {
        hub_->shard(i).post([this, i, deadline](core::Shard&) {
            gates_[i]->drain(deadline,
                             [this] { boost::asio::post(io_, [this] { one_gate_gone(); }); });
        });
    }
    cut_off_.expires_after(deadline + cut_off_grace);
    cut_off_.async_wait([this](const boost::system::error_code& error) {
        if (!error) io_.stop();
    });
}

void Server::one_gate_gone() {
    if (--gates_left_ == 0) io_.stop();
}

void Server::reload() {
    operation_.reload_begins();
    bool well = false;
    try {
        const auto fresh = with_shards(reread_());
        const auto plan = plan_reload(config_, fresh);
        apply(plan);
        well = run_reload_steps(fresh);
        log::info("reloaded", {{"log_level", log::name_of(config_.log.level)},
                               {"changed", plan.applied.size()},
                               {"needs_restart", plan.waiting.size()},
                               {"whole", well}});
    } catch (const ConfigError& failure) {
        log::error("not reloaded, the old values stay", {{"error", failure.what()}});
    }
    operation_.reload_ended(well);
}

// Puts the plan's configuration in force. Each shard takes it on its own thread, between two turns:
// nothing that it reads while it works changes under it.
void Server::apply(const ReloadPlan& plan) {
    log::set_level(plan.config.log.level);
    for (const auto& change : plan.applied) {
        log::info("setting changed",
                  {{"setting", change.key}, {"from", change.from}, {"to", change.to}});
    }
    for (const auto& change : plan.waiting) {
        log::warn("setting needs a restart",
                  {{"setting", change.key}, {"from", change.from}, {"to", change.to}});
    }
    config_ = plan.config;
    operation_.reconfigured(config_.core.limits);
    const auto snapshot = std::make_shared<const ServerConfig>(config_);
    for (std::size_t i = 0; i < gates_.size(); ++i) {
        hub_->shard(i).post([snapshot, gate = gates_[i].get()](core::Shard&) {
            gate->reconfigure(snapshot->core.limits, snapshot->transports);
        });
    }
}

bool Server::run_reload_steps(const ServerConfig& fresh) {
    bool well = true;
    for (const auto& [name, step] : reload_steps_) {
        try {
            step(fresh);
        } catch (const std::exception& failure) {
            well = false;
            log::error("not reloaded, the old one stays",
                       {{"what", name}, {"error", failure.what()}});
        }
    }
    return well;
}

void Server::stop_threads() noexcept {
    for (const auto& thread : threads_) thread->stop();
    for (const auto& thread : threads_) thread->join();
}

}  // namespace parley::server
