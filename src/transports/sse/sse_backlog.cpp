#include "transports/sse/sse_backlog.hpp"

#include <string>

namespace parley::transports {
namespace {

// A history keeps no frames; what a peer has missed is made again, some of it at a time.
core::FramePtr frame_of(const core::Retained& message, const core::WireFormat& format) {
    const core::Publication publication(core::PublicationKind::message, message.offset(),
                                        std::string(message.json()));
    return core::FramePtr(&publication.frame(format));
}

}  // namespace

SseBacklog::Batch SseBacklog::next() const {
    Batch batch;
    std::size_t bytes = 0;
    for (std::size_t at = written_; at < messages_.size() && batch.count_ < batch_frames; ++at) {
        if (bytes >= batch_bytes) break;
        core::FramePtr& made = batch.made_[batch.count_];
        made = frame_of(*messages_[at], *format_);
        bytes += made->size();
        batch.frames_[batch.count_++] = made.get();
    }
    return batch;
}

void SseBacklog::add_gap(const protocol::Gap& gap) {
    if (!gap_) {
        gap_ = gap;
        return;
    }
    gap_->to = gap.to;
    gap_->cursor = gap.cursor;
}

}  // namespace parley::transports
