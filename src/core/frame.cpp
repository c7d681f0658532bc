#include "core/frame.hpp"

#include <cstring>
#include <new>

namespace parley::core {

FramePtr Frame::copy_of(std::string_view bytes) {
    void* memory = ::operator new(sizeof(Frame) + bytes.size());
    auto* frame = new (memory) Frame(static_cast<std::uint32_t>(bytes.size()));
    std::memcpy(static_cast<char*>(memory) + sizeof(Frame), bytes.data(), bytes.size());
    return FramePtr(frame);
}

void Frame::destroy(const Frame* frame) noexcept {
    frame->~Frame();
    ::operator delete(const_cast<Frame*>(frame));
}

}  // namespace parley::core
