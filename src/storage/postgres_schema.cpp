#include "storage/postgres_schema.hpp"

#include <array>
#include <span>

namespace parley::storage {
namespace {

// Of what is done at a start.
constexpr milliseconds patience{10'000};
constexpr milliseconds migration_patience{600'000};

constexpr std::array first_version{
    "CREATE TABLE parley_rooms ("
    " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " run bigint NOT NULL,"
    " removed_to bigint NOT NULL DEFAULT 0,"
    " epoch text NOT NULL,"
    " name text COLLATE \"C\" NOT NULL UNIQUE)",
    "CREATE TABLE parley_messages ("
    " room bigint NOT NULL,"
    " \"offset\" bigint NOT NULL,"
    " at timestamptz NOT NULL,"
    " bytes_before bigint NOT NULL,"
    " json text NOT NULL,"
    " PRIMARY KEY (room, \"offset\"))",
    // Users and keys are bytes: they may hold what PostgreSQL takes for no text.
    "CREATE TABLE parley_keys ("
    " room bigint NOT NULL,"
    " \"offset\" bigint NOT NULL,"
    " at timestamptz NOT NULL,"
    " \"user\" bytea NOT NULL,"
    " key bytea NOT NULL,"
    " PRIMARY KEY (room, \"user\", key))",
    "CREATE INDEX parley_keys_at ON parley_keys (at)",
};

constexpr std::array second_version{
    "ALTER TABLE parley_rooms ADD COLUMN indexed_to bigint NOT NULL DEFAULT 0",
    "CREATE TABLE parley_blocks ("
    " room bigint NOT NULL,"
    " block bigint NOT NULL,"
    " words tsvector NOT NULL,"
    " PRIMARY KEY (room, block))",
    // Entries that wait in a list of their own would be looked through by each search.
    "CREATE INDEX parley_blocks_words ON parley_blocks USING gin (words) WITH (fastupdate = off)",
    "CREATE TABLE parley_sessions ("
    " place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " until timestamptz NOT NULL,"
    " key bytea NOT NULL,"
    " state bytea NOT NULL)",
    // What is searched of a message. JSON may hold \u0000, PostgreSQL's text not.
    "CREATE FUNCTION parley_said(json text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS "
    "$$ SELECT lower(left(replace(json, '\\u0000', '\\u0020')::json ->> 'text', 250000)) $$",
};

// One a version, from the first on.
constexpr std::array<std::span<const char* const>, postgres_schema_version> migrations{
    first_version, second_version};

}  // namespace

awaitable<void> set_up_session(PostgresConnection& connection) {
    // What is acked has to be on the disk, and what was sent on must not get lost by a crash of the
    // server alone: with durability async nobody waits for the commit, so that it may as well be a
    // real one. Whoever wants more (remote_apply) keeps it.
    // Plans: of each statement there is one good one, which reads an index, from the first row on.
    // A connection whose peer vanished gives its locks back.
    connection.send_sql(
        "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
        "         WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false),"
        " set_config('plan_cache_mode', 'force_generic_plan', false),"
        " set_config('enable_seqscan', 'off', false),"
        " set_config('max_parallel_workers_per_gather', '0', false),"
        " set_config('jit', 'off', false),"
        " set_config('standard_conforming_strings', 'on', false),"
        " set_config('client_min_messages', 'error', false),"
        " set_config('idle_in_transaction_session_timeout', '15s', false),"
        " set_config('lock_timeout', '10s', false),"
        " set_config('statement_timeout', '15s', false),"
        " set_config('tcp_keepalives_idle', '10', false),"
        " set_config('tcp_keepalives_interval', '5', false),"
        " set_config('tcp_keepalives_count', '3', false)");
    connection.send_sql(
        "SELECT current_setting('server_encoding'), current_schema() IS NOT NULL,"
        " current_setting('server_version_num')::bigint");
    const auto results = co_await connection.run(patience);
    const PostgresResult& facts = results.back();
    if (facts.text(0, 0) != "UTF8") {
        throw PostgresError("the database has the encoding " + std::string(facts.text(0, 0)) +
                            ", expected UTF8");
    }
    if (!facts.truth(0, 1)) {
        throw PostgresError("no schema of the search_path exists: there is nowhere to keep tables");
    }
    if (facts.number(0, 2) < 120'000) throw PostgresError("PostgreSQL 12 or later is expected");
}

awaitable<bool> lock_database(PostgresConnection& connection, const std::string& name, int former) {
    if (former != 0) {
        // The server may not have noticed yet that we are gone from there, and is perhaps in the
        // middle of a commit.
        PostgresParameters which;
        which.number(static_cast<std::uint64_t>(former)).text(name);
        connection.send_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid = $1::int8 AND application_name = $2::text",
            which);
        co_await connection.run(patience);
    }
    connection.send_sql(
        "SELECT pg_try_advisory_lock(hashtext('parley'), hashtext(current_schema()::text))");
    const auto results = co_await connection.run(patience);
    co_return results.front().truth(0, 0);
}

awaitable<void> migrate(PostgresConnection& connection) {
    connection.send_sql(
        "SELECT to_regclass(quote_ident(current_schema()) || '.parley_meta') IS NOT NULL");
    const auto exists = co_await connection.run(patience);
    std::int64_t version = 0;
    if (exists.front().truth(0, 0)) {
        connection.send_sql("SELECT value FROM parley_meta WHERE name = 'version'");
        const auto known = co_await connection.run(patience);
        version = static_cast<std::int64_t>(known.front().number(0, 0));
    }
    if (version > postgres_schema_version) {
        throw PostgresError("the database has schema version " + std::to_string(version) +
                            ", this parleyd knows up to " +
                            std::to_string(postgres_schema_version));
    }
    if (version == postgres_schema_version) co_return;
    connection.send_sql("BEGIN");
    connection.send_sql("SET LOCAL statement_timeout = 0");
    if (version == 0) {
        connection.send_sql(
            "CREATE TABLE parley_meta (name text PRIMARY KEY, value bigint NOT NULL)");
        connection.send_sql(
            "INSERT INTO parley_meta VALUES"
            " ('version', 0), ('run', 0), ('void_run', 0), ('clean', 1), ('sync', 1)");
    }
    for (const auto& step : std::span(migrations).subspan(static_cast<std::size_t>(version))) {
        for (const char* sql : step) connection.send_sql(sql);
    }
    PostgresParameters reached;
    reached.number(postgres_schema_version);
    connection.send_sql("UPDATE parley_meta SET value = $1::int8 WHERE name = 'version'", reached);
    connection.send_sql("COMMIT");
    co_await connection.run(migration_patience);
}

awaitable<PostgresRun> begin_run(PostgresConnection& connection, bool sync) {
    PostgresParameters durability;
    durability.number(sync ? 1 : 0);
    connection.send_sql("BEGIN");
    connection.send_sql("UPDATE parley_meta SET value = value + 1 WHERE name = 'run'");
    connection.send_sql(
        "UPDATE parley_meta SET value = (SELECT value FROM parley_meta WHERE name = 'run')"
        " WHERE name = 'void_run' AND (SELECT sum(value) FROM parley_meta"
        "  WHERE name IN ('clean', 'sync')) = 0");
    connection.send_sql("UPDATE parley_meta SET value = 0 WHERE name = 'clean'");
    connection.send_sql("UPDATE parley_meta SET value = $1::int8 WHERE name = 'sync'", durability);
    connection.send_sql(
        "SELECT (SELECT value FROM parley_meta WHERE name = 'run'),"
        " (SELECT value FROM parley_meta WHERE name = 'void_run')");
    connection.send_sql("COMMIT");
    const auto results = co_await connection.run(patience);
    const PostgresResult& run = results[results.size() - 2];
    co_return PostgresRun{run.number(0, 0), run.number(0, 1)};
}

awaitable<void> check_run(PostgresConnection& connection, const PostgresRun& run) {
    connection.send_sql("SELECT value FROM parley_meta WHERE name = 'run'");
    const auto results = co_await connection.run(patience);
    if (results.front().number(0, 0) == run.number) co_return;
    throw PostgresError("another parleyd has used the database in the meantime: restart this one");
}

}  // namespace parley::storage
