// SqliteReader: pages and searches, on a thread and a connection of their own, so that nobody who
// reads waits for those who write.
//
// Path:     SqliteStore → [SqliteReader] → SqliteDatabase, SqliteSearcher, and back by Shard::post()
// Runs on:  ask(): any thread. The rest: its own.
// Owned by: SqliteStore.
// Bounds:   questions by who asks, one a session or request; a search takes search_time_max, then it
//           is `unavailable`.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "storage/sqlite_database.hpp"
#include "storage/sqlite_searcher.hpp"
#include "storage/store_request.hpp"

namespace parley::storage {

using ReadRequest = std::variant<PageRequest, SearchRequest>;

class SqliteReader {
public:
    // `behind` is given the pages that do not show yet what was appended before they were asked for,
    // the first time. Throws SqliteError.
    SqliteReader(const std::string& path, std::function<void(PageRequest&&)> behind);
    ~SqliteReader();
    SqliteReader(const SqliteReader&) = delete;
    SqliteReader& operator=(const SqliteReader&) = delete;

    // `last` where what it asks for was written, or never will be.
    void ask(ReadRequest&& request, bool last);

private:
    struct Question {
        ReadRequest request;
        bool last;
    };

    void serve();
    void bound_time(bool bounded);
    void answer(Question&& question);
    [[nodiscard]] std::optional<FoundRoom> find(const std::string& room);
    [[nodiscard]] core::HistorySlice page(const PageRequest& request);
    [[nodiscard]] core::HistorySlice search(const SearchRequest& request);

    SqliteDatabase database_;
    std::function<void(PageRequest&&)> behind_;
    SqliteStatement find_;
    SqliteStatement before_;
    SqliteStatement after_;
    SqliteSearcher searcher_;
    std::mutex mutex_;
    std::condition_variable bell_;
    std::vector<Question> questions_;
    bool stopping_ = false;
    core::TimePoint give_up_{};  // the search under way
    std::thread thread_;
};

}  // namespace parley::storage
