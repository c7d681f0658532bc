#include "storage/postgres_store.hpp"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <random>
#include <stdexcept>
#include <utility>

#include "core/clock.hpp"
#include "core/ids.hpp"

namespace parley::storage {
namespace {

// With async nobody waits for a commit: what comes within this is one transaction.
constexpr milliseconds gather{20};
constexpr milliseconds close_patience{5'000};
// Of sessions that are kept for the next run, at the start and the end of one.
constexpr milliseconds session_patience{5'000};
constexpr milliseconds session_pause{200};  // between two attempts

// How this process is named among the database's connections.
std::string connection_name() {
    std::random_device seed;
    std::mt19937_64 random(std::uint64_t{seed()} << 32 | seed());
    return "parleyd " + core::random_id(random, 10);
}

}  // namespace

PostgresStore::PostgresStore(const std::string& spec, const core::Config& config, OnTrouble tell,
                             OnTrouble tell_unread) try
    : Engine(
          config, [this](bool urgent) { boost::asio::post(io_, [this, urgent] { rung(urgent); }); },
          std::move(tell)),
      context_(make_context(spec)),
      writer_(io_, context_,
              [this](const std::string& room, const PostgresRoom& row, std::uint64_t messages,
                     std::uint64_t forgotten) { keeper_.note(room, row, messages, forgotten); }),
      reader_(io_, context_),
      keeper_(io_, context_),
      searcher_(io_, context_, keeper_),
      tell_unread_(std::move(tell_unread)),
      gathering_(io_),
      closing_(io_) {
    start();
} catch (const std::exception& error) {
    throw std::runtime_error(std::string("history in PostgreSQL: ") + error.what());
}

PostgresContext PostgresStore::make_context(const std::string& spec) {
    return {.config = config(),
            .target = postgres_target_of(spec),
            .name = connection_name(),
            .counters = counted(),
            .settle = [this](const auto& appends, bool stored) { settle(appends, stored); },
            .rooms = PostgresRooms(config()),
            .went_up_or_down =
                [this] {
                    review();
                    writer_.ring();
                    progressed();
                },
            .progressed = [this] { progressed(); }};
}

void PostgresStore::close() noexcept {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] {
        take_up();
        context_.closing = true;
        writer_.ring();
        closing_.expires_after(close_patience);
        closing_.async_wait([this](const boost::system::error_code& error) {
            if (!error) abandon();
        });
    });
    thread_.join();
}

void PostgresStore::start() {
    // One after the other, here and now: what is wrong is the caller's to know.
    const std::array<PostgresPart*, 4> parts{&writer_, &reader_, &searcher_, &keeper_};
    for (PostgresPart* part : parts) {
        std::exception_ptr failure;
        boost::asio::co_spawn(io_, part->start(),
                              [&failure](const std::exception_ptr& error) { failure = error; });
        io_.restart();
        io_.run();
        if (failure) std::rethrow_exception(failure);
    }
    io_.restart();
    // A part catches what may befall its connection: what comes out of it is a defect.
    const auto ended = [this](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
    };
    boost::asio::co_spawn(io_, writer_.serve(), [this, ended](const std::exception_ptr& error) {
        ended(error);
        closing_.cancel();
        abandon();
    });
    boost::asio::co_spawn(io_, reader_.serve(), ended);
    boost::asio::co_spawn(io_, searcher_.serve(), ended);
    boost::asio::co_spawn(io_, keeper_.serve(), ended);
    thread_ = std::thread([this] { io_.run(); });
}

std::vector<core::StoredSession> PostgresStore::take_sessions() {
    if (std::exchange(sessions_taken_, true)) return {};
    if (!thread_.joinable()) return {};
    try {
        return boost::asio::co_spawn(io_, read_sessions(), boost::asio::use_future).get();
    } catch (const std::exception&) {
        return {};
    }
}

void PostgresStore::keep_sessions(std::vector<core::StoredSession>&& sessions) {
    if (!thread_.joinable()) return;
    try {
        boost::asio::co_spawn(io_, write_sessions(sessions), boost::asio::use_future).get();
    } catch (const std::exception&) {
        // They begin afresh.
    }
}

awaitable<std::vector<core::StoredSession>> PostgresStore::read_sessions() {
    PostgresConnection connection(io_);
    co_await connection.connect(context_.target, context_.name);
    connection.send_sql(postgres_sql::sessions.sql);
    const auto results = co_await connection.run(session_patience);
    std::vector<core::StoredSession> sessions;
    for (int row = 0; row < results.front().rows(); ++row) {
        sessions.push_back({std::string(results.front().text(row, 0)), results.front().time(row, 1),
                            std::string(results.front().text(row, 2))});
    }
    co_return sessions;
}

awaitable<void> PostgresStore::write_sessions(const std::vector<core::StoredSession>& sessions) {
    PostgresArray keys(PostgresArray::Of::bytea);
    PostgresArray until(PostgresArray::Of::timestamptz);
    PostgresArray states(PostgresArray::Of::bytea);
    for (const core::StoredSession& session : sessions) {
        keys.push(session.key);
        until.push(session.until);
        states.push(session.state);
    }
    PostgresParameters all;
    all.array(keys).array(until).array(states);
    const auto give_up = core::monotonic_now() + session_patience;
    while (!co_await try_write_sessions(all) && core::monotonic_now() < give_up) {
        boost::asio::steady_timer pause(io_, session_pause);
        co_await pause.async_wait(boost::asio::use_awaitable);
    }
}

awaitable<bool> PostgresStore::try_write_sessions(const PostgresParameters& sessions) {
    try {
        PostgresConnection connection(io_);
        co_await connection.connect(context_.target, context_.name);
        co_await check_run(connection, context_.run);
        connection.send_sql(postgres_sql::drop_sessions.sql);
        connection.send_sql(postgres_sql::keep_sessions.sql, sessions);
        co_await connection.run(session_patience);
    } catch (const PostgresError&) {
        co_return false;
    }
    co_return true;
}

void PostgresStore::rung(bool urgent) {
    if (urgent || sync()) {
        gathering_.cancel();
        take_up();
        return;
    }
    gathering_.expires_after(gather);
    gathering_.async_wait([this](const boost::system::error_code& error) {
        if (!error) take_up();
    });
}

void PostgresStore::take_up() {
    queue().take_all(taken_);
    for (StoreRequest& request : taken_) {
        if (auto* append = std::get_if<AppendRequest>(&request)) {
            writer_.take(std::move(*append));
        } else if (auto* remember = std::get_if<RememberRequest>(&request)) {
            writer_.take(std::move(*remember));
        } else if (auto* open = std::get_if<OpenRequest>(&request)) {
            reader_.take(std::move(*open));
        } else if (auto* page = std::get_if<PageRequest>(&request)) {
            reader_.take(std::move(*page));
        } else if (auto* search = std::get_if<SearchRequest>(&request)) {
            searcher_.take(std::move(*search));
        }
    }
    taken_.clear();
    review();
    writer_.ring();
    progressed();
}

void PostgresStore::review() {
    writer_.refuse_while_down();
    if (!writer_.up() || !reader_.up()) reader_.refuse();
    if (!writer_.up() || !searcher_.up()) searcher_.refuse();
    set_trouble(writer_.up() ? std::string() : "PostgreSQL: " + writer_.error());
    review_reads();
}

// Who can't read is answered so; what is said is written all the same.
void PostgresStore::review_reads() {
    const PostgresPart* failing = !reader_.up()     ? static_cast<const PostgresPart*>(&reader_)
                                  : !searcher_.up() ? static_cast<const PostgresPart*>(&searcher_)
                                                    : nullptr;
    // Where nothing can be written either that is said already.
    const bool told = failing == nullptr || !writer_.up();
    std::string why = told ? std::string() : "PostgreSQL: " + failing->error();
    if (why == unread_) return;
    unread_ = std::move(why);
    if (tell_unread_) tell_unread_(unread_);
}

void PostgresStore::progressed() {
    reader_.ring();
    searcher_.ring();
    keeper_.ring();
}

void PostgresStore::abandon() {
    context_.abandoned = true;
    writer_.abandon();
    reader_.abandon();
    searcher_.abandon();
    keeper_.abandon();
}

}  // namespace parley::storage
