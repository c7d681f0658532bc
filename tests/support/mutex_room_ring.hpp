// MutexRoomRing: what BasicRoomRing promises, the obvious way: the oracle of its tests and the
// comparison of its benchmark.
//
// Everything happens under one mutex, but for what drain() calls.
#pragma once

#include <algorithm>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/claim_word.hpp"

namespace parley::test {

template <class Entry>
class MutexRoomRing {
public:
    using EntryPtr = boost::intrusive_ptr<const Entry>;
    struct Claim {
        std::uint64_t offset;
        std::uint64_t sequence;
    };

    MutexRoomRing(std::uint32_t shards, std::uint32_t home, std::uint64_t last_offset = 0,
                  std::uint32_t slots_first = 16, std::uint32_t slots_max = 4096)
        : cells_(shards),
          home_(home),
          offset_(last_offset),
          oldest_(last_offset),
          slots_(slots_first),
          slots_max_(slots_max) {
        cells_[home].cursor = last_offset;
    }

    [[nodiscard]] std::optional<Claim> try_claim(core::EntryKind kind) {
        const std::lock_guard lock(mutex_);
        const bool message = kind == core::EntryKind::message;
        if (message && offset_ == core::ClaimWord::offset_max) return std::nullopt;
        const std::uint64_t sequence = oldest_ + entries_.size();
        const std::uint64_t backlog = sequence - slowest();
        if (backlog >= slots_) {
            if (slots_ == slots_max_) return std::nullopt;
            slots_ = std::min(slots_ * 4, slots_max_);
        }
        entries_.emplace_back();
        return Claim{message ? ++offset_ : 0, sequence};
    }

    void publish(const Claim& claim, EntryPtr entry) {
        const std::lock_guard lock(mutex_);
        entries_[claim.sequence - oldest_] = std::move(entry);
    }

    template <class F>
    std::size_t drain(std::uint32_t shard, std::size_t most, F&& f) {
        Cell& cell = cells_[shard];
        {
            const std::lock_guard lock(mutex_);
            while (cell.cursor != not_consuming && cell.taken.size() < most &&
                   cell.cursor - oldest_ < entries_.size() &&
                   entries_[cell.cursor - oldest_] != nullptr) {
                cell.taken.push_back(entries_[cell.cursor++ - oldest_]);
            }
            trim();
        }
        const std::size_t taken = cell.taken.size();
        for (EntryPtr& entry : cell.taken) f(std::move(entry));
        cell.taken.clear();
        return taken;
    }

    [[nodiscard]] std::uint64_t position(std::uint32_t shard) const {
        const std::lock_guard lock(mutex_);
        return cells_[shard].cursor;
    }
    void attach(std::uint32_t shard) {
        const std::lock_guard lock(mutex_);
        cells_[shard].cursor = cells_[home_].cursor;
    }
    void detach(std::uint32_t shard) {
        const std::lock_guard lock(mutex_);
        cells_[shard].cursor = not_consuming;
        trim();
    }
    [[nodiscard]] bool attached(std::uint32_t shard) const {
        const std::lock_guard lock(mutex_);
        return cells_[shard].cursor != not_consuming;
    }
    [[nodiscard]] bool flag(std::uint32_t shard) {
        const std::lock_guard lock(mutex_);
        return cells_[shard].cursor != not_consuming && !std::exchange(cells_[shard].flagged, true);
    }
    void unflag(std::uint32_t shard) {
        const std::lock_guard lock(mutex_);
        cells_[shard].flagged = false;
    }
    [[nodiscard]] bool flagged(std::uint32_t shard) const {
        const std::lock_guard lock(mutex_);
        return cells_[shard].flagged;
    }
    void release_taken() {
        const std::lock_guard lock(mutex_);
        trim();
    }
    [[nodiscard]] std::uint64_t last_offset() const {
        const std::lock_guard lock(mutex_);
        return offset_;
    }
    [[nodiscard]] std::uint32_t slots() const {
        const std::lock_guard lock(mutex_);
        return slots_;
    }
    [[nodiscard]] std::uint32_t shards() const { return static_cast<std::uint32_t>(cells_.size()); }

private:
    static constexpr std::uint64_t not_consuming = std::numeric_limits<std::uint64_t>::max();

    struct Cell {
        std::uint64_t cursor = not_consuming;
        bool flagged = false;
        std::vector<EntryPtr> taken;
    };

    [[nodiscard]] std::uint64_t slowest() const {
        std::uint64_t least = not_consuming;
        for (const Cell& cell : cells_) least = std::min(least, cell.cursor);
        return least;
    }
    void trim() {
        for (const std::uint64_t least = slowest(); oldest_ < least; ++oldest_) {
            entries_.pop_front();
        }
    }

    mutable std::mutex mutex_;
    std::vector<Cell> cells_;
    std::uint32_t home_;
    std::uint64_t offset_;
    std::uint64_t oldest_;          // sequence of entries_.front()
    std::deque<EntryPtr> entries_;  // null: claimed, not yet published
    std::uint32_t slots_;
    std::uint32_t slots_max_;
};

}  // namespace parley::test
