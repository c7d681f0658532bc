// NameBook: which names belong to accounts, for whoever has to know at once.
//
// Path:     a shard → [NameBook]; AccountStore → [NameBook]
// Runs on:  any thread; a lock is held for one look into a hash table, and written once an account.
// Owned by: LocalAccounts.
// Bounds:   16 to 32 bytes an account.
#pragma once

#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <shared_mutex>
#include <string_view>

namespace parley::auth {

// A name is taken where one has the same key (name_fold), or looks the same, unless both are of ASCII:
// "rn" and "m", "l" and "1" look alike too, and people live with that.
//
// It keeps hashes of 64 bits: of a million accounts a name that is free is taken for one of theirs
// once in 2^44 times, and what is then refused is a guest's name.
class NameBook {
public:
    // Has ICU load what it needs, which takes milliseconds: now, and not on a shard.
    NameBook();
    void add(std::string_view name);
    // Takes a name for taken where it can't be compared.
    [[nodiscard]] bool has(std::string_view name) const noexcept;
    // Another one with each name; whoever remembers it knows whether to look again.
    [[nodiscard]] std::uint32_t edition() const noexcept {
        return edition_.load(std::memory_order_acquire);  // with add()
    }

private:
    class Hashes {
    public:
        void add(std::string_view text);
        [[nodiscard]] bool has(std::string_view text) const noexcept;
        [[nodiscard]] bool empty() const noexcept {
            return !any_.load(std::memory_order_acquire);  // with add()
        }

    private:
        struct Part {
            mutable std::shared_mutex mutex;
            boost::unordered_flat_set<std::uint64_t> hashes;
        };
        [[nodiscard]] static std::uint64_t hash_of(std::string_view text) noexcept;
        [[nodiscard]] static std::size_t part_of(std::uint64_t hash) noexcept {
            return hash >> 58U;
        }

        std::array<Part, 64> parts_;  // shards that ask at once seldom ask for the same
        std::atomic<bool> any_{false};
    };

    Hashes keys_;
    Hashes looks_;          // of all names
    Hashes foreign_looks_;  // of those that are not of ASCII alone
    std::atomic<std::uint32_t> edition_{0};
};

}  // namespace parley::auth
