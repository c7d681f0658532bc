#include "storage/sqlite_reader.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "core/clock.hpp"
#include "storage/engine.hpp"
#include "storage/sqlite_rooms.hpp"
#include "storage/sqlite_schema.hpp"

namespace parley::storage {
namespace {

// What a search may take: others wait for their pages behind it.
constexpr std::chrono::milliseconds search_time_max{250};

// Whether the page has what was appended before it was asked for. Offsets have no holes, but where
// the oldest were removed: then it is asked for once more, and as empty.
bool shows_all(const core::StoredPage& asked, const core::HistorySlice& slice) {
    const auto& messages = slice.messages;
    if (asked.before != 0) {
        const std::uint64_t newest = std::min(asked.before - 1, asked.last_offset);
        return newest == 0 || (!messages.empty() && messages.back()->offset() == newest);
    }
    const std::uint64_t there = asked.last_offset - std::min(asked.last_offset, asked.after);
    return messages.size() >= std::min<std::uint64_t>(asked.limit, there);
}

bool is_blank(char c) {
    return static_cast<unsigned char>(c) <= ' ';  // control characters are none of a word's
}

}  // namespace

std::string fts5_query(std::string_view words) {
    std::string query;
    std::size_t at = 0;
    while (at < words.size()) {
        if (is_blank(words[at])) {
            ++at;
            continue;
        }
        const bool quoted = words[at] == '"';
        if (quoted) ++at;
        std::size_t end = at;
        while (end < words.size() && (quoted ? words[end] != '"' : !is_blank(words[end]))) ++end;
        std::string_view word = words.substr(at, end - at);
        at = quoted ? end + 1 : end;
        const bool prefix = !quoted && word.ends_with('*');
        if (prefix) word.remove_suffix(1);
        if (word.empty()) continue;
        if (!query.empty()) query += ' ';
        query += '"';
        for (const char c : word) {
            if (c == '"') query += '"';
            query += c;
        }
        query += prefix ? "\"*" : "\"";
    }
    return query;
}

SqliteReader::SqliteReader(const std::string& path, std::function<void(PageRequest&&)> behind)
    : database_(path, SqliteDatabase::Access::read),
      behind_(std::move(behind)),
      find_(database_, "SELECT id, epoch FROM rooms WHERE name = ?"),
      before_(database_,
              "SELECT id, json FROM messages WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?"),
      after_(database_,
             "SELECT id, json FROM messages WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"),
      search_(database_,
              "SELECT m.id, m.json FROM words w JOIN messages m ON m.id = w.rowid "
              "WHERE w.rowid BETWEEN ? AND ? AND words MATCH ?4 ORDER BY w.rowid DESC LIMIT ?3"),
      thread_([this] { serve(); }) {}

void SqliteReader::bound_time(bool bounded) {
    if (!bounded) return sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr);
    give_up_ = core::machine_now().mono + search_time_max;
    const auto late = [](void* self) {
        return core::machine_now().mono > static_cast<SqliteReader*>(self)->give_up_ ? 1 : 0;
    };
    constexpr int steps_between = 10'000;  // of SQLite's machine: less than a millisecond
    sqlite3_progress_handler(database_.handle(), steps_between, late, this);
}

SqliteReader::~SqliteReader() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    bell_.notify_one();
    thread_.join();
}

void SqliteReader::ask(ReadRequest&& request, bool last) {
    {
        const std::lock_guard lock(mutex_);
        questions_.push_back({std::move(request), last});
    }
    bell_.notify_one();
}

void SqliteReader::serve() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (questions_.empty()) {
            bell_.wait(lock);
            continue;
        }
        std::vector<Question> questions = std::exchange(questions_, {});
        lock.unlock();
        for (Question& question : questions) answer(std::move(question));
        lock.lock();
    }
}

void SqliteReader::answer(Question&& question) {
    core::Stored<core::HistorySlice> slice = core::HistorySlice();
    bound_time(std::holds_alternative<SearchRequest>(question.request));
    try {
        slice = std::visit(
            [this](const auto& request) -> core::HistorySlice {
                if constexpr (std::is_same_v<decltype(request), const PageRequest&>) {
                    return page(request);
                } else {
                    return search(request);
                }
            },
            question.request);
    } catch (const SqliteError&) {
        slice = core::store_unavailable("stored messages can't be read at the moment");
    }
    auto* const asked = std::get_if<PageRequest>(&question.request);
    if (slice && asked != nullptr && !question.last && !shows_all(asked->asked, *slice)) {
        return behind_(std::move(*asked));
    }
    std::visit(
        [&slice](auto&& request) {
            Engine::answer(*request.home, std::move(request.done), std::move(slice));
        },
        std::move(question.request));
}

std::optional<SqliteReader::Found> SqliteReader::find(const std::string& room) {
    std::optional<Found> found;
    if (find_.bind(1, room).step()) {
        if (const auto epoch = protocol::Epoch::parse(find_.text(1))) {
            found = Found{find_.number(0), *epoch};
        }
        find_.rewind();
    }
    return found;
}

core::HistorySlice SqliteReader::page(const PageRequest& request) {
    const auto room = find(request.room);
    if (!room) return {};
    const core::StoredPage& asked = request.asked;
    const bool backwards = asked.before != 0;
    SqliteStatement& rows = backwards ? before_ : after_;
    rows.bind(1, message_key(room->id, backwards ? 0 : asked.after + 1))
        .bind(2, message_key(room->id, std::min(asked.last_offset,
                                                backwards ? asked.before - 1 : stored_offset_max)))
        .bind(3, std::int64_t{asked.limit} + 1);
    return take(rows, *room, asked.limit, backwards);
}

core::HistorySlice SqliteReader::search(const SearchRequest& request) {
    const auto room = find(request.room);
    const std::string query = fts5_query(request.asked.query);
    if (!room || query.empty()) return {};
    const std::uint64_t before = request.asked.before;
    search_.bind(1, message_key(room->id, 0))
        .bind(2, message_key(room->id, before == 0 ? stored_offset_max : before - 1))
        .bind(3, std::int64_t{request.asked.limit} + 1)
        .bind(4, query);
    return take(search_, *room, request.asked.limit, true);
}

core::HistorySlice SqliteReader::take(SqliteStatement& rows, const Found& room, std::uint32_t limit,
                                      bool newest_first) {
    core::HistorySlice slice;
    while (rows.step()) {
        if (slice.messages.size() == limit) {
            slice.more = true;
            rows.rewind();
            break;
        }
        slice.messages.push_back(
            retained_of(offset_of_key(rows.number(0)), rows.text(1), room.epoch));
    }
    if (newest_first) std::ranges::reverse(slice.messages);
    return slice;
}

}  // namespace parley::storage
