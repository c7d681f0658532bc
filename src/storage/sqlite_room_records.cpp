#include "storage/sqlite_room_records.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "core/history_store.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"

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

protocol::Error not_kept() {
    return core::store_unavailable("this can't be kept at the moment");
}

protocol::Error not_known() {
    return core::store_unavailable("who may do what here can't be looked up at the moment");
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
    try {
        SqliteDatabase database(path, SqliteDatabase::Access::write);
        database.run("PRAGMA journal_mode = WAL");
        database.run("PRAGMA synchronous = FULL");
        migrate(database);
        return database;
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(path + ": " + error.what());
    }
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

struct SqliteRoomRecords::Statements {
    explicit Statements(SqliteDatabase& database)
        : topic(database, "SELECT topic FROM room_topics WHERE room = ?"),
          roles(database,
                "SELECT user, name, role, coalesce(until, 0), after FROM room_roles "
                "WHERE room = ? ORDER BY user"),
          owned(database, "SELECT count(*) FROM room_roles WHERE user = ? AND role = 'owner'"),
          any(database,
              "SELECT 1 FROM room_roles WHERE room = ?1 UNION ALL "
              "SELECT 1 FROM room_topics WHERE room = ?1 LIMIT 1"),
          save_role(database,
                    "INSERT INTO room_roles(room, user, name, role, until, after) "
                    "VALUES(?, ?, ?, ?, nullif(?, 0), ?) ON CONFLICT(room, user) DO UPDATE SET "
                    "name = excluded.name, role = excluded.role, until = excluded.until, "
                    "after = excluded.after"),
          drop_role(database, "DELETE FROM room_roles WHERE room = ? AND user = ?"),
          save_topic(database,
                     "INSERT INTO room_topics(room, topic) VALUES(?, ?) "
                     "ON CONFLICT(room) DO UPDATE SET topic = excluded.topic"),
          drop_topic(database, "DELETE FROM room_topics WHERE room = ?"),
          marks(database,
                "SELECT room, epoch, offset, name FROM read_marks WHERE user = ? "
                "ORDER BY at DESC, room"),
          readers(database,
                  "SELECT user, name, epoch, offset FROM read_marks WHERE room = ? "
                  "ORDER BY at DESC LIMIT ?"),
          save_mark(database,
                    "INSERT INTO read_marks(user, room, epoch, offset, at, name) "
                    "VALUES(?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT(user, room) DO UPDATE SET "
                    "offset = CASE WHEN epoch = excluded.epoch THEN max(offset, excluded.offset) "
                    "ELSE excluded.offset END, epoch = excluded.epoch, at = excluded.at, "
                    "name = excluded.name"),
          drop_marks(database,
                     "DELETE FROM read_marks WHERE user = ?1 AND room IN (SELECT room FROM "
                     "read_marks WHERE user = ?1 AND (offset > 0) = ?2 "
                     "ORDER BY at DESC, room DESC LIMIT -1 OFFSET ?3)"),
          changes(database, "SELECT changes()") {}

