// Hub: the shards of this process, and which of them is the home of a room.
//
// Path:     Subscriber → [Hub] → Shard → Room
// Runs on:  built and dropped by the main thread; const functions on any.
// Owned by: the server (composition root), a simulation, a test.
// Bounds:   limits::shards_max shards.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/audit.hpp"
#include "core/bucket_table.hpp"
#include "core/config.hpp"
#include "core/read_marks.hpp"
#include "core/shard.hpp"
#include "core/user.hpp"

namespace parley::core {

class Accounts;
class FileStore;
class HistoryStore;
class RoomRecords;

class Hub {
public:
    // One shard per loop; the loops must outlive the hub. Everything random in it follows from
    // `seed`. Without a store what is said is kept in memory alone.
    Hub(Config config, const std::vector<ShardLoop*>& loops, const Instant& now, std::uint64_t seed,
        HistoryStore* store = nullptr);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    [[nodiscard]] const Config& config() const noexcept { return config_; }
    [[nodiscard]] std::size_t shard_count() const noexcept { return shards_.size(); }
    [[nodiscard]] Shard& shard(std::size_t index) const noexcept { return *shards_[index]; }
    [[nodiscard]] Shard& home_of(std::string_view room) const noexcept;
    // Where messages are kept; null where that is memory alone.
    [[nodiscard]] HistoryStore* store() const noexcept { return store_; }
    // Whether a message is stored before it is said: only a room's home may publish one then.
    [[nodiscard]] bool stores_first() const noexcept {
        return store_ != nullptr && config_.history.durability == Durability::sync;
    }
    // False while messages are refused, since the store fails or is too far behind. Any thread.
    [[nodiscard]] bool takes_messages() const noexcept;
    // Takes up what the store kept of the sessions of the last run. Only before any shard runs.
    void take_up_sessions(const Instant& now);
    // Hands the store what was said and not yet taken in by a room's home, and the sessions that may
    // come back. Only once no shard runs any more, by the one thread that is left.
    void settle(const Instant& now);
    // Sum over the shards. Any thread.
    [[nodiscard]] std::uint64_t total(Metric metric) const noexcept;

    // Rates that sessions of all shards share. Any thread.
    [[nodiscard]] BucketTable& user_buckets() noexcept { return user_buckets_; }
    [[nodiscard]] BucketTable& address_buckets() noexcept { return address_buckets_; }
    // Names who knows about accounts; null, as at first: nobody. Before the shards run. They must
    // outlive the hub's shards.
    void set_accounts(Accounts* accounts) noexcept { accounts_ = accounts; }
    [[nodiscard]] Accounts* accounts() const noexcept { return accounts_; }
    // Another number with each name that is registered; always the same without accounts. Any thread.
    [[nodiscard]] std::uint32_t names_edition() const noexcept;
    // Where it is kept who is what in which room; null, as at first: in memory alone. Before the
    // shards run. They must outlive the hub's shards.
    void set_records(RoomRecords* records) noexcept {
        records_ = records;
        read_marks_.set_records(records);
    }
    [[nodiscard]] RoomRecords* records() const noexcept { return records_; }
    // How far everybody has read. Any thread.
    [[nodiscard]] ReadMarks& read_marks() noexcept { return read_marks_; }
    // Who writes down what is done about that, on any shard; empty, as at first: nobody. Before the
    // shards run.
    void set_audit_log(AuditLog log) { audit_log_ = std::move(log); }
    [[nodiscard]] const AuditLog& audit_log() const noexcept { return audit_log_; }
    // Names where files are kept; null, as at first: nowhere. Before the shards run. It must outlive
    // the hub's shards.
    void set_files(FileStore* files) noexcept { files_ = files; }
    [[nodiscard]] FileStore* files() const noexcept { return files_; }
    // Why nobody may go by that name without an account; nothing where anybody may.
    [[nodiscard]] std::optional<protocol::Error> refuse_anonymous(std::string_view name) const;
    // Who goes by that name from that address, without an account: the same user each time.
    [[nodiscard]] UserPtr user_named(std::string_view address, const std::string& name) const;
    // Who comes from that address and gives no name.
    [[nodiscard]] UserPtr guest_at(std::string_view address) const;

private:
    Config config_;
    HistoryStore* store_;
    bool sessions_taken_ = false;
    std::uint64_t secret_;
    Accounts* accounts_ = nullptr;
    RoomRecords* records_ = nullptr;
    ReadMarks read_marks_;
    AuditLog audit_log_;
    FileStore* files_ = nullptr;
    BucketTable user_buckets_;
    BucketTable address_buckets_;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace parley::core
