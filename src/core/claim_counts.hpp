// ClaimCounts: how many rooms each user owns by having come first, of those with their home on one
// shard, where that is kept in memory alone.
//
// Path:     RoomActs → [ClaimCounts]
// Runs on:  its shard.
// Owned by: Shard.
// Bounds:   a user has a shard's share of limits::rooms_owned_max; one entry a user who owns a room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>

#include "core/limits.hpp"

namespace parley::core {

class ClaimCounts {
public:
    explicit ClaimCounts(std::size_t shards) noexcept
        : most_(std::max<std::size_t>(limits::rooms_owned_max / shards, 1)) {}

    // One more of that user's; false where they have as many as they may.
    [[nodiscard]] bool take(const std::string& user) {
        std::size_t& count = counts_[user];
        if (count == most_) return false;
        ++count;
        return true;
    }
    // One less, of one who has one.
    void release(const std::string& user) noexcept {
        const auto found = counts_.find(user);
        if (--found->second == 0) counts_.erase(found);
    }
    [[nodiscard]] std::size_t most() const noexcept { return most_; }
    [[nodiscard]] std::size_t users() const noexcept { return counts_.size(); }

private:
    std::size_t most_;
    std::unordered_map<std::string, std::size_t> counts_;
};

}  // namespace parley::core
