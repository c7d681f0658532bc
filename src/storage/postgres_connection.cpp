#include "storage/postgres_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "core/clock.hpp"

namespace parley::storage {
namespace {

using boost::asio::posix::stream_descriptor;

constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable);

// libpq would print notices to standard error.
void drop_notice(void*, const PGresult*) noexcept {}

// A name that has to be looked up: no address, no socket's path, not libpq's default.
bool is_host_name(const PostgresHost& host) {
    if (!host.address.empty() || host.name.empty()) return false;
    if (host.name.front() == '/' || host.name.front() == '@') return false;
    boost::system::error_code no_address;
    boost::asio::ip::make_address(host.name, no_address);
    return no_address.failed();
}

std::string place_of(const PostgresHost& host) {
    const std::string address = host.address.empty() ? "" : " (" + host.address + ")";
    return "connection to server at \"" + host.name + "\"" + address + ": ";
}

}  // namespace

void PostgresConnection::close() noexcept {
    deadline_.cancel();
    if (descriptor_.is_open()) descriptor_.release();  // libpq closes it
    connection_.reset();
}

void PostgresConnection::interrupt() noexcept {
    interrupted_ = true;
    boost::system::error_code ignored;
    descriptor_.cancel(ignored);
    resolver_.cancel();
}

void PostgresConnection::abandon() noexcept {
    abandoned_ = true;
    interrupt();
}

PostgresError PostgresConnection::failed() const {
    if (!connection_) return PostgresError("out of memory");
    std::string what = in_one_line(PQerrorMessage(connection_.get()));
    return PostgresError(what.empty() ? "the connection was lost" : what);
}

void PostgresConnection::arm(milliseconds patience) {
    interrupted_ = abandoned_;
    deadline_.expires_at(core::monotonic_now() + patience);
    deadline_.async_wait(
        [this, alive = std::weak_ptr<const bool>(alive_)](const boost::system::error_code& error) {
            if (error || alive.expired()) return;
            // It may have been armed anew after this was queued.
            if (deadline_.expiry() <= core::monotonic_now()) interrupt();
        });
}

void PostgresConnection::follow_socket() {
    const int socket = PQsocket(connection_.get());
    if (socket < 0) throw failed();
    descriptor_.assign(socket);
}

awaitable<void> PostgresConnection::wait(stream_descriptor::wait_type what) {
    if (interrupted_) throw PostgresError("no answer in time");
    const auto [error] = co_await descriptor_.async_wait(what, token);
    if (interrupted_) throw PostgresError("no answer in time");
    if (error) throw PostgresError(error.message());
}

awaitable<void> PostgresConnection::connect(const PostgresTarget& target, const std::string& name) {
    std::string errors;
    const auto add = [&errors](const std::string& error) {
        if (errors.find(error) == std::string::npos) errors += (errors.empty() ? "" : "; ") + error;
    };
    for (const PostgresHost& host : target.hosts) {
        const auto addresses = co_await addresses_of(host, target.patience);
        if (addresses.empty()) add(place_of(host) + "the name is not known");
        for (const std::string& address : addresses) {
            const PostgresHost one{host.name, address, host.port};
            const std::string error = co_await try_address(target, one, name);
            if (error.empty()) co_return;
            if (abandoned_) throw PostgresError(error);
            add(error);
        }
    }
    throw PostgresError(errors);
}

awaitable<std::vector<std::string>> PostgresConnection::addresses_of(const PostgresHost& host,
                                                                     milliseconds patience) {
    std::vector<std::string> addresses;
    if (!is_host_name(host)) {
        addresses.push_back(host.address);
        co_return addresses;
    }
    arm(patience);
    // libpq would look it up on this thread.
    const auto [error, found] = co_await resolver_.async_resolve(host.name, "", token);
    deadline_.cancel();
    if (error) co_return addresses;
    for (const auto& entry : found) addresses.push_back(entry.endpoint().address().to_string());
    co_return addresses;
}

// Empty where it is connected.
awaitable<std::string> PostgresConnection::try_address(const PostgresTarget& target,
                                                       const PostgresHost& host,
                                                       const std::string& name) {
    try {
        co_await dial(target, host, name);
    } catch (const PostgresError& error) {
        const std::string what = error.what();
        close();
        // libpq says itself where it was.
        co_return what.starts_with("connection to") ? what : place_of(host) + what;
    }
    co_return std::string();
}

