#include "storage/postgres_part.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "core/clock.hpp"

namespace parley::storage {
namespace {

constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable);

constexpr milliseconds prepare_patience{10'000};
constexpr milliseconds pause_first{100};
constexpr milliseconds pause_max{1'000};
constexpr milliseconds pause_max_closing{200};

}  // namespace

awaitable<void> PostgresPart::start() {
    try {
        co_await go_up();
    } catch (...) {
        connection_.close();  // nobody waits for its deadline any more
        throw;
    }
}

void PostgresPart::ring() {
    rung_ = true;
    bell_.cancel();
}

void PostgresPart::abandon() {
    connection_.abandon();
    ring();
}

awaitable<void> PostgresPart::connect() {
    co_await connection_.connect(context_.target, context_.name);
    co_await set_up_session(connection_);
}

awaitable<void> PostgresPart::prepare(std::span<const PostgresStatement* const> statements) {
    for (const PostgresStatement* statement : statements) connection_.prepare(*statement);
    connection_.send_sql(postgres_sql::probe.sql);
    co_await connection_.run(prepare_patience);
}

awaitable<void> PostgresPart::wait(core::TimePoint until) {
    using namespace boost::asio::experimental::awaitable_operators;
    if (std::exchange(rung_, false)) co_return;
    bell_.expires_at(until);
    const auto first = co_await (bell_.async_wait(token) || connection_.ended());
    rung_ = false;
    if (first.index() == 1) throw PostgresError("the server ended the connection");
}

awaitable<void> PostgresPart::serve() {
    up_ = connection_.open();
    while (!context_.abandoned && !finished()) {
        std::string error = co_await try_step();
        if (error.empty() || context_.abandoned) continue;
        connection_.close();
        error_ = std::move(error);
        const bool was_up = std::exchange(up_, false);
        if (was_up) went_down();
        context_.went_up_or_down();
        co_await back_off(was_up);
    }
    connection_.close();
}

awaitable<std::string> PostgresPart::try_step() {
    try {
        if (up_) {
            co_await step();
        } else {
            co_await go_up();
            up_ = true;
            error_.clear();
            ++context_.came_up;
            context_.went_up_or_down();
        }
    } catch (const std::exception& error) {
        co_return error.what();
    }
    co_return std::string();
}

awaitable<void> PostgresPart::back_off(bool was_up) {
    const bool closing = context_.closing;
    const std::uint64_t came_up = context_.came_up;
    pause_ = std::clamp(pause_ * 2, pause_first, closing ? pause_max_closing : pause_max);
    const auto until = core::monotonic_now() + pause_;
    // It is rung for what comes in meanwhile, too. Once another part has a connection there may be one
    // for this, if that is what it lacks; once the store closes there is no time to lose.
    const auto waits = [&] {
        return closing == context_.closing && (was_up || came_up == context_.came_up) &&
               core::monotonic_now() < until;
    };
    while (!context_.abandoned && !finished() && waits()) {
        bell_.expires_at(until);
        co_await bell_.async_wait(token);
    }
    rung_ = true;
}

}  // namespace parley::storage