    SqliteStatement topic, roles, owned, any, save_role, drop_role, save_topic, drop_topic, marks,
        readers, save_mark, drop_marks, changes;
};

SqliteRoomRecords::SqliteRoomRecords(const std::string& path, OnTrouble tell)
    : tell_(std::move(tell)), database_(open(path)) {
    try {
        // What has ended is nothing any more, or what it was before.
        const std::string now = std::to_string(in_ms(core::machine_now().wall));
        database_.run(("DELETE FROM room_roles WHERE until <= " + now + " AND after = 'none';" +
                       "UPDATE room_roles SET role = after, until = NULL, after = 'none' "
                       "WHERE until <= " +
                       now)
                          .c_str());
        statements_ = std::make_unique<Statements>(database_);
        SqliteStatement rooms(database_,
                              "SELECT room FROM room_roles UNION SELECT room FROM room_topics");
        while (rooms.step()) known_.emplace(rooms.text(0), 0);
        reader_ = std::make_unique<SqliteMarkReader>(path);
    } catch (const SqliteError& error) {
        throw std::runtime_error(path + ": " + error.what());
    }
    thread_ = std::thread([this] { serve(); });
}

SqliteRoomRecords::~SqliteRoomRecords() {
    close();
}

void SqliteRoomRecords::close() noexcept {
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    bell_.notify_one();
    thread_.join();
    reader_->close();
}

// ---- asked on shards -------------------------------------------------------------------------

bool SqliteRoomRecords::has(std::string_view room) const noexcept {
    const std::shared_lock lock(known_mutex_);
    return known_.contains(room);
}

void SqliteRoomRecords::note(const std::string& room) {
    const std::scoped_lock lock(known_mutex_);
    ++known_[room];
}

void SqliteRoomRecords::settle(const std::string& room, bool kept) {
    const std::scoped_lock lock(known_mutex_);
    const auto known = known_.find(room);
    if (--known->second == 0 && !kept) known_.erase(known);
}

template <typename What>
void SqliteRoomRecords::push(std::vector<What> Work::*list, What what) {
    {
        const std::scoped_lock lock(mutex_);
        (waiting_.*list).push_back(std::move(what));
    }
    bell_.notify_one();
}

void SqliteRoomRecords::load(core::Shard& home, std::string room,
                             std::function<void(core::Recorded<core::RoomRecord>&&)> done) {
    push<Ask>(&Work::asks, Load{&home, std::move(room), std::move(done)});
}

void SqliteRoomRecords::load_marks(
    core::Shard& here, std::string user,
    std::function<void(core::Recorded<std::vector<core::ReadMark>>&&)> done) {
    push<Ask>(&Work::asks, LoadMarks{&here, std::move(user), std::move(done)});
}

void SqliteRoomRecords::load_mark(
    core::Shard& here, std::string user, std::string room,
    std::function<void(core::Recorded<std::optional<core::ReadMark>>&&)> done) {
    std::optional<core::ReadMark> newest;
    {
        const std::scoped_lock lock(mutex_);
        const std::pair key(user, room);
        const auto take = [&key, &newest](const Marks& marks) {
            const auto found = marks.find(key);
            if (found == marks.end()) return;
            if (!newest) newest.emplace(found->second);
            take_mark(*newest, core::ReadMark(found->second));
        };
        if (writing_ != nullptr) take(*writing_);
        take(waiting_.marks);
    }
    reader_->ask({&here, std::move(user), std::move(room), std::move(newest), std::move(done)});
}

void SqliteRoomRecords::load_readers(
    core::Shard& here, std::string room, std::size_t most,
    std::function<void(core::Recorded<std::vector<core::Reader>>&&)> done) {
    push<Ask>(&Work::asks, LoadReaders{&here, std::move(room), most, std::move(done)});
}

void SqliteRoomRecords::save_role(core::Shard& home, std::string room, core::RoomRole role,
                                  core::WhenKept done) {
    note(room);
    push<Save>(&Work::saves,
               SaveRole{&home, std::move(room), std::move(role), false, std::move(done)});
}

void SqliteRoomRecords::save_claim(core::Shard& home, std::string room, protocol::User owner,
                                   core::WhenKept done) {
    note(room);
    push<Save>(&Work::saves, SaveRole{&home,
                                      std::move(room),
                                      {std::move(owner), Role::owner, std::nullopt, Role::none},
                                      true,
                                      std::move(done)});
}

void SqliteRoomRecords::save_topic(core::Shard& home, std::string room, std::string topic,
                                   core::WhenKept done) {
    note(room);
    push<Save>(&Work::saves, SaveTopic{&home, std::move(room), std::move(topic), std::move(done)});
}

void SqliteRoomRecords::save_mark(std::string user, core::ReadMark mark) {
    {
        const std::scoped_lock lock(mutex_);
        const auto [at, is_new] =
            waiting_.marks.try_emplace({std::move(user), mark.room}, std::move(mark));
        if (!is_new) {
            take_mark(at->second, std::move(mark));
        } else if (waiting_.marks.size() > marks_waiting_max) {
            waiting_.marks.erase(at);
            counters_.marks_dropped.fetch_add(1, std::memory_order_relaxed);
            return;
        }
    }
    bell_.notify_one();
}

// ---- the thread ------------------------------------------------------------------------------

void SqliteRoomRecords::serve() {
    for (bool stopping = false; !stopping;) {
        Work work;
        {
            std::unique_lock lock(mutex_);
            const auto called = [this] {
                const bool only_marks = waiting_.saves.empty() && waiting_.asks.empty();
                return stopping_ || (!waiting_.empty() && !(only_marks && !trouble_.empty()));
            };
            // Marks that could not be written are tried again after a while.
            bell_.wait_for(lock, retry_every, called);
            stopping = stopping_;
            work = std::exchange(waiting_, {});
            writing_ = &work.marks;
        }
        carry_out(std::move(work));
    }
}

void SqliteRoomRecords::carry_out(Work&& work) {
    const bool written = (work.saves.empty() && work.marks.empty()) || write(work);
    {
        const std::scoped_lock lock(mutex_);
        writing_ = nullptr;
        // What was marked meanwhile is newer.
        if (!written) waiting_.marks.merge(work.marks);
    }
    for (Ask& ask : work.asks) {
        std::visit([this](auto& what) { answer(std::move(what)); }, ask);
    }
}

// All of it in one transaction, and whoever waits is told. False where it failed.
bool SqliteRoomRecords::write(Work& work) {
    std::vector<std::optional<protocol::Error>> refusals(work.saves.size());
    std::string error;
    std::uint64_t displaced = 0;
    try {
        database_.run("BEGIN IMMEDIATE");
        for (std::size_t i = 0; i < work.saves.size(); ++i) {
            if (auto* const role = std::get_if<SaveRole>(&work.saves[i])) {
                write_role(*role, refusals[i]);
                continue;
            }
            const auto& topic = std::get<SaveTopic>(work.saves[i]);
            SqliteStatement& statement =
                topic.topic.empty() ? statements_->drop_topic : statements_->save_topic;
            statement.bind(1, topic.room);
            if (!topic.topic.empty()) statement.bind(2, topic.topic);
            statement.run();
        }
        displaced = write_marks(work.marks);
        database_.run("COMMIT");
        counters_.marks_displaced.fetch_add(displaced, std::memory_order_relaxed);
    } catch (const SqliteError& failure) {
        error = failure.what();
        database_.rollback();
        std::ranges::fill(refusals, std::optional(not_kept()));
    }
    (error.empty() ? counters_.batches : counters_.failures)
        .fetch_add(1, std::memory_order_relaxed);
    set_trouble(error);
    settle(work.saves, refusals);
    for (std::size_t i = 0; i < work.saves.size(); ++i) {
        std::visit(
            [&](auto& save) {
                save.home->post([done = std::move(save.done), refused = std::move(refusals[i])](
                                    core::Shard&) { done(refused); });
            },
            work.saves[i]);
    }
    return error.empty();
}

// Names of which nothing is kept are forgotten: of what was refused, and what was taken back.
void SqliteRoomRecords::settle(const std::vector<Save>& saves,
                               const std::vector<std::optional<protocol::Error>>& refusals) {
    for (std::size_t i = 0; i < saves.size(); ++i) {
        const std::string& room =
            *std::visit([](const auto& save) { return &save.room; }, saves[i]);
        const auto* const role = std::get_if<SaveRole>(&saves[i]);
        const bool lifts = role != nullptr ? role->role.role == Role::none && !role->role.until
                                           : std::get<SaveTopic>(saves[i]).topic.empty();
        settle(room, (!refusals[i] && !lifts) || keeps(room));
    }
}

bool SqliteRoomRecords::keeps(const std::string& room) {
    try {
        SqliteStatement& any = statements_->any;
        const bool found = any.bind(1, room).step();
        any.rewind();
        return found;
    } catch (const SqliteError&) {
        return true;  // it is looked up where it matters
    }
}

void SqliteRoomRecords::write_role(SaveRole& save, std::optional<protocol::Error>& refused) {
    const core::RoomRole& role = save.role;
    if (save.claims) {
        SqliteStatement& owned = statements_->owned;
        const std::int64_t count =
            owned.bind(1, role.user.id).step() ? owned.number(0) : std::int64_t{0};
        owned.rewind();
        if (count >= static_cast<std::int64_t>(rooms_owned_max)) {
            refused = core::owns_too_many(static_cast<std::size_t>(count));
            return;
        }
    }
    if (role.role == Role::none && !role.until) {
        statements_->drop_role.bind(1, save.room).bind(2, role.user.id).run();
        return;
    }
    statements_->save_role.bind(1, save.room)
        .bind(2, role.user.id)
        .bind(3, role.user.name)
        .bind(4, protocol::name_of(role.role))
        .bind(5, role.until ? in_ms(*role.until) : 0)
        .bind(6, protocol::name_of(role.after))
        .run();
}

// How many gave way to them.
std::uint64_t SqliteRoomRecords::write_marks(const Marks& marks) {
    const std::int64_t now = in_ms(core::machine_now().wall);
    std::uint64_t dropped = 0;
    const std::string* user = nullptr;
    for (const auto& [key, mark] : marks) {
        if (user != nullptr && *user != key.first) dropped += drop_surplus(*user);
        user = &key.first;
        statements_->save_mark.bind(1, key.first)
            .bind(2, mark.room)
            .bind(3, mark.epoch.view())
            .bind(4, static_cast<std::int64_t>(mark.offset))
            .bind(5, now)
            .bind(6, mark.name)
            .run();
    }
    return user == nullptr ? dropped : dropped + drop_surplus(*user);
}

// What others make of them by writing to them is never in the place of where they have read.
std::uint64_t SqliteRoomRecords::drop_surplus(const std::string& user) {
    std::uint64_t dropped = 0;
    for (const bool read : {false, true}) {
        const std::size_t most = read ? marks_per_user_max : unread_per_user_max;
        statements_->drop_marks.bind(1, user)
            .bind(2, std::int64_t{read})
            .bind(3, static_cast<std::int64_t>(most))
            .run();
        if (statements_->changes.step()) {
            dropped += static_cast<std::uint64_t>(statements_->changes.number(0));
        }
        statements_->changes.rewind();
    }
    return dropped;
}

void SqliteRoomRecords::answer(Load&& ask) {
    core::Recorded<core::RoomRecord> record = core::RoomRecord();
    try {
        SqliteStatement& topic = statements_->topic;
        if (topic.bind(1, ask.room).step()) record->topic = topic.text(0);
        topic.rewind();
        SqliteStatement& roles = statements_->roles;
        roles.bind(1, ask.room);
        while (roles.step()) record->roles.push_back(role_in(roles));
        set_trouble({});
    } catch (const SqliteError& error) {
        set_trouble(error.what());
        record = not_known();
    }
    ask.home->post([done = std::move(ask.done), record = std::move(record)](core::Shard&) mutable {
        done(std::move(record));
    });
}

void SqliteRoomRecords::answer(LoadMarks&& ask) {
    core::Recorded<std::vector<core::ReadMark>> marks = std::vector<core::ReadMark>();
    try {
        SqliteStatement& rows = statements_->marks;
        rows.bind(1, ask.user);
        while (rows.step()) {
            const auto epoch = protocol::Epoch::parse(rows.text(1));
            if (!epoch) continue;
            marks->push_back({std::string(rows.text(0)), *epoch,
                              static_cast<std::uint64_t>(rows.number(2)),
                              std::string(rows.text(3))});
        }
        set_trouble({});
    } catch (const SqliteError& error) {
        set_trouble(error.what());
        marks = core::store_unavailable("read marks can't be looked up at the moment");
    }
    ask.here->post([done = std::move(ask.done), marks = std::move(marks)](core::Shard&) mutable {
        done(std::move(marks));
    });
}

void SqliteRoomRecords::answer(LoadReaders&& ask) {
    core::Recorded<std::vector<core::Reader>> readers = std::vector<core::Reader>();
    try {
        SqliteStatement& rows = statements_->readers;
        rows.bind(1, ask.room).bind(2, static_cast<std::int64_t>(ask.most));
        while (rows.step()) {
            const auto epoch = protocol::Epoch::parse(rows.text(2));
            if (!epoch) continue;
            readers->push_back({{std::string(rows.text(0)), std::string(rows.text(1))},
                                *epoch,
                                static_cast<std::uint64_t>(rows.number(3))});
        }
        set_trouble({});
    } catch (const SqliteError& error) {
        set_trouble(error.what());
        readers = core::store_unavailable("read marks can't be looked up at the moment");
    }
    ask.here->post([done = std::move(ask.done), readers = std::move(readers)](
                       core::Shard&) mutable { done(std::move(readers)); });
}

void SqliteRoomRecords::set_trouble(const std::string& error) {
    if (trouble_ == error) return;
    const bool changed = trouble_.empty() != error.empty();
    trouble_ = error;
    counters_.failing.store(!error.empty(), std::memory_order_relaxed);
    if (changed || !error.empty()) tell_(error);
}

}  // namespace parley::storage
