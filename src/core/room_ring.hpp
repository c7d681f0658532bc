// RoomRing: a room's one order, handed from any number of publishing threads to every shard that
// listens, without a lock and without anybody waiting.
//
// Path:     Session → Room → [RoomRing] → RoomWindow → Transport
// Runs on:  try_claim(), publish() and flag(): any thread. drain() and unflag(): the shard they
//           name. attach() and release_taken(): the home shard.
// Owned by: Room. Goes when no other thread uses it and no wake-up is on its way (flagged()).
// Bounds:   slots_max entries not yet taken by the slowest shard; then claims are refused. 64 bytes
//           a shard, 8 a slot; segments that were outgrown stay: less than a third on top.
//
// The shape is the LMAX Disruptor's (Thompson et al., 2011): producers claim places in one order;
// each shard is a consumer with a cursor of its own; no slot is overwritten that a cursor has not
// passed. "(n)" beside an atomic access below names the step that argues for it.
//
//  1. Claiming. segment.word (see ClaimWord) holds how many messages and transient entries there
//     were, so one compare-and-swap gives an entry its sequence s and, if a message, its offset:
//     both without holes. The word is relaxed: nothing is handed over through it. It comes back to
//     a former value only after a multiple of 2^20 transient entries without one message; a
//     producer would have to sleep from its load to its swap through exactly that many.
//  2. Room for it. s may be claimed while s - slowest() < slots: then every attached cursor is
//     beyond s - slots, the entry that s overwrites. Cursors only grow, and a new one begins no
//     earlier than what was read (5), so this stays true until the swap, which proves that s is
//     still next. Reading a cursor (acquire) pairs with the store in drain() or detach()
//     (release): what the shard read in the slot, it has read. An s that looks full may be stale,
//     behind the cursors: the word is then read again.
//  3. Publishing. The exchange puts {entry, parity of the lap} into the slot and pairs with the
//     load in drain(): who sees the parity of its own lap sees the entry whole. A slot holds either
//     the lap before or the lap awaited, since the next one needs this shard's cursor (2); one bit
//     is enough. A claimed slot that is not yet published makes everyone wait there, in order.
//  4. Growing. A producer that finds the ring full allocates a segment four times as large and
//     closes the word, by compare-and-swap, for good: no later claim in that segment can succeed,
//     from whatever thread and however stale. The closed word is where the next segment begins.
//     Whoever finds a closed word links a segment that begins there (the first to swap
//     segment.next wins, all candidates are the same) and moves newest_ on; both swaps release the
//     segment's fields to the acquire of who follows them. Claims made before the close are
//     published where they were made. A shard moves on at exactly next->first, so the order runs
//     through. All segments live as long as the ring; nobody can touch freed memory. (2) counts
//     the whole backlog, old segments included, so slots also bounds their sum.
//  5. Attaching. The home copies its own cursor h. A producer reads the home's cursor before all
//     others (2). If it reads one <= h, its minimum is at most h whatever it saw of the new cursor.
//     If it reads a later one, that store (release) follows the attaching store, and the acquire
//     makes the new cursor visible: it counts. The new shard therefore loses nothing. It may drain
//     before it is told, on a wake-up from an earlier time: its acquire of the cursor shows it
//     the segment too.
//  6. Waking. A producer publishes, then looks whether the shard is attached and flagged; a shard
//     unflags, then looks into the slot. All of these, and the links of (4), are seq_cst, so they
//     have one order S. If the shard's last look missed the entry, it precedes the exchange in S:
//     unflag < look < publish < look at the flag. The producer thus sees the flag down, raises it
//     and wakes the shard, or sees it raised again since by another, whose wake-up is still to
//     come: the argument repeats with that one. In the same way a producer that saw the shard not
//     attached published before the attaching store in S, hence before the first drain.
//     Hence the contract: only who got true from flag() pushes the room's mailbox node; a shard
//     calls unflag() only when it receives that node, then drains; and it drains once, without
//     unflag(), when it learns that it was attached. A node is then never in a mailbox twice.
//  7. Letting go. An entry that all have taken is dropped by the producer that overwrites its slot
//     or, sooner, by the home: it swaps {entry, lap} for {nothing, lap} (acquire, pairs with the
//     exchange). Either gets the entry, once. The home only does so where its own cursor
//     keeps producers from more than one further lap, so the parity tells the entry from a
//     successor even at the same address.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>

