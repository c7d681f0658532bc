// Line: one connection of a user: the stream, what is still to be sent on it, and what of it wakes
// the thread.
//
// Path:     epoll → Client → [Line] → Stream
// Runs on:  one load thread.
// Owned by: Client.
// Bounds:   what its owner appends; Client::backlog_bytes_max for messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "loadtest/client_context.hpp"
#include "loadtest/stream.hpp"

namespace parley::load {

// Functions that return a text return why the connection is of no use any more; empty: it is.
class Line {
public:
    // Begins to connect, without waiting, and registers `tag` with the epoll. What was unsent is
    // still to be sent. `number` chooses the source address; `receive_buffer_bytes` 0: the kernel's.
    [[nodiscard]] std::string open(std::uint64_t tag, std::uint32_t number,
                                   int receive_buffer_bytes, const ClientContext& context);
    // The socket can be written, or connecting has ended.
    [[nodiscard]] std::string on_writable(const ClientContext& context);
    // The socket can be read: where it is not ready yet, goes on with the TLS handshake.
    [[nodiscard]] std::string on_readable(const ClientContext& context);
    // Only while ready(). Until a read gives less than it was offered, or again while may_hold_more().
    [[nodiscard]] Stream::Transfer read(std::span<char> buffer) { return stream_.read(buffer); }
    // After a read that was offered `offered` bytes and gave `got`: there may be more that no event
    // will tell of.
    [[nodiscard]] bool may_hold_more(std::size_t offered, std::size_t got) const noexcept {
        if (!ready()) return false;
        return stream_.short_read_empties() ? got == offered : stream_.holds_bytes();
    }
    // Sends without waiting; what is left goes when the socket can be written. A broken socket is
    // told by reading, which finds what the server said before; here only where nobody reads.
    [[nodiscard]] std::string flush(const ClientContext& context);

    // From now on only hang-ups wake the thread, or reading too.
    void watch_reads(bool on, const ClientContext& context);
    [[nodiscard]] bool watching_reads() const noexcept { return watching_reads_; }

    // Where to append what is to be sent; flush() sends it.
    [[nodiscard]] std::string& out() noexcept { return unsent_; }
    [[nodiscard]] std::size_t unsent() const noexcept { return unsent_.size() - sent_; }
    void drop_unsent();
    void close() noexcept { stream_.close(); }

    [[nodiscard]] bool connected() const noexcept { return stream_.open(); }
    // Connected, and secured where it is to be.
    [[nodiscard]] bool ready() const noexcept { return connected() && phase_ == Phase::open; }
    [[nodiscard]] const Stream& stream() const noexcept { return stream_; }

private:
    enum class Phase : std::uint8_t { connecting, securing, open };

    [[nodiscard]] std::string secure(const ClientContext& context);
    void drop_sent();
    void block(bool blocked, const ClientContext& context);
    void rearm(const ClientContext& context);
    [[nodiscard]] std::uint32_t edge() const noexcept;

    Stream stream_;
    std::string unsent_;
    std::size_t sent_ = 0;  // of unsent_
    std::uint64_t tag_ = 0;
    Phase phase_ = Phase::connecting;
    bool blocked_ = false;  // waits for the socket to be writable
    bool watching_reads_ = true;
};

}  // namespace parley::load
