// SqliteReader: pages and searches, on a thread and a connection of their own, so that nobody who
// reads waits for those who write.
//
// Path:     SqliteStore → [SqliteReader] → SqliteDatabase, and back by Shard::post()
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
    // A room's key, and the epoch that it has today.
    struct Found {
        std::int64_t id;
        protocol::Epoch epoch;
    };

    void serve();
    void bound_time(bool bounded);
    void answer(Question&& question);
    [[nodiscard]] std::optional<Found> find(const std::string& room);
    [[nodiscard]] core::HistorySlice page(const PageRequest& request);
    [[nodiscard]] core::HistorySlice search(const SearchRequest& request);
    [[nodiscard]] core::HistorySlice take(SqliteStatement& rows, const Found& room,
                                          std::uint32_t limit, bool newest_first);

    SqliteDatabase database_;
    std::function<void(PageRequest&&)> behind_;
    SqliteStatement find_;
    SqliteStatement before_;
    SqliteStatement after_;
    SqliteStatement search_;
    std::mutex mutex_;
    std::condition_variable bell_;
    std::vector<Question> questions_;
    bool stopping_ = false;
    core::TimePoint give_up_{};  // the search under way
    std::thread thread_;
};

// What a search's words are in the language of FTS5: each must occur, those in quotes side by side,
// a word with `*` at its end is the beginning of one. Empty where there is no word.
[[nodiscard]] std::string fts5_query(std::string_view words);

}  // namespace parley::storage
