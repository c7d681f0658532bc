// RunCache: several publications' frames joined into one, for the many subscribers of a room that
// stand at the same place: gathering is paid once, and a write is one buffer.
//
// Path:     RoomWindow → [RunCache] → FlushBatch
// Runs on:  its shard.
// Owned by: Audience, while a pass lasts.
// Bounds:   runs_max runs of limits::run_bytes_max; the oldest made way for the next.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/frame.hpp"
#include "core/room_window.hpp"

namespace parley::core {

struct Run {
    std::uint64_t from = 0;  // sequences [from, to)
    std::uint64_t to = 0;
    std::uint64_t offset = 0;      // of the last message in it; 0 where it has none
    std::uint32_t deliveries = 0;  // publications in the frame
    std::uint32_t filtered = 0;    // publications left out: kinds that were not asked for
    std::uint8_t format = 0;
    KindSet kinds;
    FramePtr frame;  // null where everything was left out
};

class RunCache {
public:
    static constexpr std::size_t runs_max = 8;

    // The run that begins at `from`, which must be in the window, made on first asking. Valid until
    // the next call; the frame of one that makes way goes to `retired`, since it may be in a batch.
    [[nodiscard]] const Run& run_from(const RoomWindow& window, std::uint64_t from,
                                      const WireFormat& format, KindSet kinds,
                                      std::vector<FramePtr>& retired);
    void clear() noexcept;

private:
    std::array<Run, runs_max> runs_{};
    std::size_t used_ = 0;
    std::size_t next_ = 0;
};

}  // namespace parley::core
