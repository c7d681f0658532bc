// PostgresConnection: one connection to PostgreSQL that never blocks its thread: libpq's pipeline
// mode over an Asio descriptor. Statements are sent together and answered together.
//
// Path:     PostgresWriter, PostgresReader, PostgresKeeper → [PostgresConnection] → libpq
// Runs on:  the engine's thread.
// Owned by: the part of the store that it serves.
// Bounds:   each call takes as long as it is given patience for, then the connection is over; connect()
//           has that for each address.
#pragma once

#include <libpq-fe.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "storage/postgres_target.hpp"
#include "storage/postgres_values.hpp"

namespace parley::storage {

using boost::asio::awaitable;
using std::chrono::milliseconds;

// What PostgreSQL refused, or that it is not there. A connection on which that happened is of no more
// use where its transaction was in the middle of something. Only one coroutine a connection has to
// catch it, and an outage is no hot path; that is why it is an exception.
class PostgresError : public std::runtime_error {
public:
    explicit PostgresError(const std::string& what, std::string_view state = {})
        : std::runtime_error(what), state_(state) {}
    // True where the server gave up the statement at its statement_timeout. Outside of a BEGIN the
    // connection is as good as before.
    [[nodiscard]] bool took_too_long() const noexcept { return state_ == "57014"; }

private:
    std::string state_;  // the SQLSTATE; empty where the connection failed
};

// A statement that a connection prepares when it is made.
struct PostgresStatement {
    const char* name;
    const char* sql;
};

class PostgresConnection {
public:
    explicit PostgresConnection(boost::asio::io_context& io)
        : descriptor_(io), resolver_(io), deadline_(io) {}
    ~PostgresConnection() { close(); }
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;

    // Connects to the first address of the first host that takes it; `name` is shown in
    // pg_stat_activity. Throws PostgresError, as the rest does.
    awaitable<void> connect(const PostgresTarget& target, const std::string& name);
    void close() noexcept;
    [[nodiscard]] bool open() const noexcept { return connection_ != nullptr; }
    // Of the server's process that serves this connection.
    [[nodiscard]] int process() const noexcept { return process_; }

    // Puts something into the pipeline, for the next run().
    void send(const PostgresStatement& statement, const PostgresParameters& parameters = {});
    void send_sql(const char* sql, const PostgresParameters& parameters = {});
    void prepare(const PostgresStatement& statement);
    // Sends the pipeline, waits for all of its answers and returns them in order. Without a BEGIN
    // in it all of it is one transaction.
    awaitable<std::vector<PostgresResult>> run(milliseconds patience);
    // Returns once the connection has ended by itself; to be abandoned where something else comes
    // first.
    awaitable<void> ended();
    // Ends what is waited for, with an error, and all that is asked from now on.
    void abandon() noexcept;

private:
    awaitable<std::vector<std::string>> addresses_of(const PostgresHost& host,
                                                     milliseconds patience);
    awaitable<std::string> try_address(const PostgresTarget& target, const PostgresHost& host,
                                       const std::string& name);
    awaitable<void> dial(const PostgresTarget& target, const PostgresHost& host,
                         const std::string& name);
    void interrupt() noexcept;
    awaitable<void> wait(boost::asio::posix::stream_descriptor::wait_type what);
    awaitable<void> flush();
    awaitable<PostgresResult> next_result();
    void follow_socket();
    void arm(milliseconds patience);
    [[nodiscard]] PostgresError failed() const;

    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, &PQfinish};
    boost::asio::posix::stream_descriptor descriptor_;  // libpq's socket, lent
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::steady_timer deadline_;
    // What a deadline's handler that is queued already finds gone with this.
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
    bool interrupted_ = false;
    bool abandoned_ = false;
    int process_ = 0;
};

}  // namespace parley::storage
