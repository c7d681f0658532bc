// PostgresStore: histories in a PostgreSQL database: one thread, on which four parts share the work,
// each with a connection of its own: the writer, the reader, the searcher and the keeper.
//
// Path:     RoomHome → Engine → [PostgresStore] → PostgresWriter, PostgresReader, PostgresSearcher,
//           PostgresKeeper
// Runs on:  the calls of HistoryStore on shards; the rest on the engine's thread.
// Owned by: the server (composition root), a test.
// Bounds:   the parts' own; WriteQueue's before it. A database that is away: with sync what waits is
//           refused, with async it stays queued; questions are answered `unavailable`; connected
//           anew as PostgresPart says.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <thread>
#include <vector>

#include "storage/engine.hpp"
#include "storage/postgres_keeper.hpp"
#include "storage/postgres_reader.hpp"
#include "storage/postgres_searcher.hpp"
#include "storage/postgres_writer.hpp"

namespace parley::storage {

class PostgresStore final : public Engine {
public:
    // `spec` as postgres_target_of() has it. Connects, and makes the tables or brings them to this
    // version where need be. Throws std::runtime_error that says what is wrong, without a password:
    // nobody there, no access, another parleyd at work there, a schema of a later version.
    // `tell_unread` is told, as `tell` is, where messages are written and can't be read: that refuses
    // nobody's sends.
    PostgresStore(const std::string& spec, const core::Config& config, OnTrouble tell,
                  OnTrouble tell_unread = {});
    ~PostgresStore() override { close(); }

    // Gives up after close_patience.
    void close() noexcept override;

    [[nodiscard]] std::vector<core::StoredSession> take_sessions() override;
    void keep_sessions(std::vector<core::StoredSession>&& sessions) override;

private:
    [[nodiscard]] PostgresContext make_context(const std::string& spec);
    void start();
    awaitable<std::vector<core::StoredSession>> read_sessions();
    awaitable<void> write_sessions(const std::vector<core::StoredSession>& sessions);
    awaitable<bool> try_write_sessions(const PostgresParameters& sessions);
    void rung(bool urgent);
    // Hands what is queued to the parts.
    void take_up();
    // Answers what can't be done as the parts are, and tells of trouble.
    void review();
    void review_reads();
    void progressed();
    void abandon();

    boost::asio::io_context io_{1};
    PostgresContext context_;
    PostgresWriter writer_;
    PostgresReader reader_;
    PostgresKeeper keeper_;
    PostgresSearcher searcher_;
    OnTrouble tell_unread_;
    std::string unread_;  // why; empty where they can be read
    boost::asio::steady_timer gathering_;
    boost::asio::steady_timer closing_;
    std::vector<StoreRequest> taken_;
    bool sessions_taken_ = false;  // those of the run before
    std::thread thread_;
};

}  // namespace parley::storage
