// TokenCache: who bears a token, for as long as that need not be asked again.
//
// Path:     a shard → [TokenCache]; LocalAccounts' desk → [TokenCache]
// Runs on:  any thread; a lock is held for one look into a hash table.
// Owned by: LocalAccounts.
// Bounds:   entries_max tokens: the oldest goes first; each for accounts.token_cache, and no longer
//           than it is good for. What is refused is never kept.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/user.hpp"

namespace parley::auth {

class TokenCache {
public:
    static constexpr std::size_t entries_max = 65'536;

    explicit TokenCache(core::Duration keeps) noexcept : keeps_(keeps) {}

    void keep(const core::TokenId& token, const core::UserPtr& user, core::WallTime now);
    // Null where it is not known, or not any more.
    [[nodiscard]] core::UserPtr find(const core::TokenId& token, core::WallTime now);
    void forget(const core::TokenId& token);
    [[nodiscard]] std::size_t size() const;

private:
    static constexpr std::size_t parts_count = 16;
    struct Entry {
        core::UserPtr user;
        core::WallTime until;
    };
    struct Part {
        mutable std::mutex mutex;
        std::unordered_map<core::TokenId, Entry, core::TokenIdHash> entries;
        std::deque<core::TokenId> order;  // of those kept, and some that were forgotten
    };
    [[nodiscard]] Part& part_of(const core::TokenId& token) noexcept {
        return parts_[token.back() % parts_count];
    }

    const core::Duration keeps_;
    std::array<Part, parts_count> parts_;
};

}  // namespace parley::auth
