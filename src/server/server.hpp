// Server: the composition root: one thread with its shard, gate and listeners per CPU, what signals
// do to them, and how all of it is watched (Operation).
//
// Path:     main → [Server] → ShardThread, Hub, Gate
// Runs on:  the main thread, with an event loop of its own for signals.
// Owned by: main.
// Bounds:   limits::shards_max threads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "auth/local_accounts.hpp"
#include "core/hub.hpp"
#include "server/operation.hpp"
#include "server/records_setup.hpp"
#include "server/reload.hpp"
#include "server/server_config.hpp"
#include "server/tls_keeper.hpp"
#include "storage/engine.hpp"
#include "storage/file_lock.hpp"
#include "storage/files/disk_file_store.hpp"
#include "transports/gate.hpp"
#include "transports/shard_thread.hpp"

namespace parley::server {

class Server {
public:
    // `reread` reads the configuration anew when SIGHUP asks for it; it may throw ConfigError.
    Server(const ServerConfig& config, std::function<ServerConfig()> reread);
    // Ends what still runs, without goodbyes.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Binds every address on every shard, or takes the sockets that systemd hands over instead of
    // them. Throws std::runtime_error that names the address or the socket.
    void listen();

    // Serves until a signal has ended it: SIGTERM and SIGINT drain, a second one ends at once.
    void serve();

private:
    void wait_for_signal();
    void on_signal(int number);
    void drain(int signal_number);
    void reload();
    void apply(const ReloadPlan& plan);
    [[nodiscard]] bool reload_certificates(ReloadPlan& plan);
    void load_certificates();
    void tls_reloaded(const std::shared_ptr<const transports::TlsContexts>& fresh);
    void listen_on(Endpoint endpoint, transports::ListenerKind kind);
    void listen_inherited(int descriptor, transports::ListenerKind kind);
    void one_gate_gone();
    void stop_threads() noexcept;

    ServerConfig config_;
    std::function<ServerConfig()> reread_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    boost::asio::steady_timer cut_off_;
    bool draining_ = false;
    std::size_t gates_left_ = 0;

    // The hub's shards post to nobody and are posted to by it until stop_threads().
    std::unique_ptr<storage::FileLock> accounts_lock_;
    std::unique_ptr<auth::LocalAccounts> accounts_;  // null where there are none
    // Ended in the opposite order: a gate needs its hub, a hub its threads' loops; and a connection
    // that is in the mail when the hub ends gives its place back, a download its file.
    transports::Admission connections_;
    bool uring_;  // writes are gathered (io_uring)
    std::vector<std::unique_ptr<transports::ShardThread>> threads_;
    std::unique_ptr<storage::Engine> history_;       // null: memory; answers to the hub's shards
    std::unique_ptr<storage::DiskFileStore> files_;  // null without files.folder
    AuditWriter audit_{&log_audit};                  // outlives the shards that write to it
    std::unique_ptr<storage::SqliteRoomRecords> records_;  // null without accounts.store
    std::unique_ptr<core::Hub> hub_;
    std::vector<std::unique_ptr<transports::Gate>> gates_;
    std::unique_ptr<TlsKeeper> tls_;  // null without tls.listen
    Operation operation_;             // ends first: it looks at the rest
};

}  // namespace parley::server
