#include "storage/sqlite_rooms.hpp"

#include <algorithm>
#include <string_view>

#include "core/limits.hpp"
#include "protocol/json_codec.hpp"
#include "storage/engine.hpp"

namespace parley::storage {
namespace {

// A row is some 200 bytes.
constexpr std::size_t rooms_cached_max = 65'536;

constexpr std::chrono::seconds key_ttl{core::limits::idempotency_seconds};

std::string_view name_of(core::Durability durability) {
    return durability == core::Durability::sync ? "sync" : "async";
}

core::WallTime wall_time(std::int64_t ms) {
    return core::WallTime(std::chrono::milliseconds(ms));
}

}  // namespace

std::int64_t in_milliseconds(core::WallTime at) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

core::RetainedPtr message_of(const SqliteStatement& row, const FoundRoom& room) {
    return retained_of(offset_of_key(row.number(0)), row.text(1), room.epoch);
}

SqliteRooms::SqliteRooms(SqliteDatabase& database, const core::Config& config)
    : database_(&database),
      config_(&config),
      find_room_(database, "SELECT id, epoch, run, last_offset, indexed FROM rooms WHERE name = ?"),
      add_room_(database, "INSERT INTO rooms(name, epoch, run) VALUES(?, ?, ?)"),
      set_epoch_(database, "UPDATE rooms SET epoch = ?, run = ? WHERE id = ?"),
      last_key_(database, "SELECT max(id) FROM messages WHERE id BETWEEN ? AND ?"),
      first_key_(database, "SELECT min(id) FROM messages WHERE id BETWEEN ? AND ?"),
      add_message_(database, "INSERT INTO messages(id, at, json) VALUES(?, ?, ?)"),
      newest_(database,
              "SELECT id, json FROM messages WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?"),
      add_key_(
          database,
          "INSERT OR REPLACE INTO send_keys(room, user, key, offset, at) VALUES(?, ?, ?, ?, ?)"),
      // The newest, as many as a home remembers, of messages that are there.
      keys_of_(
          database,
          "SELECT user, key, offset, at FROM send_keys WHERE room = ? AND at > ? AND offset <= ? "
          "ORDER BY at DESC LIMIT ?"),
      drop_keys_(database, "DELETE FROM send_keys WHERE room = ? AND offset > ?"),
      expire_keys_(database, "DELETE FROM send_keys WHERE at <= ?"),
      sum_bytes_(database,
                 "SELECT sum(length(CAST(json AS BLOB))) FROM messages WHERE id BETWEEN ? AND ?"),
      first_since_(
          database,
          "SELECT id FROM messages WHERE id BETWEEN ? AND ? AND at >= ? ORDER BY id LIMIT 1"),
      unindex_(database,
               "INSERT INTO words(words, rowid, text) SELECT 'delete', id, "
               "coalesce(json ->> '$.text', '') FROM messages WHERE id BETWEEN ? AND ?"),
      remove_(database, "DELETE FROM messages WHERE id BETWEEN ? AND ?"),
      amend_(database, "UPDATE messages SET json = ? WHERE id = ?"),
      note_removal_(database, "UPDATE rooms SET last_offset = ? WHERE id = ?"),
      add_words_(database,
                 "INSERT INTO words(rowid, text) SELECT id, coalesce(json ->> '$.text', '') "
                 "FROM messages WHERE id BETWEEN ? AND ?"),
      set_indexed_(database, "UPDATE rooms SET indexed = ? WHERE id = ?"),
      next_room_(database, "SELECT id, name FROM rooms WHERE id > ? ORDER BY id LIMIT 1"),
      probe_(database, "UPDATE meta SET value = value WHERE name = 'run'") {
    run_ = database.number("SELECT value FROM meta WHERE name = 'run'") + 1;
    void_run_ = database.number("SELECT value FROM meta WHERE name = 'void_run'");
    const bool cut_off = run_ > 1 &&
                         database.number("SELECT value FROM meta WHERE name = 'clean'") == 0 &&
                         database.number(
                             "SELECT value = 'async' FROM meta "
                             "WHERE name = 'durability'") == 1;
    if (cut_off) void_run_ = run_;
    SqliteStatement set(database, "INSERT OR REPLACE INTO meta(name, value) VALUES(?, ?)");
    database.run("BEGIN IMMEDIATE");
    set.bind(1, "run").bind(2, run_).run();
    set.bind(1, "void_run").bind(2, void_run_).run();
    set.bind(1, "clean").bind(2, std::int64_t{0}).run();
    set.bind(1, "durability").bind(2, name_of(config.history.durability)).run();
    database.run("COMMIT");
}

SqliteRooms::Row& SqliteRooms::row_of(const std::string& room) {
    if (const auto found = rooms_.find(room); found != rooms_.end()) return found->second;
    // Names that nothing is stored of are not worth remembering others' place for.
    if (rooms_.size() >= rooms_cached_max) rooms_.clear();
    Row row;
    row.keep = core::retention_of(*config_, room);
    if (find_room_.bind(1, room).step()) {
        row.id = find_room_.number(0);
        row.last_offset = static_cast<std::uint64_t>(find_room_.number(3));
        row.indexed = static_cast<std::uint64_t>(find_room_.number(4));
        find_room_.rewind();
        last_key_.bind(1, message_key(row.id, 0)).bind(2, message_key(row.id, stored_offset_max));
        if (last_key_.step()) {
            row.last_offset = std::max(row.last_offset, offset_of_key(last_key_.number(0)));
            last_key_.rewind();
        }
    }
    return rooms_.emplace(room, row).first->second;
}

void SqliteRooms::insert(const std::string& room, Row& row, std::string_view epoch) {
    add_room_.bind(1, room).bind(2, epoch).bind(3, run_).run();
    row.id = database_->number("SELECT last_insert_rowid()");
}

core::StoredRoom SqliteRooms::open(const std::string& room, const protocol::Epoch& fresh,
                                   core::WallTime now) {
    const Row row = row_of(room);
    core::StoredRoom out{fresh, row.last_offset, {}, {}};
    if (row.id == 0) return out;
    if (find_room_.bind(1, room).step()) {
        const auto epoch = protocol::Epoch::parse(find_room_.text(1));
        const bool good = epoch && find_room_.number(2) >= void_run_;
        if (good) out.epoch = *epoch;
        find_room_.rewind();
        if (!good) {
            set_epoch_.bind(1, fresh.view()).bind(2, run_).bind(3, row.id).run();
            // Of messages that were never written, whose offsets are given again.
            drop_keys_.bind(1, row.id).bind(2, static_cast<std::int64_t>(row.last_offset)).run();
        }
        read_keys(row, now, out);
    }
    read_newest(row, out.epoch, out);
    return out;
}

void SqliteRooms::read_newest(const Row& row, const protocol::Epoch& epoch, core::StoredRoom& out) {
    newest_.bind(1, message_key(row.id, 0))
        .bind(2, message_key(row.id, stored_offset_max))
        .bind(3, static_cast<std::int64_t>(config_->history.messages));
    std::size_t bytes = 0;
    std::uint64_t expected = row.last_offset;
    while (newest_.step()) {
        const std::uint64_t offset = offset_of_key(newest_.number(0));
        auto message = retained_of(offset, newest_.text(1), epoch);
        bytes += message->cost();
        if (offset != expected || bytes > config_->history.bytes) break;
        --expected;
        out.newest.push_back(std::move(message));
    }
    newest_.rewind();
    std::ranges::reverse(out.newest);
}

void SqliteRooms::read_keys(const Row& row, core::WallTime now, core::StoredRoom& out) {
    keys_of_.bind(1, row.id)
        .bind(2, in_milliseconds(now - key_ttl))
        .bind(3, static_cast<std::int64_t>(row.last_offset))
        .bind(4, static_cast<std::int64_t>(core::limits::idempotency_keys_max));
    while (keys_of_.step()) {
        out.keys.push_back({std::string(keys_of_.text(0)), std::string(keys_of_.text(1)),
                            static_cast<std::uint64_t>(keys_of_.number(2)),
                            wall_time(keys_of_.number(3))});
    }
    std::ranges::reverse(out.keys);
}

SqliteRooms::Appended SqliteRooms::append(const std::string& room, const core::Unsaved& unsaved) {
    Row& row = row_of(room);
    const core::Retained& message = *unsaved.message;
    if (message.offset() != row.last_offset + 1 || message.offset() >= stored_offset_max ||
        row.id >= stored_rooms_max) {
        return Appended::refused;
    }
    if (row.id == 0) insert(room, row, protocol::epoch_of_message(message.json()));
    add_message_.bind(1, message_key(row.id, message.offset()))
        .bind(2, in_milliseconds(unsaved.at))
        .bind(3, message.json())
        .run();
    row.last_offset = message.offset();
    if (row.bytes) *row.bytes += message.json().size();
    for (const core::RetainedPtr& amended : unsaved.amended) amend(row, *amended);
    if (!unsaved.key.empty()) {
        remember(room, {unsaved.user, unsaved.key, message.offset(), unsaved.at});
    }
    return Appended::stored;
}

void SqliteRooms::amend(Row& row, const core::Retained& message) {
    const auto key = message_key(row.id, message.offset());
    sum_bytes_.bind(1, key).bind(2, key);
    const std::int64_t before = sum_bytes_.step() ? sum_bytes_.number(0) : 0;
    sum_bytes_.rewind();
    if (before == 0) return;  // it was removed
    // The index is told the words that go by what the message has until now.
    const bool indexed = message.offset() <= row.indexed;
    if (indexed) unindex_.bind(1, key).bind(2, key).run();
    amend_.bind(1, message.json()).bind(2, key).run();
    if (indexed) add_words_.bind(1, key).bind(2, key).run();
    if (row.bytes) {
        *row.bytes += message.json().size();
        *row.bytes -= std::min(*row.bytes, static_cast<std::uint64_t>(before));
    }
}

void SqliteRooms::remember(const std::string& room, const core::StoredKey& key) {
    const Row& row = row_of(room);
    // The store has nothing of that room, and so no message the key could be of.
    if (row.id == 0) return;
    add_key_.bind(1, row.id)
        .bind(2, key.user)
        .bind(3, key.key)
        .bind(4, static_cast<std::int64_t>(key.offset))
        .bind(5, in_milliseconds(key.at))
        .run();
}

std::uint64_t SqliteRooms::first_offset(Row& row) {
    if (row.first_offset != 0) return row.first_offset;
    row.first_offset = row.last_offset + 1;
    first_key_.bind(1, message_key(row.id, 0)).bind(2, message_key(row.id, stored_offset_max));
    if (first_key_.step()) {
        if (first_key_.number(0) != 0) row.first_offset = offset_of_key(first_key_.number(0));
        first_key_.rewind();
    }
    return row.first_offset;
}

std::uint64_t SqliteRooms::bytes(Row& row) {
    if (row.bytes) return *row.bytes;
    sum_bytes_.bind(1, message_key(row.id, 0)).bind(2, message_key(row.id, stored_offset_max));
    row.bytes = 0;
    if (sum_bytes_.step()) {
        row.bytes = static_cast<std::uint64_t>(sum_bytes_.number(0));
        sum_bytes_.rewind();
    }
    return *row.bytes;
}

std::uint64_t SqliteRooms::excess_to(Row& row, core::WallTime now, std::size_t most) {
    const std::uint64_t first = first_offset(row);
    const std::uint64_t last = std::min<std::uint64_t>(row.last_offset, first + most - 1);
    std::uint64_t to = first - 1;
    const core::Retention& keep = row.keep;
    if (keep.messages != 0 && row.last_offset >= keep.messages) {
        to = std::max(to, row.last_offset - keep.messages);
    }
    if (keep.age > keep.age.zero() && first <= row.last_offset) {
        first_since_.bind(1, message_key(row.id, first))
            .bind(2, message_key(row.id, last))
            .bind(3, in_milliseconds(now - keep.age));
        const bool any = first_since_.step();
        to = std::max(to, any ? offset_of_key(first_since_.number(0)) - 1 : last);
        first_since_.rewind();
    }
    if (keep.bytes != 0 && bytes(row) > keep.bytes && first <= row.last_offset) {
        // By the mean: exact enough for a bound that is looked at again and again.
        const std::uint64_t mean =
            std::max<std::uint64_t>(1, bytes(row) / (row.last_offset + 1 - first));
        const std::uint64_t many = (bytes(row) - keep.bytes + mean - 1) / mean;
        to = std::max(to, std::min(row.last_offset, first - 1 + many));
    }
    return to;
}

bool SqliteRooms::remove_excess(const std::string& room, core::WallTime now, std::size_t most,
                                std::uint64_t& removed) {
    Row& row = row_of(room);
    if (row.id == 0 || row.keep == core::Retention{}) return false;
    const std::uint64_t first = first_offset(row);
    const std::uint64_t to = std::min<std::uint64_t>(excess_to(row, now, most), first + most - 1);
    if (to < first) return false;
    const auto from_key = message_key(row.id, first);
    const auto to_key = message_key(row.id, to);
    if (row.bytes) {
        sum_bytes_.bind(1, from_key).bind(2, to_key);
        if (sum_bytes_.step()) {
            *row.bytes -= std::min(*row.bytes, static_cast<std::uint64_t>(sum_bytes_.number(0)));
            sum_bytes_.rewind();
        }
    }
    if (row.indexed >= first) {
        unindex_.bind(1, from_key).bind(2, message_key(row.id, std::min(to, row.indexed))).run();
    }
    remove_.bind(1, from_key).bind(2, to_key).run();
    note_removal_.bind(1, static_cast<std::int64_t>(row.last_offset)).bind(2, row.id).run();
    row.first_offset = to + 1;
    removed += to + 1 - first;
    return to + 1 - first == most;
}

std::optional<std::string> SqliteRooms::next_room(std::int64_t& id) {
    std::optional<std::string> name;
    if (next_room_.bind(1, id).step()) {
        id = next_room_.number(0);
        name = next_room_.text(1);
        next_room_.rewind();
    }
    return name;
}

void SqliteRooms::expire_keys(core::WallTime now) {
    expire_keys_.bind(1, in_milliseconds(now - key_ttl)).run();
}

bool SqliteRooms::index(const std::string& room, std::size_t most) {
    Row& row = row_of(room);
    if (row.id == 0 || row.indexed >= row.last_offset) return false;
    const std::uint64_t from = std::max(row.indexed + 1, first_offset(row));
    const std::uint64_t to = std::min<std::uint64_t>(row.last_offset, from + most - 1);
    add_words_.bind(1, message_key(row.id, from)).bind(2, message_key(row.id, to)).run();
    set_indexed_.bind(1, static_cast<std::int64_t>(to)).bind(2, row.id).run();
    row.indexed = to;
    return to < row.last_offset;
}

std::vector<core::StoredSession> SqliteRooms::sessions() {
    std::vector<core::StoredSession> sessions;
    SqliteStatement all(*database_, "SELECT key, until, state FROM sessions ORDER BY until");
    while (all.step()) {
        sessions.push_back(
            {std::string(all.text(0)), wall_time(all.number(1)), std::string(all.text(2))});
    }
    return sessions;
}

void SqliteRooms::replace_sessions(const std::vector<core::StoredSession>& sessions) {
    database_->run("DELETE FROM sessions");
    SqliteStatement add(*database_, "INSERT INTO sessions(key, until, state) VALUES(?, ?, ?)");
    for (const core::StoredSession& session : sessions) {
        add.bind(1, session.key)
            .bind(2, in_milliseconds(session.until))
            .bind(3, session.state)
            .run();
    }
}

void SqliteRooms::mark_clean() {
    database_->run("UPDATE meta SET value = 1 WHERE name = 'clean'");
}

void SqliteRooms::probe() {
    probe_.run();
}

}  // namespace parley::storage
