// Frame: bytes as they go on the wire, made once and shared by all who are sent them.
//
// Path:     Publication → [Frame] → Transport
// Runs on:  any thread; immutable behind its reference count.
// Owned by: publications, runs, and a connection while it has written part of one.
// Bounds:   a message's frame by limits; a run by limits::run_bytes_max.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <string_view>

namespace parley::core {

class Frame {
public:
    // Copies the bytes behind the header: one allocation. Throws std::bad_alloc.
    [[nodiscard]] static boost::intrusive_ptr<const Frame> copy_of(std::string_view bytes);

    [[nodiscard]] std::string_view bytes() const noexcept {
        return {reinterpret_cast<const char*>(this + 1), size_};
    }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

    friend void intrusive_ptr_add_ref(const Frame* frame) noexcept {
        frame->references_.fetch_add(1, std::memory_order_relaxed);
    }
    friend void intrusive_ptr_release(const Frame* frame) noexcept {
        // Release pairs with the acquire of whoever drops the last one and frees the bytes.
        if (frame->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(frame);
    }

private:
    explicit Frame(std::uint32_t size) noexcept : size_(size) {}
    ~Frame() = default;
    static void destroy(const Frame* frame) noexcept;

    mutable std::atomic<std::uint32_t> references_{0};
    std::uint32_t size_;
};

using FramePtr = boost::intrusive_ptr<const Frame>;

}  // namespace parley::core
