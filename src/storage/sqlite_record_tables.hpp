// SqliteRecordTables: who is what in which room, topics and read marks, one statement at a time;
// transactions are its caller's.
//
// Path:     SqliteRoomRecords → [SqliteRecordTables] → the SQLite file of the accounts
// Runs on:  the writer's thread.
// Owned by: SqliteRoomRecords.
// Bounds:   marks_per_user_max of one user are kept, and unread_per_user_max of rooms in which they
//           have read nothing, the oldest of each go; rooms_owned_max claims of one user.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/limits.hpp"
#include "core/room_records.hpp"
#include "storage/sqlite_database.hpp"

namespace parley::storage {

// The schema of these tables, beside those of the accounts in the same file. Each makes version
// n + 1 of version n, where version 0 is a file that knows none of them.
[[nodiscard]] std::span<const std::string_view> room_record_migrations() noexcept;

// Marks that are not written yet, by user and room.
using WaitingMarks = std::map<std::pair<std::string, std::string>, core::ReadMark>;

class SqliteRecordTables {
public:
    static constexpr std::size_t marks_per_user_max = core::limits::read_marks_per_user;
    static constexpr std::size_t unread_per_user_max = core::limits::unread_marks_per_user;
    static constexpr std::size_t rooms_owned_max = core::limits::rooms_owned_max;

    // Opens the file, made or brought to this version where need be. Throws std::runtime_error that
    // says what is wrong.
    explicit SqliteRecordTables(const std::string& path);

    [[nodiscard]] SqliteDatabase& database() noexcept { return database_; }

    // All of these throw SqliteError.

    // Roles whose time is over become what they were before.
    void end_what_has_ended(core::WallTime now);
    // Of which anything is kept.
    [[nodiscard]] std::vector<std::string> rooms();
    [[nodiscard]] bool keeps(const std::string& room);
    [[nodiscard]] core::RoomRecord room(const std::string& name);
    // Why not, where a claim is one too many.
    [[nodiscard]] std::optional<protocol::Error> save_role(const std::string& room,
                                                           const core::RoomRole& role, bool claims);
    void save_topic(const std::string& room, const std::string& topic);
    // The newest first.
    [[nodiscard]] std::vector<core::ReadMark> marks(const std::string& user);
    [[nodiscard]] std::vector<core::Reader> readers(const std::string& room, std::size_t most);
    // How many gave way to them.
    [[nodiscard]] std::uint64_t save_marks(const WaitingMarks& marks, core::WallTime now);

private:
    [[nodiscard]] std::uint64_t drop_surplus(const std::string& user);

    SqliteDatabase database_;
    SqliteStatement topic_;
    SqliteStatement roles_;
    SqliteStatement owned_;
    SqliteStatement any_;
    SqliteStatement save_role_;
    SqliteStatement drop_role_;
    SqliteStatement save_topic_;
    SqliteStatement drop_topic_;
    SqliteStatement marks_;
    SqliteStatement readers_;
    SqliteStatement save_mark_;
    SqliteStatement drop_marks_;
    SqliteStatement changes_;
};

}  // namespace parley::storage
