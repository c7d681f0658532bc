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

class Hub {
public:
    // One shard per loop; the loops must outlive the hub. Everything random in it follows from
    // `seed`.
    Hub(Config config, const std::vector<ShardLoop*>& loops, const Instant& now,
        std::uint64_t seed);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    [[nodiscard]] const Config& config() const noexcept { return config_; }
    [[nodiscard]] std::size_t shard_count() const noexcept { return shards_.size(); }
    [[nodiscard]] Shard& shard(std::size_t index) const noexcept { return *shards_[index]; }
    [[nodiscard]] Shard& home_of(std::string_view room) const noexcept;
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
    std::uint64_t secret_;
    BucketTable user_buckets_;
    BucketTable address_buckets_;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace parley::core
