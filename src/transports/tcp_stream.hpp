// TcpStream: a connected TCP socket as four verbs. A Stream is any type with these functions; a TLS
// stream is a second one.
//
// Path:     Listener → [TcpStream] → HttpConnection, WebSocketConnection
// Runs on:  its shard.
// Owned by: the connection that it carries; it moves from HTTP to WebSocket with the upgrade.
// Bounds:   no buffer: what the kernel does not take stays with the caller.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "transports/admission.hpp"
#include "transports/reactor.hpp"

namespace parley::transports {

// What became of one attempt to read or write.
struct IoResult {
    enum class Status : std::uint8_t {
        done,         // `bytes` of them, at least one
        would_block,  // none now: wait
        ended,        // the peer has finished sending (reads only)
        failed,       // the connection is gone
    };
    Status status;
    std::size_t bytes = 0;
};

// How many buffers one gathered write may name (Linux: UIO_MAXIOV).
inline constexpr std::size_t write_buffers_max = 1024;

// A connected socket on its way from one reactor to another: watched by neither. Closed where it does
// not arrive.
class LooseSocket {
public:
    LooseSocket(int descriptor, AdmissionTicket ticket) noexcept
        : descriptor_(descriptor), ticket_(std::move(ticket)) {}
    LooseSocket(LooseSocket&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), ticket_(std::move(other.ticket_)) {}
    LooseSocket& operator=(LooseSocket&&) = delete;
    ~LooseSocket();

private:
    friend class TcpStream;
    int descriptor_;
    AdmissionTicket ticket_;
};

class TcpStream {
public:
    // A read of less than was asked for took all there was; what came since ends the next wait.
    static constexpr bool short_read_empties = true;

    // Takes over a connected, non-blocking descriptor. Throws std::system_error where the reactor
    // can't take it; the descriptor is closed then.
    TcpStream(Reactor& reactor, int descriptor)
        : descriptor_(descriptor), watch_(watch(reactor, descriptor)) {}
    // The same for one that another reactor has released.
    TcpStream(Reactor& reactor, LooseSocket socket)
        : TcpStream(reactor, std::exchange(socket.descriptor_, -1)) {
        ticket_ = std::move(socket.ticket_);
    }

    [[nodiscard]] IoResult try_read(std::span<char> into) noexcept;
    // The same, but what it gives stays to be read.
    [[nodiscard]] IoResult try_peek(std::span<char> into) noexcept;
    // Writes from all buffers in order; at most write_buffers_max of them. A short count says that
    // the peer takes no more for now.
    [[nodiscard]] IoResult try_write(std::span<const iovec> buffers) noexcept;

    // The socket, for who writes past try_write(): the caller says took_short() of what was not
    // taken whole. Not after close().
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    void took_short() noexcept { watch_->filled(); }

    // Complete with an error_code once the verb may succeed, or with operation_aborted after
    // cancel() and close(). Not after close().
    template <typename Token>
    auto wait_readable(Token&& token) {
        return watch_->wait_readable(std::forward<Token>(token));
    }
    template <typename Token>
    auto wait_writable(Token&& token) {
        return watch_->wait_writable(std::forward<Token>(token));
    }

    // Ends the waits that are under way.
    void cancel() noexcept;
    // Says that nothing more will be written.
    void shutdown_write() noexcept;
    void close() noexcept;
    // Gives up the socket, open, for another reactor; this is closed then. Only while nothing waits.
    [[nodiscard]] LooseSocket release() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return watch_ != nullptr; }
    [[nodiscard]] Executor executor() const { return watch_->executor(); }
    // For a stream over this one. Not after close().
    [[nodiscard]] Watch& watched() noexcept { return *watch_; }

    // The connection's place among those that were let in: it lasts as long as the stream.
    [[nodiscard]] AdmissionTicket& ticket() noexcept { return ticket_; }

private:
    [[nodiscard]] IoResult receive(std::span<char> into, int flags) noexcept;

    int descriptor_;  // the watch's: a write looks no further than here
    WatchPtr watch_;
    AdmissionTicket ticket_;
};

[[nodiscard]] inline iovec buffer_of(std::string_view bytes) noexcept {
    // The kernel only reads from what a write names.
    return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace parley::transports
