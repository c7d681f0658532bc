// SecretId: names that speak for their owner: nobody can guess one, and each tells its shard.
//
// Path:     EngineSessions, ChatSocket → [SecretId]
// Runs on:  any thread.
// Owned by: nobody; pure functions.
// Bounds:   20 characters, 114 bits of luck; limits::shards_max shards.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace parley::transports {

// Of [A-Za-z0-9_-]. The first one is the shard.
using SecretId = std::array<char, 20>;

// Throws std::runtime_error where the machine has no luck to give.
[[nodiscard]] SecretId make_secret_id(std::size_t shard);
// The shard that an id names, which may be one that there is not; nothing for what is no id.
[[nodiscard]] std::optional<std::size_t> shard_of_secret_id(std::string_view id) noexcept;

}  // namespace parley::transports
