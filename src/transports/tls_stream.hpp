// TlsStream: a connected socket with TLS over it, as the same verbs as TcpStream.
//
// Path:     TlsHandshake → [TlsStream] → HttpConnection, WebSocketConnection
// Runs on:  its shard.
// Owned by: the connection that it carries.
// Bounds:   idle it holds no buffer. Of the records that the kernel was offered together, at most
//           tls_records_gathered, what it did not take is kept until it has left; behind it
//           OpenSSL's own words up to unsent_bytes_max.
#pragma once

#include <array>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "transports/openssl_handles.hpp"
#include "transports/tcp_stream.hpp"

namespace parley::transports {

// The most that one record carries (RFC 8446, 5.1).
inline constexpr std::size_t tls_record_bytes = 16 * 1024;
// Records that leave by one call of the kernel, where as much is to be sent: a segment of a loopback
// or of an offloading card is as large.
inline constexpr std::size_t tls_records_gathered = 4;

// Where records are gathered. A shard has one, since they are sealed and sent within one call.
struct TlsRecordBuffer {
    // Of a record: its header, and what its cipher and its type add (RFC 8446, 5.2).
    static constexpr std::size_t sealing_bytes_max = 5 + 256;

    std::array<char, tls_record_bytes> content;
    std::array<char, tls_records_gathered*(tls_record_bytes + sealing_bytes_max)> sealed;
    std::size_t sealed_bytes = 0;
};

// The descriptor as OpenSSL sees it: whatever it writes is taken, and what the kernel doesn't take
// waits here. So a record is never half within OpenSSL, which would have to be offered the same
// bytes again.
struct TlsWire {
    // Beyond this OpenSSL is told to wait. What was gathered and what is said around it fit.
    static constexpr std::size_t unsent_bytes_max = (tls_records_gathered + 1) * tls_record_bytes;

    Watch* watch = nullptr;
    TlsRecordBuffer* gathering = nullptr;  // takes what is written instead, while there is one
    bool ended = false;                    // the peer has finished sending
    // So many may leave together next time. It begins with one after a peer took no more, so that
    // who is slow has little lying here, and doubles while all is taken.
    std::uint8_t records = 1;
    std::unique_ptr<std::string> unsent;
};

class TlsStream {
public:
    // A read stops at the end of a record.
    static constexpr bool short_read_empties = false;

    enum class Handshake : std::uint8_t { done, wants_read, wants_write, plain_http, failed };

    // Speaks TLS over the socket, as `ssl` has it, which has no descriptor yet. `record` outlives
    // the stream. Throws std::bad_alloc.
    TlsStream(TcpStream socket, SslHandle ssl, TlsRecordBuffer& record);
    TlsStream(TlsStream&&) noexcept = default;
    TlsStream& operator=(TlsStream&&) noexcept = default;

    // The next step of the handshake; nothing else before it is done. After a failure only the bare
    // socket is of use, on which OpenSSL has sent its alert.
    [[nodiscard]] Handshake handshake() noexcept;
    // True where the handshake took up an earlier session.
    [[nodiscard]] bool resumed() const noexcept;
    [[nodiscard]] TcpStream& socket() noexcept { return socket_; }
    [[nodiscard]] const SSL* ssl() const noexcept { return ssl_.get(); }

    // As TcpStream's. A record that was sealed and did not leave whole counts as written but for
    // its last byte: so who wrote it knows that something is unsent, waits, and offers the rest,
    // which begins with that byte, as any rest does.
    [[nodiscard]] IoResult try_read(std::span<char> into) noexcept;
    [[nodiscard]] IoResult try_write(std::span<const iovec> buffers) noexcept;

    // As TcpStream's; at once where OpenSSL holds what was read ahead.
    template <typename Token>
    auto wait_readable(Token&& token) {
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
            [this](auto handler) {
                if (readable_now()) {
                    boost::asio::post(socket_.executor(), [handler = std::move(handler)]() mutable {
                        std::move(handler)(boost::system::error_code());
                    });
                } else if (read_waits_to_write_) {
                    socket_.watched().wait_writable_to_read(std::move(handler));
                } else {
                    socket_.wait_readable(std::move(handler));
                }
            },
            token);
    }
    template <typename Token>
    auto wait_writable(Token&& token) {
        return socket_.wait_writable(std::forward<Token>(token));
    }

    void cancel() noexcept { socket_.cancel(); }
    // Sends close_notify (RFC 8446, 6.1), then as TcpStream's.
    void shutdown_write() noexcept;
    void close() noexcept;
    // As TcpStream's: what OpenSSL knows of the connection stays here until take_up(), and until then
    // nothing else may be asked of it.
    [[nodiscard]] LooseSocket release() noexcept;
    // Goes on over the socket that was released, on another reactor and its shard's buffer.
    void take_up(TcpStream socket, TlsRecordBuffer& record) noexcept;
    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
    [[nodiscard]] Executor executor() { return socket_.executor(); }

private:
    enum class Reading : std::uint8_t { open, blocked, ended };

    [[nodiscard]] bool readable_now() const noexcept;
    [[nodiscard]] bool sends_unsent() noexcept;
    [[nodiscard]] IoResult read_failed(int result) noexcept;
    IoResult fail_writing() noexcept;
    void say_goodbye() noexcept;

    TcpStream socket_;
    std::unique_ptr<TlsWire> wire_;
    SslHandle ssl_;
    TlsRecordBuffer* record_;
    std::uint16_t record_bytes_ = tls_record_bytes;  // less where the peer asked (RFC 6066, 4)
    Reading reading_ = Reading::open;
    bool established_ = false;
    bool failed_ = false;  // of its SSL nothing more may be asked
    bool said_goodbye_ = false;
    bool owes_byte_ = false;  // the last byte of an unsent record, not reported yet
    bool read_waits_to_write_ = false;
};

}  // namespace parley::transports
