#include "storage/sqlite_record_tables.hpp"

#include <array>
#include <stdexcept>

#include "core/clock.hpp"

namespace parley::storage {
namespace {

using core::WallTime;
using protocol::Role;
using std::chrono::milliseconds;

// room_roles   role and after by their names; until in ms since 1970, where the role ends
// read_marks   at: in ms since 1970, when it was written last
constexpr std::string_view version_1 = R"sql(
CREATE TABLE room_topics(room TEXT PRIMARY KEY, topic TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE room_roles(
    room TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    until INTEGER,
    after TEXT NOT NULL,
    PRIMARY KEY(room, user)) STRICT, WITHOUT ROWID;
CREATE INDEX room_roles_of_user ON room_roles(user, role);
CREATE TABLE read_marks(
    user TEXT NOT NULL,
    room TEXT NOT NULL,
    epoch TEXT NOT NULL,
    offset INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY(user, room)) STRICT, WITHOUT ROWID;
CREATE INDEX read_marks_by_age ON read_marks(user, at);
)sql";

// read_marks   name: what the user was called when it was written last
constexpr std::string_view version_2 = R"sql(
ALTER TABLE read_marks ADD COLUMN name TEXT NOT NULL DEFAULT '';
CREATE INDEX read_marks_of_room ON read_marks(room, at);
)sql";

// read_marks   those of rooms in which their user has read nothing have an order of their own
constexpr std::string_view version_3 = R"sql(
DROP INDEX read_marks_by_age;
CREATE INDEX read_marks_by_age ON read_marks(user, (offset > 0), at);
)sql";

constexpr std::array migrations{version_1, version_2, version_3};

// The file's own version is that of the accounts' tables.
constexpr const char* make_version_table =
    "CREATE TABLE IF NOT EXISTS room_records_schema(version INTEGER NOT NULL) STRICT";
constexpr const char* version_now = "SELECT version FROM room_records_schema";

std::int64_t in_ms(WallTime at) {
    return std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
}

void migrate(SqliteDatabase& database) {
    database.run("BEGIN IMMEDIATE");
    try {
        database.run(make_version_table);
        const auto found = static_cast<std::size_t>(database.number(version_now));
        if (found > migrations.size()) {
            throw std::runtime_error("its rooms are of schema version " + std::to_string(found) +
                                     ", and this program knows versions up to " +
                                     std::to_string(migrations.size()));
        }
        for (std::size_t i = found; i < migrations.size(); ++i) {
            database.run(std::string(migrations[i]).c_str());
        }
        const std::string mark =
            "DELETE FROM room_records_schema;"
            "INSERT INTO room_records_schema VALUES(" +
            std::to_string(migrations.size()) + ")";
        database.run(mark.c_str());
        database.run("COMMIT");
    } catch (const std::runtime_error&) {
        database.rollback();
        throw;
    }
}

SqliteDatabase open(const std::string& path) {
    SqliteDatabase database(path, SqliteDatabase::Access::write);
    database.run("PRAGMA journal_mode = WAL");
    database.run("PRAGMA synchronous = FULL");
    migrate(database);
    return database;
}

core::RoomRole role_in(const SqliteStatement& row) {
    core::RoomRole role;
    role.user = {std::string(row.text(0)), std::string(row.text(1))};
    role.role = protocol::role_from(row.text(2)).value_or(Role::none);
    if (row.number(3) != 0) role.until = WallTime(milliseconds(row.number(3)));
    role.after = protocol::role_from(row.text(4)).value_or(Role::none);
    return role;
}

}  // namespace

std::span<const std::string_view> room_record_migrations() noexcept {
    return migrations;
}

SqliteRecordTables::SqliteRecordTables(const std::string& path)
    : database_(open(path)),
      topic_(database_, "SELECT topic FROM room_topics WHERE room = ?"),
      roles_(database_,
             "SELECT user, name, role, coalesce(until, 0), after FROM room_roles "
             "WHERE room = ? ORDER BY user"),
      owned_(database_, "SELECT count(*) FROM room_roles WHERE user = ? AND role = 'owner'"),
      any_(database_,
           "SELECT 1 FROM room_roles WHERE room = ?1 UNION ALL "
           "SELECT 1 FROM room_topics WHERE room = ?1 LIMIT 1"),
      save_role_(database_,
                 "INSERT INTO room_roles(room, user, name, role, until, after) "
                 "VALUES(?, ?, ?, ?, nullif(?, 0), ?) ON CONFLICT(room, user) DO UPDATE SET "
                 "name = excluded.name, role = excluded.role, until = excluded.until, "
                 "after = excluded.after"),
      drop_role_(database_, "DELETE FROM room_roles WHERE room = ? AND user = ?"),
      save_topic_(database_,
                  "INSERT INTO room_topics(room, topic) VALUES(?, ?) "
                  "ON CONFLICT(room) DO UPDATE SET topic = excluded.topic"),
      drop_topic_(database_, "DELETE FROM room_topics WHERE room = ?"),
      marks_(database_,
             "SELECT room, epoch, offset, name FROM read_marks WHERE user = ? "
             "ORDER BY at DESC, room"),
      readers_(database_,
               "SELECT user, name, epoch, offset FROM read_marks WHERE room = ? "
               "ORDER BY at DESC LIMIT ?"),
      save_mark_(database_,
                 "INSERT INTO read_marks(user, room, epoch, offset, at, name) "
                 "VALUES(?, ?, ?, ?, ?, ?) "
                 "ON CONFLICT(user, room) DO UPDATE SET "
                 "offset = CASE WHEN epoch = excluded.epoch THEN max(offset, excluded.offset) "
                 "ELSE excluded.offset END, epoch = excluded.epoch, at = excluded.at, "
                 "name = excluded.name"),
      drop_marks_(database_,
                  "DELETE FROM read_marks WHERE user = ?1 AND room IN (SELECT room FROM "
                  "read_marks WHERE user = ?1 AND (offset > 0) = ?2 "
                  "ORDER BY at DESC, room DESC LIMIT -1 OFFSET ?3)"),
      changes_(database_, "SELECT changes()") {}

