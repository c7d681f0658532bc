#include "storage/sqlite_schema.hpp"

#include <array>
#include <stdexcept>
#include <string>

namespace parley::storage {
namespace {

// meta     run          how often the file was opened to be written
//          clean        1 after an end at which all was written
//          durability   of the run that opened it last: "sync" or "async"
//          void_run     epochs that rooms have from an earlier run than this are void
// rooms    run          in which the epoch was given or found good
//          last_offset  at the time when messages were last removed; there may be later ones
constexpr std::string_view version_1 = R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE rooms(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    run INTEGER NOT NULL,
    last_offset INTEGER NOT NULL DEFAULT 0);
CREATE TABLE messages(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE send_keys(
    room INTEGER NOT NULL,
    user TEXT NOT NULL,
    key TEXT NOT NULL,
    offset INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY(room, user, key)) WITHOUT ROWID;
CREATE INDEX send_keys_by_age ON send_keys(at);
)sql";

// words    the texts of messages up to rooms.indexed; a message's row is its key
constexpr std::string_view version_2 = R"sql(
ALTER TABLE rooms ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
CREATE VIRTUAL TABLE words USING fts5(
    text, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2');
)sql";

// sessions that were lost and may come back: state as the core has it, until in ms since 1970
constexpr std::string_view version_3 = R"sql(
CREATE TABLE sessions(key TEXT PRIMARY KEY, until INTEGER NOT NULL, state TEXT NOT NULL);
)sql";

constexpr std::array migrations{version_1, version_2, version_3};

}  // namespace

std::span<const std::string_view> sqlite_migrations() noexcept {
    return migrations;
}

void migrate(SqliteDatabase& database) {
    const auto found = static_cast<std::size_t>(database.number("PRAGMA user_version"));
    if (found > migrations.size()) {
        throw std::runtime_error("it is of schema version " + std::to_string(found) +
                                 ", and this program knows versions up to " +
                                 std::to_string(migrations.size()));
    }
    if (found == migrations.size()) return;
    try {
        database.run("BEGIN IMMEDIATE");
        for (std::size_t i = found; i < migrations.size(); ++i) {
            database.run(std::string(migrations[i]).c_str());
        }
        const std::string mark = "PRAGMA user_version = " + std::to_string(migrations.size());
        database.run(mark.c_str());
        database.run("COMMIT");
    } catch (const SqliteError&) {
        database.rollback();
        throw;
    }
}

}  // namespace parley::storage
