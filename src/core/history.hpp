// History: the retained messages of a room, in memory.
//
// Path:     RoomRing → RoomHome → [History] → joined, history
// Runs on:  the room's home shard.
// Owned by: RoomHome.
// Bounds:   HistoryConfig::messages, ::bytes; the oldest go.
#pragma once

#include <boost/circular_buffer.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/config.hpp"
#include "core/retained.hpp"

namespace parley::core {

struct HistorySlice {
    std::vector<RetainedPtr> messages;  // ascending offsets
    bool more = false;                  // retained ones remain beyond the slice
};

class History {
public:
    // Begins behind that message, of which nothing is retained here. Only while nothing was
    // appended.
    void start_at(std::uint64_t last_offset) noexcept { last_offset_ = last_offset; }
    // Messages come in the order of their offsets, without holes.
    void append(RetainedPtr message, const HistoryConfig& config);
    // Puts it in the place of the message with its offset; nothing where that is not retained.
    void amend(RetainedPtr message);
    // Null where it is not retained.
    [[nodiscard]] RetainedPtr find(std::uint64_t offset) const noexcept;
    // Calls f(json) for each retained message.
    template <typename F>
    void each(F&& f) const {
        for (const RetainedPtr& message : messages_) f(message->json());
    }

    [[nodiscard]] bool empty() const noexcept { return messages_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return messages_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    // Of the newest message ever appended; 0 before the first.
    [[nodiscard]] std::uint64_t last_offset() const noexcept { return last_offset_; }

    // True when everything after `offset` is retained.
    [[nodiscard]] bool reaches_back_to(std::uint64_t offset) const noexcept;
    // The first `most` after `offset`.
    [[nodiscard]] HistorySlice after(std::uint64_t offset, std::size_t most) const;
    // The last `most` before `offset`.
    [[nodiscard]] HistorySlice before(std::uint64_t offset, std::size_t most) const;
    [[nodiscard]] HistorySlice last(std::size_t most) const {
        return before(last_offset_ + 1, most);
    }

    // Of the oldest that is retained; last_offset() + 1 where none is.
    [[nodiscard]] std::uint64_t first_offset() const noexcept {
        return last_offset_ + 1 - messages_.size();
    }

private:
    [[nodiscard]] HistorySlice cut(std::size_t first, std::size_t end) const;

    // Takes memory as it fills, and none while empty: most rooms are.
    boost::circular_buffer_space_optimized<RetainedPtr> messages_;
    std::size_t bytes_ = 0;
    std::uint64_t last_offset_ = 0;
};

}  // namespace parley::core
