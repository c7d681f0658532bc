#include "storage/postgres_reader.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "storage/engine.hpp"

namespace parley::storage {
namespace {

namespace sql = postgres_sql;

constexpr std::size_t asked_at_once = 64;
constexpr milliseconds read_patience{10'000};
constexpr std::chrono::seconds key_ttl{core::limits::idempotency_seconds};

constexpr std::array statements{&sql::open_rooms, &sql::remove_keys_behind, &sql::newest,
                                &sql::keys,       &sql::page_before,        &sql::page_after};

// The last offset that the page is to show if it is stored.
std::uint64_t reach_of(const core::StoredPage& asked) {
    if (asked.before != 0) return std::min(asked.before - 1, asked.last_offset);
    const std::uint64_t behind = asked.last_offset - std::min(asked.last_offset, asked.after);
    return asked.after + std::min<std::uint64_t>(asked.limit, behind);
}

// Those of the newest messages that a history in memory holds: without holes, bounded in bytes.
std::vector<core::RetainedPtr> newest_of(const PostgresResult& rows, const core::StoredRoom& room,
                                         std::size_t bytes_max) {
    std::vector<core::RetainedPtr> newest;
    std::uint64_t expected = room.last_offset;
    std::size_t bytes = 0;
    for (int row = 0; row < rows.rows(); ++row) {
        auto message = retained_of(rows.number(row, 0), rows.text(row, 1), room.epoch);
        bytes += message->cost();
        if (message->offset() != expected || bytes > bytes_max) break;
        --expected;
        newest.push_back(std::move(message));
    }
    std::ranges::reverse(newest);
    return newest;
}

std::vector<core::StoredKey> keys_of(const PostgresResult& rows) {
    std::vector<core::StoredKey> keys;
    for (int row = rows.rows() - 1; row >= 0; --row) {
        keys.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1)),
                        rows.number(row, 2), rows.time(row, 3)});
    }
    return keys;
}

}  // namespace

awaitable<void> PostgresReader::go_up() {
    co_await connect();
    co_await prepare(statements);
}

void PostgresReader::went_down() {
    std::ranges::move(chosen_, std::front_inserter(waiting_));
    chosen_.clear();
    refuse();
}

void PostgresReader::refuse() {
    for (Question& question : std::exchange(waiting_, {})) refuse(std::move(question));
}

void PostgresReader::refuse(Question&& question) {
    if (auto* open = std::get_if<OpenRequest>(&question.request)) {
        Engine::answer<core::StoredRoom>(
            *open->home, std::move(open->done),
            core::store_unavailable("the room's history can't be read at the moment"));
    } else if (auto* page = std::get_if<PageRequest>(&question.request)) {
        Engine::answer<core::HistorySlice>(
            *page->home, std::move(page->done),
            core::store_unavailable("older messages can't be read at the moment"));
    }
}

awaitable<void> PostgresReader::step() {
    choose();
    if (chosen_.empty()) {
        co_await wait();
    } else {
        co_await answer();
    }
}

bool PostgresReader::is_ready(const Question& question) {
    const bool settled = question.behind <= context().settled;
    if (const auto* open = std::get_if<OpenRequest>(&question.request)) {
        const PostgresRoom* room = context().rooms.find(open->room);
        return settled && (room == nullptr || !room->unsure);
    }
    const auto& page = std::get<PageRequest>(question.request);
    const PostgresRoom* room = context().rooms.find(page.room);
    // What is about to be put back is seen by nobody who would build on it.
    if (page.asked.behind_appends) return settled && (room == nullptr || !room->unsure);
    if (settled) return true;
    return room != nullptr && !room->unsure && room->last_offset >= reach_of(page.asked);
}

void PostgresReader::choose() {
    for (std::size_t left = waiting_.size(); left > 0 && chosen_.size() < asked_at_once; --left) {
        Question question = std::move(waiting_.front());
        waiting_.pop_front();
        if (is_ready(question)) {
            question.lost = context().lost;
            chosen_.push_back(std::move(question));
        } else {
            waiting_.push_back(std::move(question));
        }
    }
}

awaitable<void> PostgresReader::answer() {
    co_await give_pages();
    co_await open_rooms();
    chosen_.clear();
    works();
}

awaitable<void> PostgresReader::give_pages() {
    std::vector<Question*> pages;
    for (Question& question : chosen_) {
        auto* page = std::get_if<PageRequest>(&question.request);
        if (page == nullptr) continue;
        const core::StoredPage& asked = page->asked;
        const bool backwards = asked.before != 0;
        PostgresParameters which;
        which.text(page->room)
            .number(backwards ? asked.before : asked.after)
            .number(std::uint64_t{asked.limit} + 1)
            .number(asked.last_offset);
        connection().send(backwards ? sql::page_before : sql::page_after, which);
        pages.push_back(&question);
    }
    if (pages.empty()) co_return;
    const auto results = co_await connection().run(read_patience);
    for (std::size_t i = 0; i < pages.size(); ++i) {
        auto& page = std::get<PageRequest>(pages[i]->request);
        const core::StoredPage& asked = page.asked;
        // It may show what is about to be put back, to one who would build on it.
        if (asked.behind_appends && pages[i]->lost != context().lost) {
            refuse(std::move(*pages[i]));
            continue;
        }
        Engine::answer<core::HistorySlice>(*page.home, std::move(page.done),
                                           slice_of(results[i], asked.limit, asked.before != 0));
    }
    std::erase_if(chosen_, [](const Question& question) {
        return std::holds_alternative<PageRequest>(question.request);
    });
}

