// IdempotencyKeys: which keyed sends of the last five minutes were published, and where.
//
// Path:     Subscriber → RoomHome → [IdempotencyKeys]
// Runs on:  the room's home shard.
// Owned by: RoomHome.
// Bounds:   limits::idempotency_keys_max; the oldest is forgotten early, and counted by the caller.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/clock.hpp"

namespace parley::core {

class IdempotencyKeys {
public:
    struct Published {
        std::uint64_t offset;
        WallTime at;
    };
    // What was published under that key of that user's name, if it is remembered. A name and not an
    // id: it is what somebody who returns from another address still has.
    [[nodiscard]] std::optional<Published> find(const std::string& user, const std::string& key,
                                                TimePoint now);
    // Remembers it. True when an older key had to be forgotten before its time.
    [[nodiscard]] bool remember(const std::string& user, const std::string& key,
                                const Published& published, TimePoint now);
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

private:
    void forget_old(TimePoint now);

    std::unordered_map<std::string, Published> keys_;
    std::deque<std::pair<TimePoint, std::string>> order_;
};

}  // namespace parley::core
