// FileIndex: which files there are, of what room, whose, and what content each has: one SQLite
// database.
//
// Path:     DiskFileStore → [FileIndex] → SQLite
// Runs on:  the store's threads, one at a time: its caller holds a lock.
// Owned by: DiskFileStore.
// Bounds:   a page is as long as is asked for; what it holds on disk, DiskFileStore bounds.
//
// Calls throw IndexError where the database fails: what they were to do is not done.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace parley::storage {

class IndexError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class FileIndex {
public:
    static constexpr int version = 1;

    // Opens or makes it, and brings it to this version. Throws IndexError that names the file: where
    // it can't be opened, is no such database, or is of a later version.
    explicit FileIndex(const std::string& path);
    ~FileIndex();
    FileIndex(const FileIndex&) = delete;
    FileIndex& operator=(const FileIndex&) = delete;

    // What changes several things at once: all of it with commit(), nothing without.
    class Change {
    public:
        explicit Change(FileIndex& index);
        ~Change();
        Change(const Change&) = delete;
        Change& operator=(const Change&) = delete;
        void commit();

    private:
        FileIndex* index_;
    };

    void add(const core::FileInfo& file);
    // Takes one out; true where its content has no other file left.
    [[nodiscard]] bool remove(const core::FileInfo& file);
    [[nodiscard]] std::optional<core::FileInfo> find(std::string_view id);
    [[nodiscard]] core::FileList list(const core::FileListAsk& ask);
    // Those that were made before that time, the oldest first.
    [[nodiscard]] std::vector<core::FileInfo> older_than(std::int64_t created_ms,
                                                         std::size_t limit);
    [[nodiscard]] bool has_content(std::string_view sha256);
    // Bytes of one user's files, each counted whole.
    [[nodiscard]] std::uint64_t used_by(std::string_view owner);
    // Bytes of all content, each once; and how many files there are.
    [[nodiscard]] std::uint64_t content_bytes();
    [[nodiscard]] std::uint64_t files();

private:
    struct Close {
        void operator()(sqlite3* database) const noexcept;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    class Row;

    void run(const char* sql);
    [[noreturn]] void fail(std::string_view what) const;
    void migrate();
    // A statement that was prepared once.
    [[nodiscard]] Row query(const char* sql);

    std::unique_ptr<sqlite3, Close> database_;
    std::map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

}  // namespace parley::storage
