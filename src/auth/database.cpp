#include "auth/database.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace parley::auth {
namespace {

constexpr int busy_timeout_ms = 2'000;

}  // namespace

void Statement::check(int result) const {
    if (result == SQLITE_OK) return;
    throw DatabaseError(sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
}

Statement& Statement::bind(std::int64_t value) {
    check(sqlite3_bind_int64(statement_.get(), next_++, value));
    return *this;
}

Statement& Statement::bind(std::string_view text) {
    check(sqlite3_bind_text64(statement_.get(), next_++, text.data(), text.size(), SQLITE_TRANSIENT,
                              SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind(std::span<const std::uint8_t> bytes) {
    check(sqlite3_bind_blob64(statement_.get(), next_++, bytes.data(), bytes.size(),
                              SQLITE_TRANSIENT));
    return *this;
}

Statement& Statement::bind(std::optional<std::int64_t> value) {
    if (value) return bind(*value);
    check(sqlite3_bind_null(statement_.get(), next_++));
    return *this;
}

bool Statement::step() {
    const int result = sqlite3_step(statement_.get());
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    throw DatabaseError(sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
}

void Statement::run() {
    while (step()) {
    }
}

std::int64_t Statement::number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::optional<std::int64_t> Statement::optional_number(int column) const {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
    return number(column);
}

std::string Statement::text(int column) const {
    const auto* const text = sqlite3_column_text(statement_.get(), column);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::span<const std::uint8_t> Statement::bytes(int column) const {
    const auto* const data =
        static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Database::Database(const std::string& path) {
    // Made by us first: SQLite would let everybody read it whom the umask lets, and gives its log
    // the same rights as the file.
    const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (made >= 0) ::close(made);
    sqlite3* handle = nullptr;
    const int result =
        sqlite3_open_v2(path.c_str(), &handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(handle);
    if (result != SQLITE_OK) {
        throw DatabaseError(path + ": cannot be opened: " + sqlite3_errstr(result));
    }
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    try {
        execute("PRAGMA journal_mode = WAL");
        execute("PRAGMA synchronous = FULL");
        execute("PRAGMA foreign_keys = ON");
    } catch (const DatabaseError& failure) {
        throw DatabaseError(path + ": " + failure.what());
    }
}

Statement Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int result = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                          &statement, nullptr);
    if (result != SQLITE_OK) throw DatabaseError(sqlite3_errmsg(handle_.get()));
    return Statement(statement);
}

void Database::execute(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw DatabaseError(sqlite3_errmsg(handle_.get()));
    }
}

Database::Transaction::Transaction(Database& database) : database_(&database) {
    database_->execute("BEGIN IMMEDIATE");
}

Database::Transaction::~Transaction() {
    if (!open_) return;
    // Where SQLite has rolled back by itself this fails, and nothing is left to do.
    sqlite3_exec(database_->handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Database::Transaction::commit() {
    database_->execute("COMMIT");
    open_ = false;
}

}  // namespace parley::auth
