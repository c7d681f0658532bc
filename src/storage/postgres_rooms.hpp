// PostgresRooms: what the writer knows of the rooms that it writes to, so that it need not ask the
// database before each batch.
//
// Path:     PostgresWriter, PostgresReader → [PostgresRooms]
// Runs on:  the engine's thread.
// Owned by: PostgresContext.
// Bounds:   rooms_cached_max; then all without unfinished business are looked up again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/config.hpp"
#include "core/history_store.hpp"
#include "storage/postgres_values.hpp"

namespace parley::storage {

struct PostgresRoom {
    std::uint64_t id = 0;  // 0: not stored yet
    protocol::Epoch epoch;
    std::uint64_t last_offset = 0;  // that is known to be stored
    std::uint64_t bytes = 0;        // said up to there
    // A batch that held messages of it may have been committed or not.
    bool unsure = false;
    // The same behind the batch that is being written.
    std::uint64_t next_offset = 0;
    std::uint64_t next_bytes = 0;
    // What is kept of it.
    core::Retention keep;
};

class PostgresRooms {
public:
    explicit PostgresRooms(const core::Config& config) : config_(&config) {}

    // Null where it is not known. Stays where it is until trim().
    [[nodiscard]] PostgresRoom* find(const std::string& room);
    // Notes a row of open_rooms. What is known of the room stays as it is, but for the epoch; one that
    // is in doubt stays so, and as it is.
    PostgresRoom& note(const std::string& room, const PostgresResult& result, int row);
    // Notes that row as what is so, whatever was known before. For the writer, which alone knows that
    // nobody is writing.
    PostgresRoom& settle(const std::string& room, const PostgresResult& result, int row);
    // Notes that there is no such room yet; it will begin with that epoch.
    PostgresRoom& settle_absent(const std::string& room, const protocol::Epoch& epoch);
    // Forgets rooms where there are too many. Between two batches.
    void trim();

private:
    PostgresRoom& row_of(const std::string& room);

    const core::Config* config_;
    std::unordered_map<std::string, PostgresRoom> rooms_;
};

// A slice of the rows (offset, message, epoch) of a page or search that asked for one more than
// `limit`.
[[nodiscard]] core::HistorySlice slice_of(const PostgresResult& rows, std::uint32_t limit,
                                          bool newest_first);

}  // namespace parley::storage
