// ClaimWord: the 64 bits that give every entry of a room its place, and every message its offset.
//
// Path:     Session → Room → [RoomRing's claim word] → slot
// Runs on:  anywhere; a value.
// Owned by: RingSegment, as an atomic.
// Bounds:   offsets below 2^43; sequences are known modulo 2^20, backlogs stay below 2^14.
#pragma once

#include <cstdint>

namespace parley::core {

// What an entry of a room's order is: a message has an offset and can be asked for again; a
// transient entry (someone is typing, someone joined) has its place in the order and no offset.
enum class EntryKind : std::uint8_t { message, transient };

// The state of a room's order: {offset:43 | transients:20 | closed:1}, changed by compare-and-swap
// only, so that offset and place in the order are given in one step.
///
// Every entry counts one of the two fields up, hence their sum is the number of entries so far: the
// *sequence* of the next one. It is known modulo 2^20 because the transients wrap there. A ring
// never holds more than 2^14 entries, so differences of sequences are unambiguous.
class ClaimWord {
public:
    static constexpr std::uint64_t offset_max = (std::uint64_t{1} << 43) - 1;
    static constexpr std::uint32_t sequence_mask = (std::uint32_t{1} << 20) - 1;

    explicit constexpr ClaimWord(std::uint64_t bits) noexcept : bits_(bits) {}

    // The word of a room whose last message was `offset` (0: none yet).
    [[nodiscard]] static constexpr ClaimWord following(std::uint64_t offset) noexcept {
        return ClaimWord{offset << offset_shift};
    }

    [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
    [[nodiscard]] constexpr std::uint64_t offset() const noexcept { return bits_ >> offset_shift; }
    [[nodiscard]] constexpr bool closed() const noexcept { return (bits_ & closed_bit) != 0; }

    // The sequence, modulo 2^20, of the entry that is claimed next.
    [[nodiscard]] constexpr std::uint32_t sequence() const noexcept {
        return static_cast<std::uint32_t>(offset() + transients()) & sequence_mask;
    }

    // True when there is no offset left to give to a message.
    [[nodiscard]] constexpr bool exhausted() const noexcept { return offset() == offset_max; }

    // The word after one more entry. A message needs !exhausted().
    [[nodiscard]] constexpr ClaimWord after(EntryKind kind) const noexcept {
        if (kind == EntryKind::message) {
            return ClaimWord{bits_ + offset_one};
        }
        const std::uint64_t next = (transients() + 1) & sequence_mask;  // wraps, carries nothing
        return ClaimWord{(bits_ & ~transients_field) | next << transients_shift};
    }

    [[nodiscard]] constexpr ClaimWord as_closed() const noexcept {
        return ClaimWord{bits_ | closed_bit};
    }
    [[nodiscard]] constexpr ClaimWord as_open() const noexcept {
        return ClaimWord{bits_ & ~closed_bit};
    }

private:
    static constexpr std::uint64_t closed_bit = 1;
    static constexpr int transients_shift = 1;
    static constexpr std::uint64_t transients_field = std::uint64_t{sequence_mask}
                                                      << transients_shift;
    static constexpr int offset_shift = 21;
    static constexpr std::uint64_t offset_one = std::uint64_t{1} << offset_shift;

    [[nodiscard]] constexpr std::uint64_t transients() const noexcept {
        return (bits_ & transients_field) >> transients_shift;
    }

    std::uint64_t bits_;
};

// How far `to` lies behind `from` in the order, both taken modulo 2^20.
[[nodiscard]] constexpr std::uint32_t sequence_distance(std::uint64_t from,
                                                        std::uint64_t to) noexcept {
    return static_cast<std::uint32_t>(to - from) & ClaimWord::sequence_mask;
}

}  // namespace parley::core
