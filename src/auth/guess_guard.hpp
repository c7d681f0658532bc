// GuessGuard: who has guessed wrong waits before the next guess, each time twice as long.
//
// Path:     LocalAccounts → [GuessGuard]
// Runs on:  any thread; locked for one look into a hash table. Time is an argument.
// Owned by: LocalAccounts: one by name, one by address, one by both, one for registrations.
// Bounds:   entries_max keys; beyond that the one that tried longest ago is forgotten, and counted.
//           As many places as KnownPlaces is told, then the one that was noted longest ago goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.hpp"

namespace parley::auth {

struct GuessConfig {
    std::uint32_t free = 5;                                // guesses that nobody waits for
    core::Duration first = std::chrono::seconds(1);        // then this long, and twice that, …
    core::Duration longest = std::chrono::minutes(15);     // … up to this
    core::Duration forgets_after = std::chrono::hours(1);  // without another
    std::size_t entries_max = 65'536;
};

class GuessGuard {
public:
    explicit GuessGuard(const GuessConfig& config) noexcept : config_(config) {}

    // How long the next guess has to wait; zero: it may be made, and counts as wrong from now on,
    // so that many at once count as many.
    [[nodiscard]] core::Duration admit(std::string_view key, core::TimePoint now);
    // The guess was right, or was not judged: it counts for nothing.
    void take_back(std::string_view key);
    // All that was guessed is forgiven.
    void forget(std::string_view key);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::uint64_t forgotten_early() const;

private:
    struct Entry {
        std::string key;
        std::uint32_t wrong = 0;
        core::TimePoint next = core::TimePoint::min();  // when another may be made
        core::TimePoint last{};
    };
    using Entries = std::list<Entry>;  // the one that tried last is the last

    [[nodiscard]] Entry& entry_of(std::string_view key, core::TimePoint now);
    // When another may be made. Shards' clocks differ by a turn: where there is nothing to wait for,
    // no time is too early.
    [[nodiscard]] core::TimePoint next_after(const Entry& entry) const noexcept;
    void erase(Entries::iterator entry);

    const GuessConfig config_;
    mutable std::mutex mutex_;
    Entries entries_;
    std::unordered_map<std::string_view, Entries::iterator> by_key_;  // views of the entries' own
    std::uint64_t forgotten_early_ = 0;
};

// Where accounts have been signed in to, each kept for as long as `keeps` from the last time.
class KnownPlaces {
public:
    KnownPlaces(core::Duration keeps, std::size_t entries_max) noexcept
        : keeps_(keeps), entries_max_(entries_max) {}

    void note(const std::string& place, core::TimePoint now);
    [[nodiscard]] bool has(std::string_view place, core::TimePoint now) const;
    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        std::string place;
        core::TimePoint last;
    };
    const core::Duration keeps_;
    const std::size_t entries_max_;
    mutable std::mutex mutex_;
    std::list<Entry> entries_;  // the one that was noted last is the last
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_place_;
};

}  // namespace parley::auth
