// FlushBatch: what one subscriber is handed in one write, from all its rooms, and how far each
// piece moves which cursor.
//
// Path:     Audience → [FlushBatch] → Transport::write_some()
// Runs on:  its shard.
// Owned by: Shard; reused by every write, so that a delivery allocates nothing.
// Bounds:   frames_max frames, bytes_max bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "core/frame.hpp"
#include "core/subscription.hpp"

namespace parley::core {

class FlushBatch {
public:
    // Less than IOV_MAX, so that a transport can hand all of it to one system call; and no more
    // bytes than a socket's buffer usually takes.
    static constexpr std::size_t frames_max = 512;
    static constexpr std::size_t bytes_max = 512 * 1024;

    struct Piece {
        Subscription* subscription;
        Place next;                // of the subscription, once the piece's frame is taken
        std::uint32_t deliveries;  // publications in the frame
        std::uint32_t filtered;    // publications passed over with it
    };

    void clear() noexcept {
        frames_.clear();
        pieces_.clear();
        bytes_ = 0;
    }
    [[nodiscard]] bool full() const noexcept {
        return frames_.size() >= frames_max || bytes_ >= bytes_max;
    }
    [[nodiscard]] bool empty() const noexcept { return frames_.empty(); }
    void add(const Frame& frame, const Piece& piece) {
        frames_.push_back(&frame);
        pieces_.push_back(piece);
        bytes_ += frame.size();
    }
    // Lets the last piece carry `filtered` more publications; false where it is not that
    // subscription's.
    [[nodiscard]] bool extend_last(const Subscription& subscription, const Place& next,
                                   std::uint32_t filtered) {
        if (pieces_.empty() || pieces_.back().subscription != &subscription) return false;
        Piece& last = pieces_.back();
        last.next = next;
        last.filtered += filtered;
        return true;
    }
    [[nodiscard]] const std::vector<const Frame*>& frames() const noexcept { return frames_; }
    [[nodiscard]] const std::vector<Piece>& pieces() const noexcept { return pieces_; }

private:
    std::vector<const Frame*> frames_;
    std::vector<Piece> pieces_;
    std::size_t bytes_ = 0;
};

}  // namespace parley::core
