// SseBacklog: the history that an event stream begins with, and what is missing behind it.
//
// Path:     JoinedReply → [SseBacklog] → SseConnection
// Runs on:  its shard.
// Owned by: its connection, until all of it is written.
// Bounds:   references to the history of a room, and one gap. Frames are made batch_frames or
//           batch_bytes at a time, and kept no longer than one write.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/publication.hpp"
#include "core/retained.hpp"
#include "protocol/message.hpp"

namespace parley::transports {

class SseBacklog {
public:
    // What is offered to one write: so many frames, or as many as come to so many bytes.
    static constexpr std::size_t batch_frames = 64;
    static constexpr std::size_t batch_bytes = 64 * 1024;

    class Batch {
    public:
        [[nodiscard]] std::span<const core::Frame* const> frames() const noexcept {
            return std::span(frames_).first(count_);
        }

    private:
        friend class SseBacklog;
        std::array<core::FramePtr, batch_frames> made_;
        std::array<const core::Frame*, batch_frames> frames_{};
        std::size_t count_ = 0;
    };

    // The messages, oldest first, and how they look to this peer.
    SseBacklog(std::vector<core::RetainedPtr> messages, const core::WireFormat& format) noexcept
        : messages_(std::move(messages)), format_(&format) {}

    // What is to be written next; none at the end.
    [[nodiscard]] Batch next() const;
    // So many of those are.
    void written(std::size_t count) noexcept { written_ += count; }
    [[nodiscard]] bool done() const noexcept { return written_ == messages_.size(); }

    // The stream lagged before it came to the end of this: to be told behind it, and not before.
    // Nothing is written between two of them, so that they are one.
    void add_gap(const protocol::Gap& gap);
    [[nodiscard]] const std::optional<protocol::Gap>& gap() const noexcept { return gap_; }

private:
    std::vector<core::RetainedPtr> messages_;
    const core::WireFormat* format_;
    std::size_t written_ = 0;
    std::optional<protocol::Gap> gap_;
};

}  // namespace parley::transports