#include "core/claim_word.hpp"
#include "core/ring_segment.hpp"

namespace parley::core {

// Entry: reference-counted through intrusive_ptr_add_ref(const Entry*) and intrusive_ptr_release.
template <class Entry>
class BasicRoomRing {
public:
    using EntryPtr = boost::intrusive_ptr<const Entry>;

    // A place in the order, to be filled by publish() in any case: everyone waits for it.
    class Claim {
    public:
        // The message's offset; 0 for a transient entry.
        std::uint64_t offset = 0;

    private:
        friend class BasicRoomRing;
        Claim(std::uint64_t given, RingSlot* slot, std::uintptr_t lap) noexcept
            : offset(given), slot_(slot), lap_(lap) {}
        RingSlot* slot_;
        std::uintptr_t lap_;
    };

    // A ring for shards 0 to shards - 1, of which `home` is attached from now on and always. The
    // next message gets last_offset + 1. slots_first and slots_max are powers of two up to 2^14.
    // Throws std::bad_alloc.
    BasicRoomRing(std::uint32_t shards, std::uint32_t home, std::uint64_t last_offset = 0,
                  std::uint32_t slots_first = 16, std::uint32_t slots_max = 4096);
    ~BasicRoomRing();
    BasicRoomRing(const BasicRoomRing&) = delete;
    BasicRoomRing& operator=(const BasicRoomRing&) = delete;

    // Any thread. Takes the next place. Nothing when a stalled shard leaves no slot (or memory to
    // grow is short), or when the last of 2^43 offsets was given. Never waits.
    [[nodiscard]] std::optional<Claim> try_claim(EntryKind kind) noexcept;

    // Any thread. Fills the place, once. Afterwards call flag() for every shard.
    void publish(const Claim& claim, EntryPtr entry) noexcept;

    // That shard's thread. Calls f(EntryPtr) for up to `most` entries, in order; returns how many.
    // Fewer than `most`: nothing more was published. Otherwise drain again, no flag will tell.
    // f doesn't throw and doesn't call this ring's drain(), attach() or detach().
    template <class F>
    std::size_t drain(std::uint32_t shard, std::size_t most, F&& f) noexcept;

    // That shard's thread, or the home's right after attach(). The sequence it takes next;
    // last_offset for a new ring. Attached shards only.
    [[nodiscard]] std::uint64_t position(std::uint32_t shard) const noexcept {
        return cells_[shard].cursor.load(std::memory_order_acquire);  // (5), with attach()
    }

    // The home's thread, outside drain(). The shard, which must have been detached before this by
    // its own thread or never attached, begins exactly where the home stands: a shard that was
    // ahead of the home when it left hears some entries again. The home tells it (a mailbox will
    // do); the shard then drains once, before and without unflag().
    void attach(std::uint32_t shard) noexcept;

    // That shard's thread, outside drain(); not the home. It holds up nobody any more. A wake-up
    // under way still arrives: answer it with unflag().
    void detach(std::uint32_t shard) noexcept {
        assert(shard != home_);
        cells_[shard].cursor.store(not_consuming, std::memory_order_release);  // (2)
    }

    // Any thread; exact on the shard's own.
    [[nodiscard]] bool attached(std::uint32_t shard) const noexcept {
        return cells_[shard].cursor.load(std::memory_order_acquire) != not_consuming;  // (2)
    }

    // Any thread, after publish(). True when this caller must put the room into the shard's mailbox
    // and wake it; false when the shard isn't attached or its wake-up is under way.
    [[nodiscard]] bool flag(std::uint32_t shard) noexcept;

    // That shard's thread, on receipt of the wake-up and before drain().
    void unflag(std::uint32_t shard) noexcept {
        cells_[shard].flagged.exchange(false, std::memory_order_seq_cst);  // (6), with flag()
    }

