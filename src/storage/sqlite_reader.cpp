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

// Of one more than was asked for: a page, oldest first.
core::HistorySlice page_of(std::vector<core::RetainedPtr>&& messages, std::size_t limit,
                           bool newest_first) {
    const bool more = messages.size() > limit;
    if (more) messages.pop_back();
    if (newest_first) std::ranges::reverse(messages);
    return {std::move(messages), more};
}

}  // namespace

SqliteReader::SqliteReader(const std::string& path, std::function<void(PageRequest&&)> behind)
    : database_(path, SqliteDatabase::Access::read),
      behind_(std::move(behind)),
      find_(database_, "SELECT id, epoch FROM rooms WHERE name = ?"),
      before_(database_,
              "SELECT id, json FROM messages WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?"),
      after_(database_,
             "SELECT id, json FROM messages WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"),
      searcher_(database_),
      thread_([this] { serve(); }) {}

void SqliteReader::bound_time(bool bounded) {
    if (!bounded) return sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr);
    give_up_ = core::monotonic_now() + search_time_max;
    const auto late = [](void* self) {
        return core::monotonic_now() > static_cast<SqliteReader*>(self)->give_up_ ? 1 : 0;
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
    } catch (const SqliteError& error) {
        slice = core::store_unavailable(error.code() == SQLITE_INTERRUPT
                                            ? "the search takes too long: name more or rarer words"
                                            : "stored messages can't be read at the moment");
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

std::optional<FoundRoom> SqliteReader::find(const std::string& room) {
    std::optional<FoundRoom> found;
    if (find_.bind(1, room).step()) {
        if (const auto epoch = protocol::Epoch::parse(find_.text(1))) {
            found = FoundRoom{find_.number(0), *epoch};
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
    std::vector<core::RetainedPtr> messages;
    while (rows.step()) messages.push_back(message_of(rows, *room));
    return page_of(std::move(messages), asked.limit, backwards);
}

core::HistorySlice SqliteReader::search(const SearchRequest& request) {
    const auto room = find(request.room);
    const core::StoredSearch& asked = request.asked;
    const auto terms = search_terms(asked.query);
    if (!room || terms.empty()) return {};
    const std::uint64_t before = asked.before == 0 ? stored_offset_max : asked.before;
    return page_of(searcher_.find(*room, terms, before, std::size_t{asked.limit} + 1), asked.limit,
                   true);
}

}  // namespace parley::storage
