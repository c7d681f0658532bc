// SqliteSearcher: the newest messages of a room that have the words.
//
// Path:     SqliteReader → [SqliteSearcher] → SqliteDatabase
// Runs on:  the reader's thread.
// Owned by: SqliteReader.
// Bounds:   searched_newest_max messages, or searched_bytes_max of what they say, are looked through
//           one by one; the index after that, as long as the reader lets it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/history_store.hpp"
#include "storage/search_terms.hpp"
#include "storage/sqlite_database.hpp"
#include "storage/sqlite_rooms.hpp"

namespace parley::storage {

// What a search looks through before it asks the index for all at once: some 10 µs a message of a
// dozen words, and 25 ms in all.
inline constexpr std::size_t searched_newest_max = 1'024;
inline constexpr std::size_t searched_bytes_max = 256 * 1024;

class SqliteSearcher {
public:
    // Throws SqliteError.
    explicit SqliteSearcher(SqliteDatabase& database);

    // The newest `most` of those before that offset that have each of the terms, newest first. Throws
    // SqliteError, also where the connection's progress handler ends it.
    [[nodiscard]] std::vector<core::RetainedPtr> find(const FoundRoom& room,
                                                      std::span<const SearchTerm> terms,
                                                      std::uint64_t before, std::size_t most);

private:
    struct Said {
        std::int64_t key;
        std::string text;
    };

    // Adds what it finds; the offset down to which it looked, 1 where that is all of the room.
    [[nodiscard]] std::uint64_t look_through(const FoundRoom& room,
                                             std::span<const SearchTerm> terms,
                                             std::uint64_t before, std::size_t most,
                                             std::vector<core::RetainedPtr>& found);
    // The messages of one look, newest first: where `whole` is not empty, with what it asks for.
    struct Newest {
        std::vector<Said> said;
        bool are_all = false;  // the room has no others before them
    };
    [[nodiscard]] Newest newest_with(const std::string& whole, const FoundRoom& room,
                                     std::uint64_t before, std::size_t bytes_max);
    [[nodiscard]] std::string whole_words_of(std::span<const SearchTerm> terms);

    SqliteDatabase* database_;
    SqliteStatement search_;
    SqliteStatement newest_;
    SqliteStatement newest_with_;
    SqliteStatement note_;
    SqliteStatement noted_;
    SqliteStatement any_noted_;
};

// Terms in the language of FTS5: each must occur. Empty where there are none.
[[nodiscard]] std::string fts5_query(std::span<const SearchTerm> terms);

}  // namespace parley::storage
