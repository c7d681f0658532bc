// SqliteStore: histories in one SQLite file: a writer that commits whatever has come in the meantime
// in one transaction (group commit), and a reader beside it.
//
// Path:     RoomHome → Engine → [SqliteStore] → SqliteRooms, SqliteReader
// Runs on:  the calls of HistoryStore on shards; the rest on the writer's thread.
// Owned by: the server (composition root), a test.
// Bounds:   batch_messages_max, batch_bytes_max a transaction; WriteQueue's before it. A file that
//           can't be written: with sync what waits is refused, with async it stays queued; tried
//           again every retry_every.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "storage/engine.hpp"
#include "storage/file_lock.hpp"
#include "storage/sqlite_reader.hpp"
#include "storage/sqlite_rooms.hpp"

namespace parley::storage {

class SqliteStore final : public Engine {
public:
    // Opens the file, made or brought to this version where need be, for this process alone. Throws
    // std::runtime_error that names the file and what is wrong.
    SqliteStore(const std::string& path, const core::Config& config, OnTrouble tell);
    ~SqliteStore() override { close(); }
    void close() noexcept override;

    void page(core::Shard& home, std::string room, const core::StoredPage& asked,
              OnAnswer<core::HistorySlice> done) override;

    [[nodiscard]] std::vector<core::StoredSession> take_sessions() override;
    void keep_sessions(std::vector<core::StoredSession>&& sessions) override;

private:
    using Batch = std::vector<StoreRequest>;

    void serve();
    // Waits until something is asked or due. True when this is to end.
    [[nodiscard]] bool wait();
    [[nodiscard]] bool gathered(std::unique_lock<std::mutex>& lock);
    void take_up();
    void finish();
    [[nodiscard]] Batch next_batch();
    void write(Batch&& batch);
    void carry_out(Batch& batch);
    void failed(Batch&& batch, const std::string& error);
    void retry();
    // Does a little of what can wait: indexing, removing. True where there is more.
    [[nodiscard]] bool tidy();
    void sweep(const core::Instant& now);
    void shorten(const core::Instant& now);
    void prepare_search();
    bool tidied(const std::function<void()>& work);
    void read(ReadRequest&& request);

    const bool any_bounded_;  // whether anything is ever removed
    FileLock lock_;
    SqliteDatabase database_;
    SqliteRooms rooms_;
    std::vector<core::StoredSession> last_sessions_;  // of the run before

    std::mutex mutex_;
    std::condition_variable bell_;
    bool rung_ = false;
    bool urgent_ = false;
    bool stopping_ = false;
    bool sessions_taken_ = false;

    // The writer's own.
    std::vector<core::StoredSession> sessions_;  // to be written at the end
    std::deque<StoreRequest> waiting_;
    std::vector<AppendRequest> written_;  // of the transaction under way
    std::vector<AppendRequest> refused_;
    std::vector<std::function<void()>> answers_;  // to be given when it is committed
    std::deque<SearchRequest> searches_;          // whose rooms are being indexed, the first first
    std::set<std::string> to_index_;              // when nothing is said for a while
    std::set<std::string> overdue_;               // rooms that are indexed all the same
    std::set<std::string> to_shorten_;
    bool gathering_ = false;  // what has come is left where it is until gather_end_
    core::TimePoint gather_end_{};
    core::TimePoint last_append_{};
    core::TimePoint next_tidy_{};
    core::TimePoint next_sweep_{};
    std::int64_t swept_ = 0;              // id of the room that was looked at last
    std::optional<SqliteReader> reader_;  // none once it is closed
    std::thread thread_;
};

}  // namespace parley::storage
