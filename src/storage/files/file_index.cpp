#include "storage/files/file_index.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <utility>

namespace parley::storage {
namespace {

// Each brings the database from the version of its place to the next.
constexpr std::array<const char*, FileIndex::version> migrations{
    R"(CREATE TABLE contents (
           sha256 TEXT PRIMARY KEY NOT NULL,
           size INTEGER NOT NULL,
           files INTEGER NOT NULL
       ) WITHOUT ROWID;
       CREATE TABLE files (
           place INTEGER PRIMARY KEY AUTOINCREMENT,
           id TEXT NOT NULL UNIQUE,
           room TEXT NOT NULL,
           owner TEXT NOT NULL,
           name TEXT NOT NULL,
           type TEXT NOT NULL,
           size INTEGER NOT NULL,
           sha256 TEXT NOT NULL REFERENCES contents (sha256),
           created_ms INTEGER NOT NULL
       );
       CREATE INDEX files_of_room ON files (room, place);
       CREATE INDEX files_of_owner ON files (owner, size);
       CREATE INDEX files_by_age ON files (created_ms);)",
};

// For another process that looks at it, like a backup.
constexpr int busy_ms = 250;

constexpr const char* columns_of_file =
    "SELECT place, id, room, owner, name, type, size, sha256, created_ms FROM files ";

}  // namespace

void FileIndex::Close::operator()(sqlite3* database) const noexcept {
    sqlite3_close(database);
}

void FileIndex::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

// One statement while it runs: bound from the left, read row by row, made ready for its next use at
// the end.
class FileIndex::Row {
public:
    Row(const FileIndex& index, sqlite3_stmt* statement) : index_(&index), statement_(statement) {}
    ~Row() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;

    Row& bind(std::string_view text) {
        sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
        return *this;
    }
    Row& bind(std::uint64_t number) { return bind(static_cast<std::int64_t>(number)); }
    Row& bind(std::int64_t number) {
        sqlite3_bind_int64(statement_, ++bound_, number);
        return *this;
    }
    // True while there is another row.
    bool next() {
        const int result = sqlite3_step(statement_);
        if (result != SQLITE_ROW && result != SQLITE_DONE) index_->fail("the index of files");
        return result == SQLITE_ROW;
    }
    [[nodiscard]] std::int64_t number(int column) const {
        return sqlite3_column_int64(statement_, column);
    }
    [[nodiscard]] std::string text(int column) const {
        const auto* const bytes = sqlite3_column_text(statement_, column);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
        return bytes == nullptr ? std::string()
                                : std::string(reinterpret_cast<const char*>(bytes), size);
    }
    [[nodiscard]] core::FileInfo file() const {
        return {text(1), text(2),  text(3), text(4), text(5), static_cast<std::uint64_t>(number(6)),
                text(7), number(8)};
    }

private:
    const FileIndex* index_;
    sqlite3_stmt* statement_;
    int bound_ = 0;
};

FileIndex::FileIndex(const std::string& path) {
    sqlite3* opened = nullptr;
    const int result =
        sqlite3_open_v2(path.c_str(), &opened,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    database_.reset(opened);
    if (result != SQLITE_OK) fail(path);
    sqlite3_extended_result_codes(database_.get(), 1);
    sqlite3_busy_timeout(database_.get(), busy_ms);
    try {
        run("PRAGMA journal_mode = WAL");
        // A file that was answered 201 is there after a power cut.
        run("PRAGMA synchronous = FULL");
        run("PRAGMA foreign_keys = ON");
        migrate();
    } catch (const IndexError& error) {
        throw IndexError(path + ": " + error.what());
    }
}

FileIndex::~FileIndex() = default;

void FileIndex::fail(std::string_view what) const {
    std::string text(what);
    text.append(": ");
    text.append(database_ ? sqlite3_errmsg(database_.get()) : "out of memory");
    throw IndexError(text);
}

void FileIndex::run(const char* sql) {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        fail("the index of files");
    }
}

FileIndex::Row FileIndex::query(const char* sql) {
    auto& statement = statements_[sql];
    if (!statement) {
        sqlite3_stmt* prepared = nullptr;
        if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared,
                               nullptr) != SQLITE_OK) {
            fail("the index of files");
        }
        statement.reset(prepared);
    }
    return {*this, statement.get()};
}

