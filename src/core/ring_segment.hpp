// RingSegment: one array of a room ring's slots, and the word that hands them out.
//
// Path:     Room → RoomRing → [RingSegment] → RoomWindow
// Runs on:  any shard; see room_ring.hpp for who touches what, and the order of memory.
// Owned by: RoomRing, which frees its segments when it goes and never before.
// Bounds:   2^14 slots of 8 bytes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "core/claim_word.hpp"

namespace parley::core {

inline constexpr std::size_t cache_line_bytes = 64;

// A slot is one word: the address of a reference-counted entry, whose lowest bit is free, plus in
// that bit the parity of the lap in which it was stored.
using RingSlot = std::atomic<std::uintptr_t>;

// What lies in a slot.
struct SlotValue {
    static constexpr std::uintptr_t lap_bit = 1;

    std::uintptr_t bits;

    [[nodiscard]] std::uintptr_t lap() const noexcept { return bits & lap_bit; }
    [[nodiscard]] std::uintptr_t address() const noexcept { return bits & ~lap_bit; }
};

// The header of an allocation that its slots follow. What is read only, or written once, lies on
// one cache line; the claim word, which every producer changes, on the next.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
class alignas(cache_line_bytes) RingSegment {
public:
    struct Free {
        void operator()(RingSegment* segment) const noexcept {
            segment->~RingSegment();
            ::operator delete (segment, std::align_val_t{alignof(RingSegment)});
        }
    };
    using Owner = std::unique_ptr<RingSegment, Free>;

    // A segment of `slots` (a power of two) empty slots, or null when memory is short.
    [[nodiscard]] static Owner allocate(std::uint32_t slots) noexcept {
        void* memory =
            ::operator new (bytes(slots), std::align_val_t{alignof(RingSegment)}, std::nothrow);
        return Owner{memory == nullptr ? nullptr : ::new (memory) RingSegment(slots)};
    }

    [[nodiscard]] static constexpr std::size_t bytes(std::uint32_t slots) noexcept {
        return sizeof(RingSegment) + slots * sizeof(RingSlot);
    }

    // Before the segment is linked: the state of the room's order that it begins with.
    void begin_at(ClaimWord open) noexcept {
        first = open.sequence();
        word.store(open.bits(), std::memory_order_relaxed);
    }

    // The slot of the entry with this sequence.
    [[nodiscard]] RingSlot& slot(std::uint64_t sequence) noexcept {
        return slot_array()[sequence_distance(first, sequence) & (slots - 1)];
    }

    // The lap in which that entry is stored there: laps of a slot alternate, beginning with 0.
    [[nodiscard]] std::uintptr_t lap(std::uint64_t sequence) const noexcept {
        return (sequence_distance(first, sequence) & slots) == 0 ? 0 : SlotValue::lap_bit;
    }

    const std::uint32_t slots;
    std::uint32_t first = 0;  // sequence, modulo 2^20, of the first entry claimed here
    std::atomic<RingSegment*> next{nullptr};
    alignas(cache_line_bytes) std::atomic<std::uint64_t> word{0};

private:
    explicit RingSegment(std::uint32_t count) noexcept : slots(count) {
        for (std::uint32_t i = 0; i < slots; ++i) {
            // Empty, and as if stored in lap 1: not what lap 0 waits for.
            ::new (static_cast<void*>(slot_array() + i)) RingSlot(SlotValue::lap_bit);
        }
    }

    [[nodiscard]] RingSlot* slot_array() noexcept { return reinterpret_cast<RingSlot*>(this + 1); }
};

static_assert(RingSlot::is_always_lock_free);

}  // namespace parley::core
