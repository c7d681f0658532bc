// SqliteRoomRecords: who is what in which room, topics and read marks, in the SQLite file of the
// accounts: one thread that commits whatever has come in the meantime in one transaction.
//
// Path:     Shard, RoomActs → [SqliteRoomRecords] → SqliteRecordTables
// Runs on:  the calls of RoomRecords on shards; the rest on a thread of its own, and single marks are
//           looked up on another.
// Owned by: the server (composition root), a test.
// Bounds:   marks_waiting_max marks that are not written yet, further ones are dropped and counted;
//           what the tables bound. A file that can't be written: what asks for an answer is refused,
//           marks are tried again every retry_every.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/room_records.hpp"
#include "storage/sqlite_mark_reader.hpp"
#include "storage/sqlite_record_tables.hpp"

namespace parley::storage {

// Written by its thread, read by any.
struct RoomRecordCounters {
    std::atomic<std::uint64_t> batches{0};          // committed
    std::atomic<std::uint64_t> failures{0};         // batches that could not be
    std::atomic<std::uint64_t> marks_dropped{0};    // before they were written, for want of room
    std::atomic<std::uint64_t> marks_displaced{0};  // by newer ones of the same user
    std::atomic<bool> failing{false};
};

class SqliteRoomRecords final : public core::RoomRecords {
public:
    static constexpr std::size_t marks_waiting_max = 65'536;
    static constexpr std::chrono::milliseconds retry_every{1'000};

    // Told that the file fails and why, or (empty) that it works again. On this object's thread.
    using OnTrouble = std::function<void(const std::string& error)>;

    // Opens the file, made or brought to this version where need be. Throws std::runtime_error that
    // names it and says what is wrong.
    SqliteRoomRecords(const std::string& path, OnTrouble tell);
    ~SqliteRoomRecords() override;
    // Writes what waits, as far as it can be, and answers nothing from then on. For the one thread
    // that is left, before the shards that asked go.
    void close() noexcept;

    bool has(std::string_view room) const noexcept override;
    void load(core::Shard& home, std::string room,
              std::function<void(core::Recorded<core::RoomRecord>&&)> done) override;
    void save_role(core::Shard& home, std::string room, core::RoomRole role,
                   core::WhenKept done) override;
    void save_claim(core::Shard& home, std::string room, protocol::User owner,
                    core::WhenKept done) override;
    void save_topic(core::Shard& home, std::string room, std::string topic,
                    core::WhenKept done) override;
    void load_marks(
        core::Shard& here, std::string user,
        std::function<void(core::Recorded<std::vector<core::ReadMark>>&&)> done) override;
    void load_mark(
        core::Shard& here, std::string user, std::string room,
        std::function<void(core::Recorded<std::optional<core::ReadMark>>&&)> done) override;
    void load_readers(
        core::Shard& here, std::string room, std::size_t most,
        std::function<void(core::Recorded<std::vector<core::Reader>>&&)> done) override;
    void save_mark(std::string user, core::ReadMark mark) override;

    [[nodiscard]] const RoomRecordCounters& counters() const noexcept { return counters_; }

private:
    struct Load {
        core::Shard* home;
        std::string room;
        std::function<void(core::Recorded<core::RoomRecord>&&)> done;
    };
    struct LoadMarks {
        core::Shard* here;
        std::string user;
        std::function<void(core::Recorded<std::vector<core::ReadMark>>&&)> done;
    };
    struct LoadReaders {
        core::Shard* here;
        std::string room;
        std::size_t most;
        std::function<void(core::Recorded<std::vector<core::Reader>>&&)> done;
    };
    struct SaveRole {
        core::Shard* home;
        std::string room;
        core::RoomRole role;
        bool claims;
        core::WhenKept done;
    };
    struct SaveTopic {
        core::Shard* home;
        std::string room;
        std::string topic;
        core::WhenKept done;
    };
    using Save = std::variant<SaveRole, SaveTopic>;
    using Ask = std::variant<Load, LoadMarks, LoadReaders>;
    struct Work {
        std::vector<Save> saves;
        std::vector<Ask> asks;
        WaitingMarks marks;
        [[nodiscard]] bool empty() const noexcept {
            return saves.empty() && asks.empty() && marks.empty();
        }
    };

    template <typename What>
    void push(std::vector<What> Work::*list, What what);
    void serve();
    void carry_out(Work&& work);
    [[nodiscard]] bool write(Work& work);
    template <typename What, typename Look>
    [[nodiscard]] core::Recorded<What> found(Look look, protocol::Error otherwise);
    void answer(Load&& ask);
    void answer(LoadMarks&& ask);
    void answer(LoadReaders&& ask);
    void set_trouble(const std::string& error);
    // Something is about to be saved of that room; and it was, or was not.
    void note(const std::string& room);
    void settle(const std::string& room, bool kept);
    void settle(const std::vector<Save>& saves,
                const std::vector<std::optional<protocol::Error>>& refusals);
    [[nodiscard]] bool keeps(const std::string& room);

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    OnTrouble tell_;
    SqliteRecordTables tables_;
    RoomRecordCounters counters_;
    std::string trouble_;  // its thread's

    // Rooms of which something is kept, and how much is on its way there of each. Asked where a room
    // is opened, not where it is used.
    mutable std::shared_mutex known_mutex_;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> known_;

    std::mutex mutex_;
    std::condition_variable bell_;
    Work waiting_;
    const WaitingMarks* writing_ =
        nullptr;  // its thread's, while they are on their way into the file
    bool stopping_ = false;
    std::thread thread_;
    std::unique_ptr<SqliteMarkReader> reader_;
};

}  // namespace parley::storage
