#include "core/publication.hpp"

namespace parley::core {

Publication::~Publication() {
    for (auto& slot : frames_) {
        if (const Frame* frame = slot.load(std::memory_order_acquire)) intrusive_ptr_release(frame);
    }
}

const Frame& Publication::frame(const WireFormat& format) const {
    auto& slot = frames_[format.slot];
    // Acquire pairs with the release of the exchange below: the bytes are there.
    if (const Frame* made = slot.load(std::memory_order_acquire)) return *made;
    thread_local std::string scratch;
    scratch.clear();
    format.encode(format, *this, scratch);
    const FramePtr frame = Frame::copy_of(scratch);
    const Frame* expected = nullptr;
    // Two shards may have made it at once: the first one's stays, the other's goes.
    if (!slot.compare_exchange_strong(expected, frame.get(), std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        return *expected;
    }
    intrusive_ptr_add_ref(frame.get());
    return *frame;
}

}  // namespace parley::core
