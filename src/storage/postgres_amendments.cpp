#include "storage/postgres_amendments.hpp"

#include <string_view>

#include "storage/postgres_sql.hpp"

namespace parley::storage {
namespace {

namespace sql = postgres_sql;

constexpr milliseconds read_patience{15'000};

struct Columns {
    PostgresArray rooms{PostgresArray::Of::int8}, offsets{PostgresArray::Of::int8},
        texts{PostgresArray::Of::text};
    void add(std::uint64_t room, std::uint64_t offset, std::string_view json) {
        rooms.push(room);
        offsets.push(offset);
        texts.push(json);
    }
    PostgresParameters places() {
        PostgresParameters two;
        two.array(rooms).array(offsets);
        return two;
    }
    PostgresParameters messages() {
        PostgresParameters all = places();
        all.array(texts);
        return all;
    }
};

}  // namespace

void PostgresAmendments::add(std::uint64_t room, const core::RetainedPtr& message) {
    changed_.insert_or_assign({room, message->offset()}, message);
}

void PostgresAmendments::clear() noexcept {
    changed_.clear();
    former_.clear();
}

awaitable<void> PostgresAmendments::read_former(PostgresConnection& connection) {
    Columns columns;
    for (const auto& [place, message] : changed_) columns.add(place.first, place.second, {});
    connection.send(sql::stored_messages, columns.places());
    const auto results = co_await connection.run(read_patience);
    const PostgresResult& found = results.front();
    for (int row = 0; row < found.rows(); ++row) {
        former_.emplace(Place(found.number(row, 0), found.number(row, 1)), found.text(row, 2));
    }
}

void PostgresAmendments::send(PostgresConnection& connection) const {
    Columns columns;
    for (const auto& [place, message] : changed_) {
        columns.add(place.first, place.second, message->json());
    }
    PostgresParameters held;
    connection.send(sql::hold_rooms, held.array(columns.rooms));
    connection.send(sql::amend_messages, columns.messages());
    connection.send(sql::forget_words, columns.places());
}

void PostgresAmendments::put_back(PostgresConnection& connection) const {
    if (former_.empty()) return;
    Columns columns;
    for (const auto& [place, json] : former_) columns.add(place.first, place.second, json);
    connection.send(sql::put_back, columns.messages());
}

std::map<std::uint64_t, std::uint64_t> PostgresAmendments::blocks_of(const PostgresResult& marked) {
    std::map<std::uint64_t, std::uint64_t> blocks;
    for (int row = 0; row < marked.rows(); ++row) {
        blocks.emplace(marked.number(row, 0), marked.number(row, 1));
    }
    return blocks;
}

}  // namespace parley::storage
