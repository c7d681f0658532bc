// write_frames: what a connection has begun to send, and the frames behind it, into its stream.
//
// Path:     WebSocketConnection, SseConnection → [write_frames] → Stream
// Runs on:  its shard.
// Owned by: nobody; a function.
// Bounds:   write_buffers_max buffers a system call; one frame begun and unfinished, in the outbox.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/frame.hpp"
#include "transports/outbox.hpp"
#include "transports/tcp_stream.hpp"

namespace parley::transports {

struct FramesWritten {
    std::size_t taken = 0;    // frames that left whole, and the one that the outbox keeps
    std::uint64_t bytes = 0;  // of the outbox too
    bool blocked = false;     // the peer takes no more: wait until the stream can be written
    bool failed = false;      // the stream is gone
};

// Goes on until all is written, or the stream takes no more. Only while nothing waits for it.
template <typename Stream>
[[nodiscard]] FramesWritten write_frames(Stream& stream, Outbox& outbox,
                                         std::span<const core::Frame* const> frames) noexcept {
    FramesWritten written;
    while (written.taken < frames.size()) {
        std::array<iovec, write_buffers_max> buffers;
        const std::size_t own = outbox.buffers(buffers);
        const auto batch = frames.subspan(
            written.taken, std::min(frames.size() - written.taken, buffers.size() - own));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            buffers[own + i] = buffer_of(batch[i]->bytes());
        }
        const IoResult result = stream.try_write(std::span(buffers).first(own + batch.size()));
        if (result.status == IoResult::Status::failed) {
            written.failed = true;
            return written;
        }
        written.bytes += result.bytes;
        std::size_t whole = 0;
        std::size_t left = outbox.sent(result.bytes);
        while (whole < batch.size() && left >= batch[whole]->size()) left -= batch[whole++]->size();
        written.taken += whole;
        if (whole == batch.size()) continue;
        // Also with nothing of it reported: TLS may have sealed its first byte.
        if (result.status == IoResult::Status::done && outbox.empty()) {
            outbox.keep(*batch[whole], left);
            ++written.taken;
        }
        written.blocked = true;
        return written;
    }
    return written;
}

}  // namespace parley::transports
