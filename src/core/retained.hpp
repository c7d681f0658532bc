// Retained: one message as a history keeps it: its JSON and nothing else, in one block. What a
// publication needs to be handed out, its frames first of all, is freed as soon as it was.
//
// Path:     Publication → [Retained] → History → joined, history
// Runs on:  any thread; immutable behind its reference count.
// Owned by: histories, and answers on their way.
// Bounds:   a message's by limits.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <string_view>

#include "core/publication.hpp"

namespace parley::core {

class Retained {
public:
    // Copies what is to be kept of a message. Throws std::bad_alloc.
    [[nodiscard]] static boost::intrusive_ptr<const Retained> copy_of(const Publication& message);
    // The message with that offset and that push, read from where it was kept.
    [[nodiscard]] static boost::intrusive_ptr<const Retained> make(std::uint64_t offset,
                                                                   std::string_view json);

    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
    // The push of parley.v1.
    [[nodiscard]] std::string_view json() const noexcept {
        return {reinterpret_cast<const char*>(this + 1), size_};
    }
    // What it costs to keep, in bytes.
    [[nodiscard]] std::size_t cost() const noexcept { return sizeof *this + size_; }

    Retained(const Retained&) = delete;
    Retained& operator=(const Retained&) = delete;

    friend void intrusive_ptr_add_ref(const Retained* message) noexcept {
        message->references_.fetch_add(1, std::memory_order_relaxed);
    }
    friend void intrusive_ptr_release(const Retained* message) noexcept {
        // Release pairs with the acquire of whoever drops the last one and frees the bytes.
        if (message->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(message);
    }

private:
    Retained(std::uint64_t offset, std::uint32_t size) noexcept : size_(size), offset_(offset) {}
    ~Retained() = default;
    static void destroy(const Retained* message) noexcept;

    mutable std::atomic<std::uint32_t> references_{0};
    std::uint32_t size_;
    std::uint64_t offset_;
};

using RetainedPtr = boost::intrusive_ptr<const Retained>;

}  // namespace parley::core
