#include "core/run_cache.hpp"

#include <algorithm>
#include <string>

#include "core/limits.hpp"

namespace parley::core {

const Run& RunCache::run_from(const RoomWindow& window, std::uint64_t from,
                              const WireFormat& format, KindSet kinds,
                              std::vector<FramePtr>& retired) {
    for (std::size_t i = 0; i < used_; ++i) {
        const Run& run = runs_[i];
        if (run.from == from && run.format == format.slot && run.kinds == kinds) return run;
    }
    Run& run = runs_[next_];
    next_ = (next_ + 1) % runs_max;
    used_ = std::min(used_ + 1, runs_max);
    if (run.frame) retired.push_back(std::move(run.frame));
    thread_local std::string bytes;
    bytes.clear();
    run = Run{from, from, 0, 0, 0, format.slot, kinds, nullptr};
    while (run.to < window.end()) {
        const Publication& publication = window.at(run.to);
        if (!kinds.has(publication.kind())) {
            ++run.filtered;
        } else {
            const Frame& frame = publication.frame(format);
            if (!bytes.empty() && bytes.size() + frame.size() > limits::run_bytes_max) break;
            bytes += frame.bytes();
            ++run.deliveries;
        }
        if (publication.offset() != 0) run.offset = publication.offset();
        ++run.to;
    }
    if (run.deliveries > 0) run.frame = Frame::copy_of(bytes);
    return run;
}

void RunCache::clear() noexcept {
    for (std::size_t i = 0; i < used_; ++i) runs_[i] = Run{};
    used_ = next_ = 0;
}

}  // namespace parley::core
