// Engine: what every store has in common: the queue in front of it, what it reports of itself, and
// how its answers find their way back.
//
// Path:     RoomHome → [Engine] → SqliteStore, PostgresStore
// Runs on:  the calls of HistoryStore on shards; the protected ones on the engine's thread.
// Owned by: the server (composition root), a test.
// Bounds:   WriteQueue's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/history_store.hpp"
#include "core/shard.hpp"
#include "storage/write_queue.hpp"

namespace parley::storage {

// What a store tells whoever logs: that it fails now and why, or (with an empty text) that it works
// again. Called on the engine's thread.
using OnTrouble = std::function<void(const std::string& error)>;

// What an engine counts; written by its thread, read by any.
struct EngineCounters {
    std::atomic<std::uint64_t> messages{0};   // written
    std::atomic<std::uint64_t> batches{0};    // committed
    std::atomic<std::uint64_t> failures{0};   // batches that could not be
    std::atomic<std::uint64_t> refused{0};    // sync: messages forgotten for that
    std::atomic<std::uint64_t> commit_us{0};  // spent in transactions that were committed
    std::atomic<std::uint64_t> removed{0};    // messages, by retention
    std::atomic<std::uint64_t> untidy{0};     // failures to index or remove
    // No later than the oldest message that is queued was said, in ms since 1970, while one is.
    std::atomic<std::int64_t> unsaved_since{0};
};

// A stored message as its room's history has it now: with the epoch of today.
[[nodiscard]] core::RetainedPtr retained_of(std::uint64_t offset, std::string_view json,
                                            const protocol::Epoch& epoch);

class Engine : public core::HistoryStore {
public:
    [[nodiscard]] bool accepting() const noexcept final { return queue_.accepting(); }
    void open(core::Shard& home, std::string room, protocol::Epoch fresh,
              OnAnswer<core::StoredRoom> done) final;
    void append(core::Shard& home, const std::string& room, core::Unsaved&& message,
                std::uint64_t ticket) final;
    void remember(const std::string& room, core::StoredKey&& key) final;
    void page(core::Shard& home, std::string room, const core::StoredPage& asked,
              OnAnswer<core::HistorySlice> done) override;
    void search(core::Shard& home, std::string room, core::StoredSearch&& asked,
                OnAnswer<core::HistorySlice> done) override;

    [[nodiscard]] std::vector<core::StoredSession> take_sessions() override { return {}; }
    void keep_sessions(std::vector<core::StoredSession>&&) override {}

    [[nodiscard]] const EngineCounters& counters() const noexcept { return counters_; }
    [[nodiscard]] const WriteQueue& queue() const noexcept { return queue_; }
    // Writes what is queued, as far as it can be in a few seconds, and answers nothing from then on.
    // For the one thread that is left, before the shards that asked go; the destructor does it where
    // nobody did.
    virtual void close() noexcept = 0;

    // Why it fails; empty while it works. Any thread.
    [[nodiscard]] std::string trouble() const;

    // Answers a question on the shard that asked it. Any thread.
    template <typename Answer>
    static void answer(core::Shard& home, OnAnswer<Answer>&& done, core::Stored<Answer>&& what) {
        home.post([done = std::move(done), what = std::move(what)](core::Shard&) mutable {
            done(std::move(what));
        });
    }

protected:
    Engine(const core::Config& config, std::function<void(bool urgent)> ring, OnTrouble tell);

    [[nodiscard]] const core::Config& config() const noexcept { return config_; }
    [[nodiscard]] bool sync() const noexcept {
        return config_.history.durability == core::Durability::sync;
    }
    [[nodiscard]] WriteQueue& queue() noexcept { return queue_; }
    [[nodiscard]] EngineCounters& counted() noexcept { return counters_; }

    // Notes that the store fails, or (empty) that it works again: told once for each change.
    void set_trouble(const std::string& error);
    // Tells the homes of those appends what became of them, and that they need no place any more.
    void settle(const std::vector<AppendRequest>& appends, bool stored);

private:
    core::Config config_;
    OnTrouble tell_;
    EngineCounters counters_;
    WriteQueue queue_;
    mutable std::mutex trouble_mutex_;
    std::string trouble_;
};

}  // namespace parley::storage
