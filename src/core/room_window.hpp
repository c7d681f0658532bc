// RoomWindow: the recent publications of a room as one shard sees them, for the subscribers that
// have not been handed them yet.
//
// Path:     RoomRing → [RoomWindow] → Audience → Subscriber
// Runs on:  its shard.
// Owned by: Audience.
// Bounds:   WindowConfig::messages, ::bytes; the oldest go first, and whoever still needed them lags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/config.hpp"
#include "core/publication.hpp"

namespace parley::core {

class RoomWindow {
public:
    // Sequences [base, end) are held. A sequence counts everything in the room's order, transient
    // publications too.
    [[nodiscard]] std::uint64_t base() const noexcept { return end_ - size(); }
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size() - head_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    // The offset of the last message before `sequence`, which must be in [base, end].
    [[nodiscard]] std::uint64_t offset_before(std::uint64_t sequence) const noexcept;
    // The sequence of the newest message; of the newest publication where no message is held. Not
    // on an empty window.
    [[nodiscard]] std::uint64_t newest_message() const noexcept;
    [[nodiscard]] const Publication& at(std::uint64_t sequence) const noexcept {
        return *entries_[head_ + static_cast<std::size_t>(sequence - base())];
    }

    void push(PublicationPtr publication);
    // Passes over a publication that nobody here waits for. Only on an empty window.
    void skip(const Publication& publication) noexcept;
    // Begins at `sequence`, of which `offset` is the last message before. Only on an empty window.
    void start_at(std::uint64_t sequence, std::uint64_t offset) noexcept;
    // Drops what is before `sequence`.
    void trim_to(std::uint64_t sequence) noexcept;
    // Drops the oldest until the bounds hold; the newest stays. True when anything went.
    bool enforce(const WindowConfig& config) noexcept;

private:
    void pop_front() noexcept;
    void compact() noexcept;

    std::vector<PublicationPtr> entries_;  // [head_, size) are held
    std::size_t head_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t end_ = 0;
    std::uint64_t dropped_offset_ = 0;  // of the last message before base()
};

}  // namespace parley::core
