#include "storage/sqlite_database.hpp"

#include <sqlite3.h>

#include <chrono>

namespace parley::storage {
namespace {

// Somebody else's transaction, a backup or a shell, is waited for this long.
constexpr std::chrono::milliseconds busy_timeout{250};

[[noreturn]] void fail(sqlite3* handle, int code) {
    throw SqliteError(code, handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
}

void check(sqlite3* handle, int code) {
    if (code != SQLITE_OK) fail(handle, code);
}

}  // namespace

void SqliteDatabase::Close::operator()(sqlite3* handle) const noexcept {
    sqlite3_close_v2(handle);
}

SqliteDatabase::SqliteDatabase(const std::string& path, Access access) {
    const int flags = (access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                               : SQLITE_OPEN_READONLY) |
                      SQLITE_OPEN_NOMUTEX;
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    handle_.reset(handle);  // there is one to close where opening failed, too
    check(handle, code);
    sqlite3_extended_result_codes(handle, 1);
    check(handle, sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count())));
}

void SqliteDatabase::run(const char* sql) {
    check(handle_.get(), sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr));
}

std::int64_t SqliteDatabase::number(const char* sql) {
    SqliteStatement statement(*this, sql);
    return statement.step() ? statement.number(0) : 0;
}

void SqliteDatabase::rollback() noexcept {
    if (sqlite3_get_autocommit(handle_.get()) != 0) return;
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

SqliteStatement::SqliteStatement(SqliteDatabase& database, std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    check(database.handle(),
          sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    statement_.reset(statement);
}

SqliteStatement& SqliteStatement::bind(int index, std::int64_t value) {
    check(sqlite3_db_handle(statement_.get()), sqlite3_bind_int64(statement_.get(), index, value));
    return *this;
}

SqliteStatement& SqliteStatement::bind(int index, std::string_view text) {
    check(sqlite3_db_handle(statement_.get()),
          sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), nullptr,
                              SQLITE_UTF8));
    return *this;
}

bool SqliteStatement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        rewind();
        return false;
    }
    sqlite3* const handle = sqlite3_db_handle(statement_.get());
    const SqliteError error(code, sqlite3_errmsg(handle));
    rewind();
    throw error;
}

void SqliteStatement::run() {
    while (step()) {
    }
}

void SqliteStatement::rewind() noexcept {
    sqlite3_reset(statement_.get());
}

std::int64_t SqliteStatement::number(int column) const noexcept {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqliteStatement::text(int column) const noexcept {
    const auto* text = sqlite3_column_text(statement_.get(), column);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

}  // namespace parley::storage
