// Database: an SQLite database and its statements as values that clean up behind themselves.
//
// Path:     AccountStore → [Database] → SQLite
// Runs on:  one thread at a time; it may wait for the disk.
// Owned by: AccountStore.
// Bounds:   busy_timeout for a file that somebody else has locked.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace parley::auth {

// What SQLite said; never anything that was stored.
class DatabaseError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Statement {
public:
    // Binds the next parameter.
    Statement& bind(std::int64_t value);
    Statement& bind(std::string_view text);
    Statement& bind(std::span<const std::uint8_t> bytes);
    Statement& bind(std::optional<std::int64_t> value);
    // True while there is a row. Throws DatabaseError.
    [[nodiscard]] bool step();
    // For what gives no rows.
    void run();

    [[nodiscard]] std::int64_t number(int column) const;
    [[nodiscard]] std::optional<std::int64_t> optional_number(int column) const;
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] std::span<const std::uint8_t> bytes(int column) const;

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };
    explicit Statement(sqlite3_stmt* statement) noexcept : statement_(statement) {}
    void check(int result) const;

    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int next_ = 1;
};

class Database {
public:
    // Opens the file, which is made where there is none, readable to its owner alone: WAL, and every
    // commit on disk when it returns. Throws DatabaseError that names the file.
    explicit Database(const std::string& path);

    [[nodiscard]] Statement prepare(std::string_view sql);
    void execute(const char* sql);
    // Rows that the last statement changed.
    [[nodiscard]] std::int64_t changes() const noexcept { return sqlite3_changes64(handle_.get()); }

    // All of it or nothing: rolls back unless it was committed.
    class Transaction {
    public:
        explicit Transaction(Database& database);
        ~Transaction();
        Transaction(const Transaction&) = delete;
        Transaction& operator=(const Transaction&) = delete;
        void commit();

    private:
        Database* database_;
        bool open_ = true;
    };

private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
    };
    std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace parley::auth