void SqliteRecordTables::end_what_has_ended(WallTime now) {
    const std::string at = std::to_string(in_ms(now));
    database_.run(("DELETE FROM room_roles WHERE until <= " + at + " AND after = 'none';" +
                   "UPDATE room_roles SET role = after, until = NULL, after = 'none' "
                   "WHERE until <= " +
                   at)
                      .c_str());
}

std::vector<std::string> SqliteRecordTables::rooms() {
    std::vector<std::string> names;
    SqliteStatement rooms(database_,
                          "SELECT room FROM room_roles UNION SELECT room FROM room_topics");
    while (rooms.step()) names.emplace_back(rooms.text(0));
    return names;
}

bool SqliteRecordTables::keeps(const std::string& room) {
    const bool found = any_.bind(1, room).step();
    any_.rewind();
    return found;
}

core::RoomRecord SqliteRecordTables::room(const std::string& name) {
    core::RoomRecord record;
    if (topic_.bind(1, name).step()) record.topic = topic_.text(0);
    topic_.rewind();
    roles_.bind(1, name);
    while (roles_.step()) record.roles.push_back(role_in(roles_));
    return record;
}

std::optional<protocol::Error> SqliteRecordTables::save_role(const std::string& room,
                                                             const core::RoomRole& role,
                                                             bool claims) {
    if (claims) {
        const std::int64_t count =
            owned_.bind(1, role.user.id).step() ? owned_.number(0) : std::int64_t{0};
        owned_.rewind();
        if (count >= static_cast<std::int64_t>(rooms_owned_max)) {
            return core::owns_too_many(static_cast<std::size_t>(count));
        }
    }
    if (role.role == Role::none && !role.until) {
        drop_role_.bind(1, room).bind(2, role.user.id).run();
        return std::nullopt;
    }
    save_role_.bind(1, room)
        .bind(2, role.user.id)
        .bind(3, role.user.name)
        .bind(4, protocol::name_of(role.role))
        .bind(5, role.until ? in_ms(*role.until) : 0)
        .bind(6, protocol::name_of(role.after))
        .run();
    return std::nullopt;
}

void SqliteRecordTables::save_topic(const std::string& room, const std::string& topic) {
    if (topic.empty()) return drop_topic_.bind(1, room).run();
    save_topic_.bind(1, room).bind(2, topic).run();
}

std::vector<core::ReadMark> SqliteRecordTables::marks(const std::string& user) {
    std::vector<core::ReadMark> marks;
    marks_.bind(1, user);
    while (marks_.step()) {
        const auto epoch = protocol::Epoch::parse(marks_.text(1));
        if (!epoch) continue;
        marks.push_back({std::string(marks_.text(0)), *epoch,
                         static_cast<std::uint64_t>(marks_.number(2)),
                         std::string(marks_.text(3))});
    }
    return marks;
}

std::vector<core::Reader> SqliteRecordTables::readers(const std::string& room, std::size_t most) {
    std::vector<core::Reader> readers;
    readers_.bind(1, room).bind(2, static_cast<std::int64_t>(most));
    while (readers_.step()) {
        const auto epoch = protocol::Epoch::parse(readers_.text(2));
        if (!epoch) continue;
        readers.push_back({{std::string(readers_.text(0)), std::string(readers_.text(1))},
                           *epoch,
                           static_cast<std::uint64_t>(readers_.number(3))});
    }
    return readers;
}

std::uint64_t SqliteRecordTables::save_marks(const WaitingMarks& marks, WallTime now) {
    std::uint64_t dropped = 0;
    const std::string* user = nullptr;
    for (const auto& [key, mark] : marks) {
        if (user != nullptr && *user != key.first) dropped += drop_surplus(*user);
        user = &key.first;
        save_mark_.bind(1, key.first)
            .bind(2, mark.room)
            .bind(3, mark.epoch.view())
            .bind(4, static_cast<std::int64_t>(mark.offset))
            .bind(5, in_ms(now))
            .bind(6, mark.name)
            .run();
    }
    return user == nullptr ? dropped : dropped + drop_surplus(*user);
}

// What others make of them by writing to them is never in the place of where they have read.
std::uint64_t SqliteRecordTables::drop_surplus(const std::string& user) {
    std::uint64_t dropped = 0;
    for (const bool read : {false, true}) {
        const std::size_t most = read ? marks_per_user_max : unread_per_user_max;
        drop_marks_.bind(1, user)
            .bind(2, std::int64_t{read})
            .bind(3, static_cast<std::int64_t>(most))
            .run();
        if (changes_.step()) dropped += static_cast<std::uint64_t>(changes_.number(0));
        changes_.rewind();
    }
    return dropped;
}

}  // namespace parley::storage
