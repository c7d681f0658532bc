// Outbox: what a connection has begun to send and could not finish.
//
// Path:     WebSocketConnection, SseConnection → [Outbox] → Stream
// Runs on:  its shard.
// Owned by: its connection.
// Bounds:   one frame, one pong, and its own words, which the connection bounds by reading no
//           further while any are here.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/frame.hpp"

namespace parley::transports {

// Empty, it holds no memory beyond itself.
class Outbox {
public:
    static constexpr std::size_t buffers_max = 2;

    [[nodiscard]] bool empty() const noexcept { return !partial_ && !own_; }
    // Whether words of the connection's own wait.
    [[nodiscard]] bool has_words() const noexcept { return own_ && own_->words; }

    // Where words of the connection's own are appended; they leave behind the frame that was begun.
    [[nodiscard]] std::string& words();
    // Keeps a frame of which `sent` bytes have left; only while it keeps none.
    void keep(const core::Frame& frame, std::size_t sent) noexcept;
    // Keeps the payload of a pong instead of an earlier one's: a peer that pings and does not read
    // makes nothing grow (RFC 6455, 5.5.3: the newest ping alone may be answered).
    void keep_pong(std::string_view payload);
    void drop_pong() noexcept;
    // Turns the pong that was kept into words, now that it can leave.
    void speak_pong();

    // What is to be sent next, in order, into the front of `out`, which has room for buffers_max.
    // Gives back how many buffers that is.
    [[nodiscard]] std::size_t buffers(std::span<iovec> out) const noexcept;
    // Takes off what was sent; gives back what of `bytes` was not of here.
    [[nodiscard]] std::size_t sent(std::size_t bytes) noexcept;

private:
    struct Own {
        std::optional<std::string> words;  // unsent from words_sent on
        std::optional<std::string> pong;
        std::size_t words_sent = 0;
    };
    [[nodiscard]] Own& own();
    void drop_own_if_done() noexcept;

    core::FramePtr partial_;    // begun, unsent from partial_sent_ on
    std::unique_ptr<Own> own_;  // while there are words or a pong
    std::uint32_t partial_sent_ = 0;
};

}  // namespace parley::transports
