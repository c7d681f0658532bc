// SqliteMarkReader: looks up single read marks, on a connection and a thread of its own, so that who
// joins never waits for what is being committed.
//
// Path:     SqliteRoomRecords → [SqliteMarkReader] → SqliteDatabase, and back by Shard::post()
// Runs on:  ask() on shards; the rest on a thread of its own.
// Owned by: SqliteRoomRecords.
// Bounds:   one question a session; a row by its key for each.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/room_records.hpp"
#include "storage/sqlite_database.hpp"

namespace parley::storage {

class SqliteMarkReader {
public:
    struct Ask {
        core::Shard* here;
        std::string user;
        std::string room;
        std::optional<core::ReadMark> waiting;  // that is not written yet
        std::function<void(core::Recorded<std::optional<core::ReadMark>>&&)> done;
    };

    // Throws SqliteError where the file can't be opened.
    explicit SqliteMarkReader(const std::string& path);
    ~SqliteMarkReader();
    // Answers nothing from then on.
    void close() noexcept;

    void ask(Ask&& ask);

private:
    void serve();
    [[nodiscard]] bool stopping() const;
    [[nodiscard]] std::optional<core::ReadMark> look_up(const Ask& ask);

    SqliteDatabase database_;
    SqliteStatement mark_;

    mutable std::mutex mutex_;
    std::condition_variable bell_;
    std::vector<Ask> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace parley::storage
