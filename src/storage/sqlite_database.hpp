// SqliteDatabase: one connection to an SQLite file and its prepared statements, as values that clean
// up after themselves.
//
// Path:     SqliteStore, SqliteReader → [SqliteDatabase] → the file
// Runs on:  one thread at a time.
// Owned by: whoever opened it.
// Bounds:   busy_timeout for somebody else's lock.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace parley::storage {

// What SQLite said: its words for the code, and more where it has more.
class SqliteError : public std::runtime_error {
public:
    SqliteError(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
    [[nodiscard]] int code() const noexcept { return code_; }

private:
    int code_;
};

class SqliteDatabase {
public:
    enum class Access : std::uint8_t { write, read };
    // Makes the file where there is none (Access::write). Throws SqliteError.
    SqliteDatabase(const std::string& path, Access access);

    // Runs statements that give no rows. Throws SqliteError.
    void run(const char* sql);
    // The first column of the first row; 0 where there is none. Throws SqliteError.
    [[nodiscard]] std::int64_t number(const char* sql);
    // Takes back a transaction that is under way, if one is. Never throws.
    void rollback() noexcept;
    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept;
    };
    std::unique_ptr<sqlite3, Close> handle_;
};

// A transaction that is taken back when it goes.
class SqliteRollback {
public:
    // Throws SqliteError.
    explicit SqliteRollback(SqliteDatabase& database) : database_(&database) {
        database.rollback();  // one that could not be taken back
        database.run("BEGIN");
    }
    ~SqliteRollback() { database_->rollback(); }
    SqliteRollback(const SqliteRollback&) = delete;
    SqliteRollback& operator=(const SqliteRollback&) = delete;

private:
    SqliteDatabase* database_;
};

// A prepared statement. Texts that are bound must live until the next rewind().
class SqliteStatement {
public:
    // Throws SqliteError.
    SqliteStatement(SqliteDatabase& database, std::string_view sql);

    SqliteStatement& bind(int index, std::int64_t value);
    SqliteStatement& bind(int index, std::string_view text);
    // True when a row stands ready, false at the end, where it rewinds. Throws SqliteError, rewound.
    [[nodiscard]] bool step();
    // Steps through to the end.
    void run();
    // To be bound and stepped anew; a row left unread is let go.
    void rewind() noexcept;
    // Of the row that stands ready; the text until the next step.
    [[nodiscard]] std::int64_t number(int column) const noexcept;
    [[nodiscard]] std::string_view text(int column) const noexcept;

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace parley::storage