    // True while a wake-up for the shard is under way: the room must not go.
    [[nodiscard]] bool flagged(std::uint32_t shard) const noexcept {
        return cells_[shard].flagged.load(std::memory_order_acquire);  // with flag(), unflag()
    }

    // The home's thread, outside drain(). Drops the ring's references to what everyone has taken;
    // the home's drain() ends with it. For a room gone quiet, where others drained after the home.
    void release_taken() noexcept;

    // Any thread. The last offset given; may be old the moment it returns.
    [[nodiscard]] std::uint64_t last_offset() const noexcept {
        const RingSegment& segment = *newest_.load(std::memory_order_acquire);    // (4)
        return ClaimWord{segment.word.load(std::memory_order_relaxed)}.offset();  // (1)
    }
    [[nodiscard]] std::uint32_t slots() const noexcept {
        return newest_.load(std::memory_order_acquire)->slots;  // (4)
    }
    [[nodiscard]] std::uint32_t shards() const noexcept { return shards_; }
    [[nodiscard]] std::uint32_t home() const noexcept { return home_; }

    // Any thread. What the ring occupies, itself included and entries not.
    [[nodiscard]] std::size_t bytes() const noexcept;

private:
    static constexpr std::uint64_t not_consuming = std::numeric_limits<std::uint64_t>::max();
    static constexpr std::uint32_t growth = 4;

    // What a shard writes and producers read. The rest is the shard's alone.
    struct alignas(cache_line_bytes) Cell {
        std::atomic<std::uint64_t> cursor{not_consuming};  // full sequence it takes next
        std::atomic<bool> flagged{false};
        RingSegment* segment = nullptr;
        // The home's: up to where the ring holds nothing any more.
        std::uint64_t released = 0;
        RingSegment* releasing = nullptr;
    };

    [[nodiscard]] std::uint64_t slowest() const noexcept;
    [[nodiscard]] bool prepare(RingSegment::Owner& spare, const RingSegment& full) const noexcept;
    [[nodiscard]] bool follow(RingSegment& closed, ClaimWord word,
                              RingSegment::Owner& spare) noexcept;
    static void release_slot(RingSegment& segment, std::uint64_t sequence) noexcept;
    static void drop(SlotValue value) noexcept;
    [[nodiscard]] static const Entry* entry_in(SlotValue value) noexcept {
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        return reinterpret_cast<const Entry*>(value.address());
    }

