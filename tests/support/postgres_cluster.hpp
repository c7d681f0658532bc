// PostgresCluster: a PostgreSQL of the test's own, in a temporary folder, reached by a Unix socket
// there. It can be stopped, started and killed, and ends with the test. It doesn't wait for the disk:
// the machine's power does not fail here.
#pragma once

#include <grp.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/folder.hpp"

namespace parley::test {

// Asks again and again, until it holds. Throws, with what it waited for, where that takes too long.
inline void await(const std::function<bool()>& holds, const std::string& what,
                  std::chrono::seconds patience = std::chrono::seconds(60)) {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > give_up) {
            throw std::runtime_error("PostgreSQL: still not: " + what);
        }
        pollfd nothing{-1, 0, 0};
        ::poll(&nothing, 1, 10);
    }
}

// A connection of the test's own. Every wait of it has an end.
class PostgresSession {
public:
    explicit PostgresSession(const std::string& target) {
        // A server that was killed is away for a moment.
        await(
            [&] {
                connection_.reset(PQconnectdb((target + " connect_timeout=10").c_str()));
                return PQstatus(connection_.get()) == CONNECTION_OK;
            },
            "a connection to it");
    }
    [[nodiscard]] int process() const { return PQbackendPID(connection_.get()); }
    // The first column of what it gives.
    std::vector<std::string> query(const std::string& sql) {
        begin(sql);
        await([this] { return ended(); }, "an answer to " + sql);
        std::vector<std::string> values;
        while (PGresult* next = PQgetResult(connection_.get())) {
            const std::unique_ptr<PGresult, decltype(&PQclear)> result(next, &PQclear);
            const auto status = PQresultStatus(next);
            if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
                throw std::runtime_error(sql + ": " + PQerrorMessage(connection_.get()));
            }
            values.clear();
            for (int row = 0; row < PQntuples(next); ++row) {
                values.emplace_back(PQgetvalue(next, row, 0));
            }
        }
        return values;
    }
    // Asks without waiting.
    void begin(const std::string& sql) {
        if (PQsendQuery(connection_.get(), sql.c_str()) != 1) {
            throw std::runtime_error(sql + ": " + PQerrorMessage(connection_.get()));
        }
    }
    // That is answered.
    bool ended() {
        pollfd readable{PQsocket(connection_.get()), POLLIN, 0};
        if (::poll(&readable, 1, 0) > 0 && PQconsumeInput(connection_.get()) != 1) {
            throw std::runtime_error(PQerrorMessage(connection_.get()));
        }
        return PQisBusy(connection_.get()) == 0;
    }

private:
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, &PQfinish};
};

class PostgresCluster {
public:
    PostgresCluster() {
        // A server does not run as root.
        if (::geteuid() == 0) {
            user_ = ::getpwnam("postgres");
            if (user_ == nullptr) user_ = ::getpwnam("nobody");
            if (user_ == nullptr ||
                ::chown(folder_.path().c_str(), user_->pw_uid, user_->pw_gid) != 0) {
                throw std::runtime_error("no user for PostgreSQL");
            }
        }
        const int made =
            wait_for(launch({PARLEY_POSTGRES_BIN "/initdb", "-D", data(), "-U", "parley", "-N",
                             "--auth=trust", "--locale=C.UTF-8", "-E", "UTF8"}));
        if (made != 0) throw std::runtime_error("initdb failed: " + log());
        start();
    }
    ~PostgresCluster() {
        try {
            stop(SIGQUIT);
        } catch (const std::runtime_error&) {
            // It was killed then.
        }
    }
    PostgresCluster(const PostgresCluster&) = delete;
    PostgresCluster& operator=(const PostgresCluster&) = delete;

    // Every program has one, made when it is first asked for.
    static PostgresCluster& of_this_program() {
        static PostgresCluster cluster;
        return cluster;
    }