void FileIndex::migrate() {
    std::int64_t found = 0;
    {
        auto row = query("PRAGMA user_version");
        if (row.next()) found = row.number(0);
    }
    if (found > version) {
        throw IndexError("it is of version " + std::to_string(found) +
                         ", and this server knows up to " + std::to_string(version));
    }
    for (auto at = static_cast<std::size_t>(found); at < migrations.size(); ++at) {
        Change change(*this);
        run(migrations[at]);
        run(("PRAGMA user_version = " + std::to_string(at + 1)).c_str());
        change.commit();
    }
}

FileIndex::Change::Change(FileIndex& index) : index_(&index) {
    index.run("BEGIN IMMEDIATE");
}

FileIndex::Change::~Change() {
    // Where the database has given it up by itself there is nothing left to undo.
    if (index_ != nullptr && sqlite3_get_autocommit(index_->database_.get()) == 0) {
        sqlite3_exec(index_->database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

void FileIndex::Change::commit() {
    index_->run("COMMIT");
    index_ = nullptr;
}

void FileIndex::add(const core::FileInfo& file) {
    query(
        "INSERT INTO contents (sha256, size, files) VALUES (?, ?, 1) "
        "ON CONFLICT (sha256) DO UPDATE SET files = files + 1")
        .bind(file.sha256)
        .bind(file.size)
        .next();
    query(
        "INSERT INTO files (id, room, owner, name, type, size, sha256, created_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(file.id)
        .bind(file.room)
        .bind(file.owner)
        .bind(file.name)
        .bind(file.type)
        .bind(file.size)
        .bind(file.sha256)
        .bind(file.created_ms)
        .next();
}

bool FileIndex::remove(const core::FileInfo& file) {
    query("DELETE FROM files WHERE id = ?").bind(file.id).next();
    query("UPDATE contents SET files = files - 1 WHERE sha256 = ?").bind(file.sha256).next();
    query("DELETE FROM contents WHERE sha256 = ? AND files = 0").bind(file.sha256).next();
    return !has_content(file.sha256);
}

std::optional<core::FileInfo> FileIndex::find(std::string_view id) {
    static const std::string sql = std::string(columns_of_file) + "WHERE id = ?";
    auto row = query(sql.c_str());
    if (!row.bind(id).next()) return std::nullopt;
    return row.file();
}

core::FileList FileIndex::list(const core::FileListAsk& ask) {
    static const std::string sql =
        std::string(columns_of_file) + "WHERE room = ? AND place < ? ORDER BY place DESC LIMIT ?";
    constexpr std::uint64_t newest = INT64_MAX;
    core::FileList list;
    auto row = query(sql.c_str());
    // One more than is told: it says that there are more.
    row.bind(ask.room)
        .bind(std::min(ask.before.value_or(newest), newest))
        .bind(std::uint64_t{ask.limit} + 1);
    std::int64_t place = 0;
    while (row.next()) {
        if (list.files.size() == ask.limit) {
            list.next = static_cast<std::uint64_t>(place);
            break;
        }
        place = row.number(0);
        list.files.push_back(row.file());
    }
    return list;
}

std::vector<core::FileInfo> FileIndex::older_than(std::int64_t created_ms, std::size_t limit) {
    static const std::string sql =
        std::string(columns_of_file) + "WHERE created_ms < ? ORDER BY created_ms LIMIT ?";
    std::vector<core::FileInfo> files;
    auto row = query(sql.c_str());
    row.bind(created_ms).bind(std::uint64_t{limit});
    while (row.next()) files.push_back(row.file());
    return files;
}

bool FileIndex::has_content(std::string_view sha256) {
    return query("SELECT 1 FROM contents WHERE sha256 = ?").bind(sha256).next();
}

std::uint64_t FileIndex::used_by(std::string_view owner) {
    auto row = query("SELECT coalesce(sum(size), 0) FROM files WHERE owner = ?");
    return row.bind(owner).next() ? static_cast<std::uint64_t>(row.number(0)) : 0;
}

std::uint64_t FileIndex::content_bytes() {
    auto row = query("SELECT coalesce(sum(size), 0) FROM contents");
    return row.next() ? static_cast<std::uint64_t>(row.number(0)) : 0;
}

std::uint64_t FileIndex::files() {
    auto row = query("SELECT count(*) FROM files");
    return row.next() ? static_cast<std::uint64_t>(row.number(0)) : 0;
}

}  // namespace parley::storage
