// SqliteRooms: what a history's writer does to the tables, one statement at a time; transactions are
// its caller's.
//
// Path:     SqliteStore → [SqliteRooms] → SqliteDatabase
// Runs on:  the writer's thread.
// Owned by: SqliteStore.
// Bounds:   rooms_cached_max rooms are remembered; then all are looked up again. stored_rooms_max
//           rooms were ever stored, stored_offset_max messages in each: what is beyond is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/config.hpp"
#include "core/history_store.hpp"
#include "storage/sqlite_database.hpp"
#include "storage/sqlite_schema.hpp"

namespace parley::storage {

class SqliteRooms {
public:
    // Begins a run of that durability. Throws SqliteError.
    SqliteRooms(SqliteDatabase& database, const core::Config& config);

    // The room as it is stored; the epoch `fresh`, and nothing written, where it is not. All of these
    // throw SqliteError.
    [[nodiscard]] core::StoredRoom open(const std::string& room, const protocol::Epoch& fresh,
                                        core::WallTime now);
    enum class Appended : std::uint8_t { stored, refused };
    // A message whose offset does not follow what is stored is refused, and so is one more than a
    // key can name; with it goes what it would amend.
    [[nodiscard]] Appended append(const std::string& room, const core::Unsaved& unsaved);
    void remember(const std::string& room, const core::StoredKey& key);

    // Removes what the room's retention no longer keeps, up to `most` messages. True where there may
    // be more.
    [[nodiscard]] bool remove_excess(const std::string& room, core::WallTime now, std::size_t most,
                                     std::uint64_t& removed);
    // The name of the first room whose id is beyond that one, which is moved on to it.
    [[nodiscard]] std::optional<std::string> next_room(std::int64_t& id);
    // Forgets keys whose time is over.
    void expire_keys(core::WallTime now);
    // Makes up to `most` messages of the room known to searches. True where more are left.
    [[nodiscard]] bool index(const std::string& room, std::size_t most);
    // How many of its messages are not known to searches.
    [[nodiscard]] std::uint64_t unindexed(const std::string& room) {
        const Row& row = row_of(room);
        return row.last_offset - row.indexed;
    }
    // Whether anything of it is ever removed.
    [[nodiscard]] bool is_bounded(const std::string& room) {
        return row_of(room).keep != core::Retention{};
    }

    // The sessions that are kept, by their end; and keeps others instead.
    [[nodiscard]] std::vector<core::StoredSession> sessions();
    void replace_sessions(const std::vector<core::StoredSession>& sessions);

    // All was written: the next run may go on with the epochs of this one.
    void mark_clean();
    // A write that changes nothing: whether the file can be written.
    void probe();
    // What was looked up is forgotten: a transaction was taken back.
    void forget() noexcept { rooms_.clear(); }

private:
    struct Row {
        std::int64_t id = 0;  // 0: not stored yet
        std::uint64_t last_offset = 0;
        std::uint64_t indexed = 0;
        std::uint64_t first_offset = 0;      // 0: not looked up
        std::optional<std::uint64_t> bytes;  // nothing: not counted
        core::Retention keep;
    };

    [[nodiscard]] Row& row_of(const std::string& room);
    void insert(const std::string& room, Row& row, std::string_view epoch);
    void amend(Row& row, const core::Retained& message);
    [[nodiscard]] std::uint64_t first_offset(Row& row);
    [[nodiscard]] std::uint64_t bytes(Row& row);
    // The last offset that is to go, of the first `most` at least.
    [[nodiscard]] std::uint64_t excess_to(Row& row, core::WallTime now, std::size_t most);
    void read_newest(const Row& row, const protocol::Epoch& epoch, core::StoredRoom& out);
    void read_keys(const Row& row, core::WallTime now, core::StoredRoom& out);

    SqliteDatabase* database_;
    const core::Config* config_;
    std::int64_t run_ = 0;
    std::int64_t void_run_ = 0;
    std::unordered_map<std::string, Row> rooms_;

    SqliteStatement find_room_;
    SqliteStatement add_room_;
    SqliteStatement set_epoch_;
    SqliteStatement last_key_;
    SqliteStatement first_key_;
    SqliteStatement add_message_;
    SqliteStatement newest_;
    SqliteStatement add_key_;
    SqliteStatement keys_of_;
    SqliteStatement drop_keys_;
    SqliteStatement expire_keys_;
    SqliteStatement sum_bytes_;
    SqliteStatement first_since_;
    SqliteStatement unindex_;
    SqliteStatement remove_;
    SqliteStatement amend_;
    SqliteStatement note_removal_;
    SqliteStatement add_words_;
    SqliteStatement set_indexed_;
    SqliteStatement next_room_;
    SqliteStatement probe_;
};

// A stored room's key, and the epoch that it has today.
struct FoundRoom {
    std::int64_t id;
    protocol::Epoch epoch;
};
// The message of a row of (key, JSON).
[[nodiscard]] core::RetainedPtr message_of(const SqliteStatement& row, const FoundRoom& room);

[[nodiscard]] std::int64_t in_milliseconds(core::WallTime at) noexcept;

}  // namespace parley::storage