awaitable<void> PostgresConnection::dial(const PostgresTarget& target, const PostgresHost& host,
                                         const std::string& name) {
    close();
    // A host that vanished is noticed while nothing is said, too. What stands behind wins: what the
    // target says of that counts, what it says of the rest doesn't.
    std::vector<const char*> keywords{"keepalives_idle", "keepalives_interval", "keepalives_count",
                                      "tcp_user_timeout"};
    std::vector<const char*> values{"10", "5", "3", "15000"};
    const auto say = [&keywords, &values](const char* keyword, const std::string& value) {
        if (value.empty()) return;
        keywords.push_back(keyword);
        values.push_back(value.c_str());
    };
    const std::string encoding = "UTF8";
    for (const auto& [keyword, value] : target.options) say(keyword.c_str(), value);
    say("host", host.name);
    say("hostaddr", host.address);
    say("port", host.port);
    say("application_name", name);
    say("client_encoding", encoding);
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
    if (!connection_ || PQstatus(connection_.get()) == CONNECTION_BAD) throw failed();
    PQsetNoticeReceiver(connection_.get(), &drop_notice, nullptr);
    arm(target.patience);
    auto next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        follow_socket();
        co_await wait(next == PGRES_POLLING_READING ? stream_descriptor::wait_read
                                                    : stream_descriptor::wait_write);
        // Trying anew without TLS it closes one socket and opens another, which may get the same
        // number: Asio has to let go of the first one before.
        descriptor_.release();
        next = PQconnectPoll(connection_.get());
        if (next == PGRES_POLLING_FAILED) throw failed();
    }
    follow_socket();
    deadline_.cancel();
    process_ = PQbackendPID(connection_.get());
    if (PQsetnonblocking(connection_.get(), 1) != 0) throw failed();
    if (PQenterPipelineMode(connection_.get()) != 1) throw failed();
}

void PostgresConnection::send(const PostgresStatement& statement,
                              const PostgresParameters& parameters) {
    if (PQsendQueryPrepared(connection_.get(), statement.name, parameters.count(),
                            parameters.values(), parameters.lengths(), parameters.formats(),
                            1) != 1) {
        throw failed();
    }
}

void PostgresConnection::send_sql(const char* sql, const PostgresParameters& parameters) {
    if (PQsendQueryParams(connection_.get(), sql, parameters.count(), nullptr, parameters.values(),
                          parameters.lengths(), parameters.formats(), 1) != 1) {
        throw failed();
    }
}

void PostgresConnection::prepare(const PostgresStatement& statement) {
    if (PQsendPrepare(connection_.get(), statement.name, statement.sql, 0, nullptr) != 1) {
        throw failed();
    }
}

awaitable<void> PostgresConnection::flush() {
    using namespace boost::asio::experimental::awaitable_operators;
    for (;;) {
        const int left = PQflush(connection_.get());
        if (left < 0) throw failed();
        if (left == 0) co_return;
        // A server that waits for its answers to be read reads no more itself.
        co_await (descriptor_.async_wait(stream_descriptor::wait_write, token) ||
                  descriptor_.async_wait(stream_descriptor::wait_read, token));
        if (interrupted_) throw PostgresError("no answer in time");
        if (PQconsumeInput(connection_.get()) != 1) throw failed();
    }
}

awaitable<PostgresResult> PostgresConnection::next_result() {
    for (bool between = false;;) {
        while (PQisBusy(connection_.get()) == 1) {
            co_await wait(stream_descriptor::wait_read);
            if (PQconsumeInput(connection_.get()) != 1) throw failed();
        }
        PostgresResult result(PQgetResult(connection_.get()));
        // One null follows the results of each statement; a second one: there are no more.
        if (result || std::exchange(between, true)) co_return result;
    }
}

awaitable<std::vector<PostgresResult>> PostgresConnection::run(milliseconds patience) {
    if (PQpipelineSync(connection_.get()) != 1) throw failed();
    arm(patience);
    co_await flush();
    std::vector<PostgresResult> results;
    std::optional<PostgresError> failure;
    for (;;) {
        PostgresResult result = co_await next_result();
        if (!result) throw failure ? *failure : failed();
        const auto status = result.status();
        if (status == PGRES_PIPELINE_SYNC) break;
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
            results.push_back(std::move(result));
        } else if (!failure) {  // the server passes over what follows
            failure.emplace(result.error(), result.state());
        }
    }
    deadline_.cancel();
    if (failure) throw *failure;
    co_return results;
}

awaitable<void> PostgresConnection::ended() {
    for (;;) {
        const auto [error] = co_await descriptor_.async_wait(stream_descriptor::wait_read, token);
        if (error) co_return;
        // Farewells and news of parameters are read here, and the end.
        if (PQconsumeInput(connection_.get()) != 1) co_return;
        if (PQstatus(connection_.get()) == CONNECTION_BAD) co_return;
    }
}

}  // namespace parley::storage
