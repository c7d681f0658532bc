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
#include "server/accounts_setup.hpp"
#include "server/config_file.hpp"
#include "server/file_metrics.hpp"
#include "server/history_engine.hpp"
#include "server/machine.hpp"
#include "transports/frontend_table.hpp"
#include "transports/log.hpp"
#include "transports/send_ring.hpp"

namespace parley::server {
namespace {

namespace log = transports::log;
using boost::asio::ip::tcp;
using std::chrono::seconds;
using transports::ListenerKind;

std::string_view name_of(ListenerKind kind) {
    return kind == ListenerKind::tls ? "tls" : "plain";
}

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

// Says in `welcome` what not every server has, so that a client shows no more than there is.
ServerConfig with_features(ServerConfig config) {
    auto& features = config.core.features;
    if (!config.accounts.store.empty()) features.emplace_back("accounts");
    if (!config.core.access.anonymous) features.emplace_back("accounts_only");
    if (!config.files.folder.empty()) {
        features.emplace_back("files");
        config.core.file_bytes = config.files.size_max;
    }
    if (config.history_store != "memory") features.emplace_back("search");
    return config;
}

using Threads = std::vector<std::unique_ptr<transports::ShardThread>>;

// Whether the shards gather their writes (io_uring). Throws std::runtime_error where that is asked
// for and not to be had.
bool choose_uring(transports::IoChoice choice) {
    using transports::IoChoice;
    if (choice == IoChoice::epoll) return false;
    const auto refusal = transports::send_ring_refusal();
    if (refusal && choice == IoChoice::uring) {
        throw std::runtime_error("io is uring, and this kernel refuses it: " + *refusal +
                                 " (expected Linux 6.1 or later, kernel.io_uring_disabled=0 and no "
                                 "seccomp filter against it; io=auto takes epoll then)");
    }
    if (refusal) log::info("io_uring refused, epoll it is", {{"cause", *refusal}});
    return !refusal;
}

Threads make_threads(std::uint32_t count, bool uring) {
    Threads threads;
    for (std::uint32_t i = 0; i < count; ++i) {
        threads.push_back(std::make_unique<transports::ShardThread>(uring));
    }
    return threads;
}

std::unique_ptr<core::Hub> make_hub(const core::Config& config, const Threads& threads,
                                    core::HistoryStore* history) {
    std::vector<core::ShardLoop*> loops;
    for (const auto& thread : threads) loops.push_back(thread.get());
    return std::make_unique<core::Hub>(config, loops, core::machine_now(), random_seed(), history);
}

// Null where there are none. Throws std::runtime_error that names what can't be used.
std::unique_ptr<storage::DiskFileStore> make_files(const core::FilesConfig& config) {
    if (config.folder.empty()) return nullptr;
    storage::DiskFileStoreHooks hooks;
    hooks.now_ms = [] {
        const auto wall = core::machine_now().wall.time_since_epoch();
        return std::chrono::duration_cast<std::chrono::milliseconds>(wall).count();
    };
    hooks.report = [](std::string_view why) {
        if (why.empty()) return log::info("files are kept again", {});
        log::error("files can't be kept or read", {{"cause", why}});
    };
    try {
        return std::make_unique<storage::DiskFileStore>(config, std::move(hooks));
    } catch (const std::exception& error) {
        throw std::runtime_error("files.folder: " + std::string(error.what()));
    }
}

}  // namespace

Server::Server(const ServerConfig& config, std::function<ServerConfig()> reread)
    : config_(with_features(with_shards(config))),
      reread_(std::move(reread)),
      signals_(io_),
      cut_off_(io_),
      accounts_lock_(lock_accounts(config_)),
      accounts_(make_accounts(config_)),
      uring_(choose_uring(config_.transports.io)),
      threads_(make_threads(config_.core.shards, uring_)),
      history_(make_history_engine(config_)),
      files_(make_files(config_.files)),
      records_(make_room_records(config_)),
      hub_(make_hub(config_.core, threads_, history_.get())),
      operation_(io_, *hub_, connections_, config_) {
    for (std::uint32_t i = 0; i < config_.core.shards; ++i) {
        threads_[i]->attach(hub_->shard(i));
        gates_.push_back(std::make_unique<transports::Gate>(*threads_[i], config_.transports,
                                                            connections_, transports::frontends));
    }
    for (const auto& gate : gates_) {
        gate->set_neighbours(gates_);
        gate->set_file_store(files_.get());
    }
    hub_->set_files(files_.get());
    if (accounts_) {
        hub_->set_accounts(accounts_.get());
        accounts_->attach(*hub_);
        operation_.add_metrics(accounts_metrics(*accounts_));
    }
    hub_->set_records(records_.get());
    hub_->set_audit_log([this](const core::AuditRecord& record) { audit_.write(record); });
    operation_.add_metrics(room_records_metrics(records_.get(), audit_));
    operation_.add_metrics(read_marks_metrics(hub_->read_marks()));
    operation_.add_metrics(file_metrics(files_ ? &files_->counters() : nullptr));
    if (!config_.tls_listen.empty()) load_certificates();
    operation_.add_metrics({{"parley_io_info", "1, with how bytes leave: epoll or uring.",
                             transports::admin::MetricSource::Kind::gauge, [uring = uring_] {
                                 return std::vector<transports::admin::Sample>{
                                     {{{"io", uring ? "uring" : "epoll"}}, 1}};
                             }}});
    if (history_) operation_.add_metrics(history_metrics(*history_));
    operation_.add_metrics({{"parley_certificate_expiry_timestamp_seconds",
                             "When the first of the certificates ends, in seconds since 1970.",
                             transports::admin::MetricSource::Kind::gauge, [this] {
                                 std::vector<transports::admin::Sample> samples;
                                 if (tls_) {
                                     samples.push_back({{}, static_cast<double>(tls_->expires())});
                                 }
                                 return samples;
                             }}});
}

void Server::load_certificates() {
    tls_ = std::make_unique<TlsKeeper>(io_, config_.transports.tls,
                                       [this](const auto& fresh) { tls_reloaded(fresh); });
    for (const auto& gate : gates_) gate->set_tls(tls_->contexts());
}

// The gates' side of TlsKeeper::Reloaded.
void Server::tls_reloaded(const std::shared_ptr<const transports::TlsContexts>& fresh) {
    hub_->shard(0).post([done = fresh != nullptr](core::Shard& shard) {
        shard.metrics().add(done ? core::Metric::tls_reloads : core::Metric::tls_reload_failures);
    });
    for (std::size_t i = 0; fresh && i < gates_.size(); ++i) {
        hub_->shard(i).post([this, i, fresh](core::Shard&) { gates_[i]->set_tls(fresh); });
    }
}

Server::~Server() {
    stop_threads();
    hub_->settle(core::machine_now());
    if (records_) records_->close();
    if (history_) history_->close();  // while its answers have somewhere to go
    if (files_) files_->stop();
}

void Server::listen() {
    using Purpose = InheritedSocket::Purpose;
    const auto inherited = ServiceManager::inherited_sockets();
    const auto is_inherited = [&](Purpose purpose) {
        return std::ranges::count(inherited, purpose, &InheritedSocket::purpose) > 0;
    };
    // Who hands over sockets has chosen the addresses.
    const bool admin_inherited = is_inherited(Purpose::admin);
    if (config_.admin.listen && !admin_inherited) {
        refuse_port_in_use(*config_.admin.listen, " for the admin listener");
    }
    std::vector<int> admin;
    for (const auto& [purpose, descriptor] : inherited) {
        if (purpose == Purpose::admin) {
            admin.push_back(descriptor);
        } else {
            listen_inherited(descriptor,
                             purpose == Purpose::https ? ListenerKind::tls : ListenerKind::plain);
        }
    }
    if (!is_inherited(Purpose::http)) {
        for (const auto& endpoint : config_.listen) listen_on(endpoint, ListenerKind::plain);
    }
    if (!is_inherited(Purpose::https)) {
        for (const auto& endpoint : config_.tls_listen) listen_on(endpoint, ListenerKind::tls);
    }
    operation_.listen(config_, admin);
}

void Server::listen_on(Endpoint endpoint, ListenerKind kind) {
    refuse_port_in_use(endpoint);
    // Where any port will do, the first gate's is everybody's.
    for (const auto& gate : gates_) endpoint = gate->listen(endpoint, kind);
    log::info("listening", {{"address", format_endpoint(endpoint)}, {"listener", name_of(kind)}});
}

void Server::listen_inherited(int descriptor, ListenerKind kind) {
    if (kind == ListenerKind::tls && !tls_) {
        throw std::runtime_error(
            "an inherited socket is named https: TLS needs tls.listen, tls.cert and tls.key");
    }
    Endpoint endpoint;
    for (const auto& gate : gates_) endpoint = gate->listen_on(descriptor, kind);
    log::info(
        "listening",
        {{"address", format_endpoint(endpoint)}, {"listener", name_of(kind)}, {"inherited", true}});
}

void Server::serve() {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.add(SIGHUP);
    wait_for_signal();
    hub_->take_up_sessions(core::machine_now());
    for (const auto& thread : threads_) thread->start();
    log::info("ready", {{"shards", threads_.size()},
                        {"io", uring_ ? "uring" : "epoll"},
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
    try {
        auto plan = plan_reload(config_, with_shards(reread_()));
        const bool whole = reload_certificates(plan);
        apply(plan);
        operation_.reload_ended(whole);
        log::info("reloaded", {{"log_level", log::name_of(config_.log.level)},
                               {"changed", plan.applied.size()},
                               {"needs_restart", plan.waiting.size()},
                               {"whole", whole}});
    } catch (const ConfigError& failure) {
        operation_.reload_ended(false);
        log::error("not reloaded, the old values stay", {{"error", failure.what()}});
    }
}

// Loads certificates anew, changed or not. Where that fails they stay as they are, and so do the
// settings of theirs in the plan.
bool Server::reload_certificates(ReloadPlan& plan) {
    if (!tls_ || tls_->reload(plan.config.transports.tls)) return true;
    plan.config.transports.tls = config_.transports.tls;
    std::erase_if(plan.applied,
                  [](const SettingChange& change) { return change.key.starts_with("tls."); });
    return false;
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

void Server::stop_threads() noexcept {
    // First: they hand their answers to the shards.
    if (accounts_) accounts_->stop();
    for (const auto& thread : threads_) thread->stop();
    for (const auto& thread : threads_) thread->join();
}

}  // namespace parley::server
