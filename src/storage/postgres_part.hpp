// PostgresContext, PostgresPart: what the parts of the PostgreSQL store share, and what each
// of them does alike: it has one connection, serves what it is given by it, and gets a new one when
// it ends.
//
// Path:     PostgresStore → [PostgresPart] → PostgresConnection
// Runs on:  the engine's thread.
// Owned by: PostgresStore.
// Bounds:   a lost connection is tried again after 100 ms, then after twice as long each time, up to
//           a second, or once another part has got one; while the store closes up to 200 ms.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "storage/engine.hpp"
#include "storage/postgres_connection.hpp"
#include "storage/postgres_rooms.hpp"
#include "storage/postgres_schema.hpp"
#include "storage/postgres_sql.hpp"

namespace parley::storage {

struct PostgresContext {
    const core::Config& config;
    PostgresTarget target;
    std::string name;  // shown in pg_stat_activity; no other process has it
    EngineCounters& counters;
    std::function<void(const std::vector<AppendRequest>&, bool stored)> settle;
    PostgresRooms rooms;
    PostgresRun run{};
    // Appends and keys that were taken from the queue so far, and of those the ones that were
    // written or refused: in that order, so that a question waits for what was asked before it.
    std::uint64_t taken = 0;
    std::uint64_t settled = 0;
    // How often the writer's connection ended: what was read before may hold what is not to stay.
    std::uint64_t lost = 0;
    // How often a part got a connection.
    std::uint64_t came_up = 0;
    // Set where the store is to end: once all is written, and now.
    bool closing = false;
    bool abandoned = false;
    // Does as PostgresStore says where one of these changes: `up` of a part, `settled`.
    std::function<void()> went_up_or_down;
    std::function<void()> progressed;

    [[nodiscard]] bool sync() const noexcept {
        return config.history.durability == core::Durability::sync;
    }
};

class PostgresPart {
public:
    PostgresPart(boost::asio::io_context& io, PostgresContext& context)
        : io_(io), context_(context), connection_(io), bell_(io) {}
    virtual ~PostgresPart() = default;
    PostgresPart(const PostgresPart&) = delete;
    PostgresPart& operator=(const PostgresPart&) = delete;

    // Connects for the first time. Throws.
    awaitable<void> start();
    // Serves until the store closes. Its connection failing is no failure of this.
    awaitable<void> serve();
    // Something may be to be done.
    void ring();
    // Ends what it waits for.
    void abandon();

    [[nodiscard]] bool up() const noexcept { return up_; }
    // Why it is not up.
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

protected:
    // Connects. Throws PostgresError, as do the next two.
    awaitable<void> connect();
    // Prepares those, of a schema that is up to date, and makes sure that it can be written.
    awaitable<void> prepare(std::span<const PostgresStatement* const> statements);
    // Waits until it is rung for, or until then; throws where the connection ends meanwhile.
    awaitable<void> wait(core::TimePoint until = core::TimePoint::max());

    // Something was done: the next failure is not one of a row of them. A connection alone does not
    // show that; on a full disk it is the first batch that fails.
    void works() noexcept { pause_ = milliseconds(0); }

    [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }
    [[nodiscard]] PostgresContext& context() const noexcept { return context_; }
    [[nodiscard]] PostgresConnection& connection() noexcept { return connection_; }

private:
    // Makes it ready to serve.
    virtual awaitable<void> go_up() = 0;
    // Does what there is to do, or waits for it.
    virtual awaitable<void> step() = 0;
    // The store closes, and all that it waited for is done.
    [[nodiscard]] virtual bool finished() const noexcept { return false; }
    // It can't serve any more, for now: what waits that may not wait so long is answered.
    virtual void went_down() = 0;

    // What was wrong; empty where nothing was.
    awaitable<std::string> try_step();
    awaitable<void> back_off(bool was_up);

    boost::asio::io_context& io_;
    PostgresContext& context_;
    PostgresConnection connection_;
    boost::asio::steady_timer bell_;
    bool rung_ = false;
    bool up_ = false;
    std::string error_;
    milliseconds pause_{0};
};

}  // namespace parley::storage
