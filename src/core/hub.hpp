// Hub: the shards of this process, and which of them is the home of a room.
//
// Path:     Subscriber → [Hub] → Shard → Room
// Runs on:  built and dropped by the main thread; const functions on any.
// Owned by: the server (composition root), a simulation, a test.
// Bounds:   limits::shards_max shards.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/bucket_table.hpp"
#include "core/config.hpp"
#include "core/shard.hpp"
#include "core/user.hpp"

namespace parley::core {

class HistoryStore;

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
    // Who goes by that name from that address, without an account: the same user each time.
    [[nodiscard]] UserPtr user_named(std::string_view address, const std::string& name) const;
    // Who comes from that address and gives no name.
    [[nodiscard]] UserPtr guest_at(std::string_view address) const;

private:
    Config config_;
    HistoryStore* store_;
    bool sessions_taken_ = false;
    std::uint64_t secret_;
    BucketTable user_buckets_;
    BucketTable address_buckets_;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace parley::core
