#include "storage/postgres_rooms.hpp"

#include <algorithm>

#include "storage/engine.hpp"

namespace parley::storage {
namespace {

// One is some 200 bytes.
constexpr std::size_t rooms_cached_max = 65'536;

}  // namespace

PostgresRoom* PostgresRooms::find(const std::string& room) {
    const auto found = rooms_.find(room);
    return found == rooms_.end() ? nullptr : &found->second;
}

PostgresRoom& PostgresRooms::row_of(const std::string& room) {
    const auto [at, added] = rooms_.try_emplace(room);
    if (added) at->second.keep = core::retention_of(*config_, room);
    return at->second;
}

PostgresRoom& PostgresRooms::note(const std::string& room, const PostgresResult& result, int row) {
    PostgresRoom& known = row_of(room);
    if (known.unsure) return known;
    if (known.id == 0) return settle(room, result, row);
    known.epoch = protocol::Epoch::parse(result.text(row, 2)).value_or(protocol::Epoch());
    return known;
}

PostgresRoom& PostgresRooms::settle(const std::string& room, const PostgresResult& result,
                                    int row) {
    PostgresRoom& known = row_of(room);
    known.epoch = protocol::Epoch::parse(result.text(row, 2)).value_or(protocol::Epoch());
    known.id = result.number(row, 1);
    known.last_offset = std::max(result.number(row, 3), result.number(row, 5));
    known.bytes = result.number(row, 6);
    known.unsure = false;
    return known;
}

PostgresRoom& PostgresRooms::settle_absent(const std::string& room, const protocol::Epoch& epoch) {
    PostgresRoom& known = row_of(room);
    if (known.id != 0) {  // it was there: somebody emptied the tables
        known = PostgresRoom();
        known.keep = core::retention_of(*config_, room);
    }
    known.unsure = false;
    known.epoch = epoch;
    return known;
}

void PostgresRooms::trim() {
    if (rooms_.size() < rooms_cached_max) return;
    std::erase_if(rooms_, [](const auto& room) { return !room.second.unsure; });
}

core::HistorySlice slice_of(const PostgresResult& rows, std::uint32_t limit, bool newest_first) {
    core::HistorySlice slice;
    slice.more = static_cast<std::uint32_t>(rows.rows()) > limit;
    const int count = slice.more ? static_cast<int>(limit) : rows.rows();
    for (int row = 0; row < count; ++row) {
        const auto epoch = protocol::Epoch::parse(rows.text(row, 2)).value_or(protocol::Epoch());
        slice.messages.push_back(retained_of(rows.number(row, 0), rows.text(row, 1), epoch));
    }
    if (newest_first) std::ranges::reverse(slice.messages);
    return slice;
}

}  // namespace parley::storage
