// WaitHandler: what is called when a wait is over, whatever its type, without a byte of the heap.
//
// Path:     Stream::wait_readable(), ::wait_writable() → [WaitHandler] → connection
// Runs on:  its shard.
// Owned by: Watch.
// Bounds:   inline_bytes; a larger handler does not compile.
#pragma once

#include <array>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace parley::transports {

class WaitHandler {
public:
    // Three pointers: an object that waits, or Asio's handle of a suspended coroutine.
    static constexpr std::size_t inline_bytes = 3 * sizeof(void*);

    WaitHandler() = default;
    template <typename Handler>
    requires(!std::is_same_v<std::decay_t<Handler>, WaitHandler>) explicit WaitHandler(
        Handler&& handler) noexcept {
        using Stored = std::decay_t<Handler>;
        static_assert(sizeof(Stored) <= inline_bytes && alignof(Stored) <= alignof(void*));
        ::new (storage_.data()) Stored(std::forward<Handler>(handler));
        step_ = [](Step step, std::byte* self, std::byte* other,
                   const boost::system::error_code& error) {
            Stored& stored = *std::launder(reinterpret_cast<Stored*>(self));
            // A handler may end, or reuse, the place that it came from: it runs from the stack.
            Stored moved(std::move(stored));
            std::destroy_at(&stored);
            if (step == Step::call) moved(error);
            if (step == Step::move) ::new (other) Stored(std::move(moved));
        };
    }
    WaitHandler(WaitHandler&& other) noexcept { take(other); }
    WaitHandler& operator=(WaitHandler&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    ~WaitHandler() { reset(); }

    [[nodiscard]] explicit operator bool() const noexcept { return step_ != nullptr; }
    // Calls the handler, once: it is empty from before the call on.
    void operator()(const boost::system::error_code& error) {
        std::exchange(step_, nullptr)(Step::call, storage_.data(), nullptr, error);
    }

private:
    enum class Step : std::uint8_t { call, move, destroy };

    void take(WaitHandler& other) noexcept {
        step_ = std::exchange(other.step_, nullptr);
        if (step_ != nullptr) step_(Step::move, other.storage_.data(), storage_.data(), {});
    }
    void reset() noexcept {
        if (step_ == nullptr) return;
        std::exchange(step_, nullptr)(Step::destroy, storage_.data(), nullptr, {});
    }

    alignas(void*) std::array<std::byte, inline_bytes> storage_;
    void (*step_)(Step, std::byte*, std::byte*, const boost::system::error_code&) = nullptr;
};

}  // namespace parley::transports
