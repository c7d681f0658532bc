#include "storage/sqlite_searcher.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>

#include "storage/sqlite_schema.hpp"

namespace parley::storage {
namespace {

// Messages of one look: as many as a page needs where every other one has the words.
constexpr std::size_t look_messages = 128;

// An index for the messages of one look alone, with words as those of the file are.
SqliteDatabase& with_index_of_a_look(SqliteDatabase& database) {
    database.run("PRAGMA temp_store = MEMORY");
    const std::string make = "CREATE VIRTUAL TABLE temp.look USING " + std::string(words_table);
    database.run(make.c_str());
    return database;
}

}  // namespace

std::string fts5_query(std::span<const SearchTerm> terms) {
    std::string query;
    for (const SearchTerm& term : terms) {
        if (!query.empty()) query += ' ';
        query += '"';
        for (const char c : term.words) {
            // Control characters are none of a word's, and a NUL would end the query.
            query += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
            if (c == '"') query += '"';
        }
        query += term.beginning ? "\"*" : "\"";
    }
    return query;
}

SqliteSearcher::SqliteSearcher(SqliteDatabase& database)
    : database_(&with_index_of_a_look(database)),
      search_(database,
              "SELECT m.id, m.json FROM words w JOIN messages m ON m.id = w.rowid "
              "WHERE w.rowid BETWEEN ? AND ? AND words MATCH ?4 ORDER BY w.rowid DESC LIMIT ?3"),
      newest_(database,
              "SELECT id, coalesce(json ->> '$.text', '') FROM messages "
              "WHERE id BETWEEN ? AND ? ORDER BY id DESC"),
      newest_with_(database,
                   "SELECT m.id, coalesce(m.json ->> '$.text', '') "
                   "FROM words w JOIN messages m ON m.id = w.rowid "
                   "WHERE w.rowid BETWEEN ? AND ? AND words MATCH ? ORDER BY w.rowid DESC"),
      note_(database, "INSERT INTO temp.look(rowid, text) VALUES(?, ?)"),
      noted_(database,
             "SELECT m.id, m.json FROM temp.look w JOIN messages m ON m.id = w.rowid "
             "WHERE look MATCH ? ORDER BY w.rowid DESC LIMIT ?"),
      any_noted_(database, "SELECT 1 FROM temp.look WHERE look MATCH ?") {}

std::vector<core::RetainedPtr> SqliteSearcher::find(const FoundRoom& room,
                                                    std::span<const SearchTerm> terms,
                                                    std::uint64_t before, std::size_t most) {
    std::vector<core::RetainedPtr> found;
    // A beginning may stand for many words, and FTS5 gathers what all of them have before it gives the
    // first of it: where it is common, the newest messages have enough of it.
    if (std::ranges::any_of(terms, &SearchTerm::beginning)) {
        before = look_through(room, terms, before, most, found);
    }
    if (before <= 1 || found.size() >= most) return found;
    const std::string query = fts5_query(terms);
    search_.bind(1, message_key(room.id, 0))
        .bind(2, message_key(room.id, before - 1))
        .bind(3, static_cast<std::int64_t>(most - found.size()))
        .bind(4, query);
    while (search_.step()) found.push_back(message_of(search_, room));
    return found;
}

std::uint64_t SqliteSearcher::look_through(const FoundRoom& room, std::span<const SearchTerm> terms,
                                           std::uint64_t before, std::size_t most,
                                           std::vector<core::RetainedPtr>& found) {
    const std::string query = fts5_query(terms);
    const std::string whole = whole_words_of(terms);
    std::size_t messages = 0;
    std::size_t bytes = 0;
    while (messages < searched_newest_max && bytes < searched_bytes_max && found.size() < most) {
        const SqliteRollback look(*database_);
        const Newest newest = newest_with(whole, room, before, searched_bytes_max - bytes);
        // Each in front of the last would be a flush of the index for each.
        for (const Said& said : newest.said | std::views::reverse) {
            note_.bind(1, said.key).bind(2, said.text).run();
            bytes += said.text.size();
        }
        noted_.bind(1, query).bind(2, static_cast<std::int64_t>(most - found.size()));
        while (noted_.step()) found.push_back(message_of(noted_, room));
        if (newest.are_all) return 1;
        before = offset_of_key(newest.said.back().key);
        messages += newest.said.size();
    }
    return before;
}

// Terms without beginnings, as a query; none where FTS5 has no word of them, as of `-`: beside others
// it passes over such a term, alone it finds nothing by it.
std::string SqliteSearcher::whole_words_of(std::span<const SearchTerm> terms) {
    std::vector<SearchTerm> whole;
    std::ranges::remove_copy_if(terms, std::back_inserter(whole), &SearchTerm::beginning);
    std::string text;
    for (const SearchTerm& term : whole) text.append(term.words).append("\n");
    const std::string query = fts5_query(whole);
    const SqliteRollback look(*database_);
    note_.bind(1, std::int64_t{1}).bind(2, text).run();
    any_noted_.bind(1, query);
    const bool has_words = !whole.empty() && any_noted_.step();
    any_noted_.rewind();
    return has_words ? query : std::string();
}

SqliteSearcher::Newest SqliteSearcher::newest_with(const std::string& whole, const FoundRoom& room,
                                                   std::uint64_t before, std::size_t bytes_max) {
    SqliteStatement& rows = whole.empty() ? newest_ : newest_with_;
    rows.bind(1, message_key(room.id, 0)).bind(2, message_key(room.id, before - 1));
    if (!whole.empty()) rows.bind(3, whole);
    Newest newest;
    std::size_t bytes = 0;
    while (newest.said.size() < look_messages && bytes < bytes_max) {
        newest.are_all = !rows.step();
        if (newest.are_all) break;
        newest.said.push_back({rows.number(0), std::string(rows.text(1))});
        bytes += newest.said.back().text.size();
    }
    rows.rewind();
    return newest;
}

}  // namespace parley::storage
