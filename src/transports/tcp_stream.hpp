// TcpStream: a connected TCP socket as four verbs. A Stream is any type with these functions; a TLS
// stream is a second one.
//
// Path:     Listener → [TcpStream] → HttpConnection, WebSocketConnection
// Runs on:  its shard.
// Owned by: the connection that it carries; it moves from HTTP to WebSocket with the upgrade.
// Bounds:   no buffer: what the kernel does not take stays with the caller.
#pragma once

#include <sys/uio.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "transports/admission.hpp"
#include "transports/executor.hpp"

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

class TcpStream {
public:
    using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

    // Takes over a connected, non-blocking descriptor. Throws std::system_error where the reactor
    // can't take it; the descriptor is closed then.
    TcpStream(const Executor& executor, const boost::asio::ip::tcp& protocol, int descriptor);

    [[nodiscard]] IoResult try_read(std::span<char> into) noexcept;
    // The same, but what it gives stays to be read.
    [[nodiscard]] IoResult try_peek(std::span<char> into) noexcept;
    // Writes from all buffers in order; at most write_buffers_max of them. A short count says that
    // the peer takes no more for now.
    [[nodiscard]] IoResult try_write(std::span<const iovec> buffers) noexcept;

    // Complete with an error_code once the verb may succeed, or with operation_aborted after
    // cancel() and close().
    template <typename Token>
    auto wait_readable(Token&& token) {
        return socket_.async_wait(Socket::wait_read, std::forward<Token>(token));
    }
    template <typename Token>
    auto wait_writable(Token&& token) {
        return socket_.async_wait(Socket::wait_write, std::forward<Token>(token));
    }

    // Ends the waits that are under way.
    void cancel() noexcept;
    // Says that nothing more will be written.
    void shutdown_write() noexcept;
    void close() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
    [[nodiscard]] Executor executor() { return socket_.get_executor(); }

    // The connection's place among those that were let in: it lasts as long as the stream.
    [[nodiscard]] AdmissionTicket& ticket() noexcept { return ticket_; }

private:
    Socket socket_;
    AdmissionTicket ticket_;
};

[[nodiscard]] inline iovec buffer_of(std::string_view bytes) noexcept {
    // The kernel only reads from what a write names.
    return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace parley::transports