    std::atomic<RingSegment*> newest_;
    RingSegment* oldest_;
    std::unique_ptr<Cell[]> cells_;
    std::uint32_t shards_;
    std::uint32_t home_;
    std::uint32_t slots_max_;
};

template <class Entry>
BasicRoomRing<Entry>::BasicRoomRing(std::uint32_t shards, std::uint32_t home,
                                    std::uint64_t last_offset, std::uint32_t slots_first,
                                    std::uint32_t slots_max)
    : cells_(std::make_unique<Cell[]>(shards)),
      shards_(shards),
      home_(home),
      slots_max_(slots_max) {
    assert(home < shards && last_offset <= ClaimWord::offset_max);
    assert(slots_first > 0 && slots_first <= slots_max && slots_max <= std::uint32_t{1} << 14);
    assert((slots_first & (slots_first - 1)) == 0 && (slots_max & (slots_max - 1)) == 0);
    RingSegment::Owner first = RingSegment::allocate(slots_first);
    if (first == nullptr) throw std::bad_alloc{};
    first->begin_at(ClaimWord::following(last_offset));
    Cell& cell = cells_[home];
    cell.segment = cell.releasing = first.get();
    cell.released = last_offset;
    cell.cursor.store(last_offset, std::memory_order_relaxed);
    oldest_ = first.release();
    newest_.store(oldest_, std::memory_order_relaxed);
}

template <class Entry>
BasicRoomRing<Entry>::~BasicRoomRing() {
    while (oldest_ != nullptr) {
        const RingSegment::Owner segment{oldest_};
        for (std::uint32_t i = 0; i < segment->slots; ++i) {
            drop(SlotValue{segment->slot(segment->first + i).load(std::memory_order_relaxed)});
        }
        oldest_ = segment->next.load(std::memory_order_relaxed);
    }
}

template <class Entry>
std::optional<typename BasicRoomRing<Entry>::Claim> BasicRoomRing<Entry>::try_claim(
    EntryKind kind) noexcept {
    RingSegment::Owner spare;
    for (;;) {
        RingSegment& segment = *newest_.load(std::memory_order_acquire);    // (4), with follow()
        std::uint64_t bits = segment.word.load(std::memory_order_relaxed);  // (1)
        const ClaimWord word{bits};
        if (word.closed()) {
            if (!follow(segment, word, spare)) return std::nullopt;
            continue;
        }
        const bool message = kind == EntryKind::message;
        if (message && word.exhausted()) return std::nullopt;
        const std::uint32_t sequence = word.sequence();
        if (sequence_distance(slowest(), sequence) < segment.slots) {
            const ClaimWord next = word.after(kind);
            if (segment.word.compare_exchange_weak(bits, next.bits(), std::memory_order_relaxed,
                                                   std::memory_order_relaxed)) {  // (1), (2)
                return Claim{message ? next.offset() : 0, &segment.slot(sequence),
                             segment.lap(sequence)};
            }
            continue;
        }
        if (segment.word.load(std::memory_order_relaxed) != bits) continue;  // (2), stale
        if (segment.slots == slots_max_ || !prepare(spare, segment)) return std::nullopt;
        // Closed by this thread or changed by another: either way the next turn tells.
        segment.word.compare_exchange_strong(bits, word.as_closed().bits(),
                                             std::memory_order_relaxed,
                                             std::memory_order_relaxed);  // (4)
    }
}

template <class Entry>
void BasicRoomRing<Entry>::publish(const Claim& claim, EntryPtr entry) noexcept {
    static_assert(alignof(Entry) > SlotValue::lap_bit, "the lowest bit of the address is used");
    assert(entry != nullptr);
    const std::uintptr_t bits = reinterpret_cast<std::uintptr_t>(entry.detach()) | claim.lap_;
    drop(SlotValue{claim.slot_->exchange(bits, std::memory_order_seq_cst)});  // (3), (6), (7)
}

template <class Entry>
template <class F>
std::size_t BasicRoomRing<Entry>::drain(std::uint32_t shard, std::size_t most, F&& f) noexcept {
    Cell& cell = cells_[shard];
    // Its own, but for attach(), whose news may come later than a wake-up from before.
    std::uint64_t sequence = cell.cursor.load(std::memory_order_acquire);  // (5), with attach()
    if (sequence == not_consuming) return 0;
    std::size_t taken = 0;
    while (taken < most) {
        RingSegment& segment = *cell.segment;
        const SlotValue value{segment.slot(sequence).load(std::memory_order_seq_cst)};  // (3), (6)
        if (value.lap() == segment.lap(sequence)) {
            f(EntryPtr{entry_in(value)});
            ++sequence;
            ++taken;
            continue;
        }
        RingSegment* next = segment.next.load(std::memory_order_seq_cst);  // (4), (6)
        if (next == nullptr || sequence_distance(next->first, sequence) != 0) break;
        cell.segment = next;
    }
    // Once for all of them: producers look at this line for every claim.
    if (taken > 0) cell.cursor.store(sequence, std::memory_order_release);  // (2), with slowest()
    if (shard == home_) release_taken();
    return taken;
}

template <class Entry>
void BasicRoomRing<Entry>::attach(std::uint32_t shard) noexcept {
    Cell& cell = cells_[shard];
    const Cell& home = cells_[home_];
    assert(!attached(shard));
    cell.segment = home.segment;
    cell.cursor.store(home.cursor.load(std::memory_order_relaxed),
                      std::memory_order_seq_cst);  // (5), (6)
}

template <class Entry>
bool BasicRoomRing<Entry>::flag(std::uint32_t shard) noexcept {
    Cell& cell = cells_[shard];
    if (cell.cursor.load(std::memory_order_seq_cst) == not_consuming) return false;  // (6)
    // A look first: in a burst all but one find it raised and leave the line shared.
    if (cell.flagged.load(std::memory_order_seq_cst)) return false;  // (6)
    return !cell.flagged.exchange(true, std::memory_order_seq_cst);  // (6), with unflag()
}

template <class Entry>
void BasicRoomRing<Entry>::release_taken() noexcept {
    Cell& home = cells_[home_];
    const std::uint64_t own = home.cursor.load(std::memory_order_relaxed);  // its own
    const std::uint64_t least = slowest();
    while (home.released < least) {
        RingSegment& segment = *home.releasing;
        RingSegment* next = segment.next.load(std::memory_order_acquire);  // (4), with follow()
        std::uint64_t end = own;
        if (next != nullptr) {
            const std::uint32_t left = sequence_distance(home.released, next->first);
            if (left == 0) {
                home.releasing = next;
                continue;
            }
            end = std::min(own, home.released + left);
        }
        // Further behind, a producer has overwritten it and dropped it, perhaps twice over (7).
        if (end - home.released <= segment.slots) release_slot(segment, home.released);
        ++home.released;
    }
}

// The cursor that is furthest behind, the home's read first (5).
template <class Entry>
std::uint64_t BasicRoomRing<Entry>::slowest() const noexcept {
    std::uint64_t least = cells_[home_].cursor.load(std::memory_order_acquire);  // (2), (5)
    for (std::uint32_t shard = 0; shard < shards_; ++shard) {
        least = std::min(least, cells_[shard].cursor.load(std::memory_order_acquire));  // (2), (5)
    }
    return least;
}

// Has a segment ready to follow `full`; one that was made for a smaller predecessor is replaced.
template <class Entry>
bool BasicRoomRing<Entry>::prepare(RingSegment::Owner& spare,
                                   const RingSegment& full) const noexcept {
    const std::uint32_t wanted = std::min(full.slots * growth, slots_max_);
    if (spare == nullptr || spare->slots != wanted) spare = RingSegment::allocate(wanted);
    return spare != nullptr;
}

// Moves newest_ beyond a closed segment. False when there is no memory for the next.
template <class Entry>
bool BasicRoomRing<Entry>::follow(RingSegment& closed, ClaimWord word,
                                  RingSegment::Owner& spare) noexcept {
    RingSegment* next = closed.next.load(std::memory_order_acquire);  // (4), with the swap below
    if (next == nullptr) {
        if (!prepare(spare, closed)) return false;
        spare->begin_at(word.as_open());
        if (closed.next.compare_exchange_strong(next, spare.get(), std::memory_order_seq_cst,
                                                std::memory_order_acquire)) {  // (4), (6)
            next = spare.release();
        }
    }
    RingSegment* expected = &closed;
    newest_.compare_exchange_strong(expected, next, std::memory_order_release,
                                    std::memory_order_relaxed);  // (4), with try_claim()
    return true;
}

// Takes an entry that everyone has taken out of its slot, unless a producer was faster.
template <class Entry>
void BasicRoomRing<Entry>::release_slot(RingSegment& segment, std::uint64_t sequence) noexcept {
    RingSlot& slot = segment.slot(sequence);
    SlotValue value{slot.load(std::memory_order_relaxed)};
    if (value.lap() != segment.lap(sequence) || value.address() == 0) return;
    const std::uintptr_t emptied = value.lap();
    if (slot.compare_exchange_strong(value.bits, emptied, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {  // (7), with publish()
        drop(value);
    }
}

template <class Entry>
void BasicRoomRing<Entry>::drop(SlotValue value) noexcept {
    // Adopts the reference that publish() put into the slot.
    const EntryPtr last{entry_in(value), false};
}

template <class Entry>
std::size_t BasicRoomRing<Entry>::bytes() const noexcept {
    std::size_t sum = sizeof *this + shards_ * sizeof(Cell);
    for (const RingSegment* segment = oldest_; segment != nullptr;) {
        sum += RingSegment::bytes(segment->slots);
        segment = segment->next.load(std::memory_order_acquire);  // (4), with follow()
    }
    return sum;
}

}  // namespace parley::core
