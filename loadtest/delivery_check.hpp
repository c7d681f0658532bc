// DeliveryCheck: what one user has received of its room: each once, in order, without holes.
//
// Path:     find_stamp, offset → [DeliveryCheck] → Tally
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   holes_max holes are remembered; what falls into a further one counts as missing for
//           good, and as a duplicate if it comes after all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace parley::load {

class DeliveryCheck {
public:
    static constexpr std::size_t holes_max = 1024;

    enum class Arrival : std::uint8_t {
        in_order,
        out_of_order,  // late, but for the first time
        duplicate,
    };

    // For a room in which `publishers` members take turns.
    explicit DeliveryCheck(std::uint32_t publishers);

    // Forgets everything. `from_start`: nothing was published before, so each publisher's first
    // message is its number 1. `offset`: the room's last offset when the user joined, 0 where the
    // server has none; the next publication must be offset + 1.
    void begin(bool from_start, std::uint64_t offset, bool offset_known);

    // Forgets what was counted, and goes on from the same numbers: the books of another pass.
    void begin_books() noexcept;

    // A delivery from a server that numbers nothing: continuity of (publisher, sequence).
    Arrival arrived(std::uint32_t member, std::uint32_t sequence) {
        std::uint32_t& next = next_sequence_[member];
        if (sequence != next || sequence == 0) return arrived_oddly(member, sequence);
        ++next;
        ++received_;
        return Arrival::in_order;
    }
    // A delivery from a server that numbers its publications: continuity of offsets; the
    // publisher's own messages must keep their order too.
    Arrival arrived_at(std::uint64_t offset, std::uint32_t member, std::uint32_t sequence) {
        std::uint32_t& next = next_sequence_[member];
        if (offset != next_offset_ || offset == 0 || sequence < next) {
            return arrived_oddly_at(offset, member, sequence);
        }
        ++next_offset_;
        next = sequence + 1;
        ++received_;
        return Arrival::in_order;
    }
    // A publication that is none of ours: only its offset counts.
    Arrival passed(std::uint64_t offset);
    // The server says that it skipped these offsets, inclusive. Returns how many were news.
    std::uint64_t announce(std::uint64_t from, std::uint64_t to);

    // What the next arrival will look at, for whoever knows beforehand that it comes.
    void prefetch() const noexcept { __builtin_prefetch(next_sequence_.data()); }

    // First arrivals of our own messages, and publications announced as skipped.
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
    [[nodiscard]] std::uint64_t announced() const noexcept { return announced_; }
    // Of what has come or was announced; nothing where offsets are not known.
    [[nodiscard]] std::optional<std::uint64_t> last_offset() const noexcept {
        return next_offset_ == 0 ? std::nullopt : std::optional(next_offset_ - 1);
    }
    // Numbers that were passed over and neither came late nor were announced.
    [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; }

private:
    struct Hole {
        std::uint64_t from, to;  // inclusive
        std::uint32_t stream;
    };
    // What is not simply the next one.
    Arrival arrived_oddly(std::uint32_t member, std::uint32_t sequence);
    Arrival arrived_oddly_at(std::uint64_t offset, std::uint32_t member, std::uint32_t sequence);
    Arrival note(std::uint32_t stream, std::uint64_t& next, std::uint64_t number);
    void add_hole(const Hole& hole);
    // Takes [from, to] out of the stream's holes; returns how many numbers that filled.
    std::uint64_t fill(std::uint32_t stream, std::uint64_t from, std::uint64_t to);

    std::vector<std::uint32_t> next_sequence_;  // by member; 0: not known yet
    std::uint64_t next_offset_ = 0;             // 0: not known yet
    std::vector<Hole> holes_;
    std::uint64_t received_ = 0;
    std::uint64_t announced_ = 0;
    std::uint64_t missing_ = 0;
};

}  // namespace parley::load