    void start() {
        if (server_ > 0) return;
        server_ = launch({PARLEY_POSTGRES_BIN "/postgres", "-D", data(), "-k", folder_.path(), "-c",
                          "listen_addresses=", "-c", "max_connections=50", "-c", "fsync=off"});
        const std::string place = target("postgres") + " connect_timeout=10";
        await([&place] { return PQping(place.c_str()) == PQPING_OK; }, "ready for connections");
    }
    // SIGINT: ends its connections and itself; SIGQUIT: as a crash would.
    void stop(int signal = SIGINT) {
        if (server_ <= 0) return;
        ::kill(server_, signal);
        wait_for(std::exchange(server_, 0));
    }
    // Kills the processes that serve connections to that database, and with them, as a crash does,
    // all others; the server comes back by itself.
    void kill_connections(const std::string& database) {
        for (const std::string& pid :
             query("postgres",
                   "SELECT pid FROM pg_stat_activity WHERE datname = '" + database + "'")) {
            ::kill(std::stoi(pid), SIGKILL);
        }
    }

    // A new and empty database.
    std::string make_database() {
        const std::string name = "test" + std::to_string(++databases_);
        query("postgres", "CREATE DATABASE " + name);
        return name;
    }
    // As libpq takes it.
    [[nodiscard]] std::string target(const std::string& database) const {
        return "host=" + folder_.path() + " user=parley dbname=" + database;
    }
    // The first column of what it gives.
    std::vector<std::string> query(const std::string& database, const std::string& sql) {
        return PostgresSession(target(database)).query(sql);
    }

    // From then on no transaction that writes ends: each waits for a standby that is not there.
    void hold_commits() {
        held_ = true;
        query("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        query("postgres", "SELECT pg_reload_conf()");
        // That is so once the checkpointer has got to reading it.
        await([this] { return holds_commits(); }, "holding commits");
    }
    void let_commits_go() {
        if (!std::exchange(held_, false)) return;
        query("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
        query("postgres", "SELECT pg_reload_conf()");
        query("postgres", some_write);
    }

private:
    [[nodiscard]] std::string data() const { return folder_.file("data"); }
    [[nodiscard]] std::string log() const {
        std::ifstream file(folder_.file("log"));
        return {std::istreambuf_iterator<char>(file), {}};
    }
    pid_t launch(const std::vector<std::string>& command) {
        std::vector<char*> arguments;
        for (const auto& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
        arguments.push_back(nullptr);
        const std::string log_file = folder_.file("log");
        const pid_t child = ::fork();
        if (child != 0) return child;
        const bool dropped =
            user_ == nullptr || (::setgroups(0, nullptr) == 0 && ::setgid(user_->pw_gid) == 0 &&
                                 ::setuid(user_->pw_uid) == 0);
        if (dropped && ::prctl(PR_SET_PDEATHSIG, SIGQUIT) == 0 && ::chdir("/") == 0 &&
            ::freopen(log_file.c_str(), "a", stdout) != nullptr &&
            ::freopen(log_file.c_str(), "a", stderr) != nullptr) {
            ::execv(arguments[0], arguments.data());
        }
        ::_exit(127);
    }
    static int wait_for(pid_t child) {
        int status = 0;
        try {
            await([&] { return ::waitpid(child, &status, WNOHANG) == child; }, "ended");
        } catch (const std::runtime_error&) {
            ::kill(child, SIGKILL);
            ::waitpid(child, &status, 0);
            throw;
        }
        return status;
    }
    // Whether one more transaction has to wait.
    bool holds_commits() {
        PostgresSession writer(target("postgres"));
        const std::string process = std::to_string(writer.process());
        writer.begin(some_write);
        bool waits = false;
        await(
            [&] {
                waits = !query("postgres",
                               "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                               " AND pid = " +
                                   process)
                             .empty();
                return waits || writer.ended();
            },
            "a write that ends or waits");
        if (waits) query("postgres", "SELECT pg_terminate_backend(" + process + ", 10000)");
        return waits;
    }

    static constexpr const char* some_write = "SELECT pg_logical_emit_message(true, 'test', '')";

    Folder folder_;
    const passwd* user_ = nullptr;
    pid_t server_ = 0;
    int databases_ = 0;
    bool held_ = false;
};

}  // namespace parley::test