awaitable<void> PostgresReader::open_rooms() {
    std::vector<Opening> rooms = chosen_rooms();
    if (rooms.empty()) co_return;
    co_await find(rooms);
    co_await read(rooms);
    for (const Opening& opening : rooms) give(opening);
}

std::vector<PostgresReader::Opening> PostgresReader::chosen_rooms() {
    std::map<std::string, std::vector<OpenRequest*>> by_name;
    for (Question& question : chosen_) {
        auto* open = std::get_if<OpenRequest>(&question.request);
        if (open != nullptr) by_name[open->room].push_back(open);
    }
    std::vector<Opening> rooms;
    for (auto& [name, asked] : by_name) {
        const PostgresRoom* known = context().rooms.find(name);
        rooms.push_back(
            {.name = name, .asked = std::move(asked), .id = known == nullptr ? 0 : known->id});
    }
    return rooms;
}

// Which of them there are, and up to which offset.
awaitable<void> PostgresReader::find(std::vector<Opening>& rooms) {
    PostgresArray names(PostgresArray::Of::text);
    PostgresArray fresh(PostgresArray::Of::text);
    for (const Opening& opening : rooms) {
        names.push(opening.name);
        fresh.push(opening.asked.front()->fresh.view());
    }
    PostgresParameters which;
    which.array(names).array(fresh).number(context().run.number).number(context().run.void_run);
    connection().send(sql::open_rooms, which);
    const auto results = co_await connection().run(read_patience);
    const PostgresResult& found = results.front();
    std::map<std::string_view, int> rows;
    for (int row = 0; row < found.rows(); ++row) rows.emplace(found.text(row, 0), row);
    for (Opening& opening : rooms) {
        const auto at = rows.find(opening.name);
        opening.found = at != rows.end();
        if (!opening.found) continue;
        const PostgresRoom& known = context().rooms.note(opening.name, found, at->second);
        opening.id = known.id;
        opening.room.epoch = known.epoch;
        opening.room.last_offset = known.last_offset;
        opening.renewed = found.truth(at->second, 7);
    }
}

// What memory holds of them.
awaitable<void> PostgresReader::read(std::vector<Opening>& rooms) {
    const core::HistoryConfig& config = context().config.history;
    const auto since = core::machine_now().wall - key_ttl;
    PostgresArray renewed(PostgresArray::Of::int8);
    PostgresArray last_offsets(PostgresArray::Of::int8);
    bool any = false;
    for (const Opening& opening : rooms) {
        if (!opening.found) continue;
        any = true;
        const std::uint64_t last = opening.room.last_offset;
        PostgresParameters newest;
        connection().send(sql::newest,
                          newest.number(opening.id).number(config.messages).number(last));
        PostgresParameters keys;
        keys.number(opening.id).time(since).number(core::limits::idempotency_keys_max);
        connection().send(sql::keys, keys.number(last));
        if (!opening.renewed) continue;
        renewed.push(opening.id);
        last_offsets.push(last);
    }
    if (!any) co_return;
    // Of messages that a run that was cut off did not write, whose offsets are given again.
    PostgresParameters behind;
    behind.array(renewed).array(last_offsets);
    if (renewed.size() != 0) connection().send(sql::remove_keys_behind, behind);
    const auto contents = co_await connection().run(read_patience);
    std::size_t at = 0;
    for (Opening& opening : rooms) {
        if (!opening.found) continue;
        opening.room.newest = newest_of(contents[at], opening.room, config.bytes);
        opening.room.keys = keys_of(contents[at + 1]);
        at += 2;
    }
}

void PostgresReader::give(const Opening& opening) {
    // A batch of it was lost while it was read, or it was made.
    const PostgresRoom* known = context().rooms.find(opening.name);
    if (known != nullptr && (known->unsure || known->id != opening.id)) {
        for (OpenRequest* open : opening.asked) refuse({std::move(*open), 0});
        return;
    }
    core::StoredRoom room = opening.room;
    if (!opening.found) {
        room.epoch = opening.asked.front()->fresh;
        context().rooms.settle_absent(opening.name, room.epoch);
    }
    for (OpenRequest* open : opening.asked) {
        Engine::answer<core::StoredRoom>(*open->home, std::move(open->done),
                                         core::StoredRoom(room));
    }
}

}  // namespace parley::storage
