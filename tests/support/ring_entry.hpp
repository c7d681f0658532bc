// RingEntry: the smallest thing that a room ring can carry, and the count of those alive.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>

namespace parley::test {

struct RingEntry : boost::intrusive_ref_counter<RingEntry> {
    explicit RingEntry(std::uint64_t given_id, std::uint64_t given_offset = 0) noexcept
        : id(given_id), offset(given_offset) {
        alive.fetch_add(1, std::memory_order_relaxed);
    }
    ~RingEntry() { alive.fetch_sub(1, std::memory_order_relaxed); }
    RingEntry(const RingEntry&) = delete;
    RingEntry& operator=(const RingEntry&) = delete;

    const std::uint64_t id;
    const std::uint64_t offset;  // 0: transient

    static inline std::atomic<std::int64_t> alive{0};
};

using RingEntryPtr = boost::intrusive_ptr<const RingEntry>;

inline RingEntryPtr make_ring_entry(std::uint64_t id, std::uint64_t offset = 0) {
    return RingEntryPtr{new RingEntry(id, offset)};
}

}  // namespace parley::test
