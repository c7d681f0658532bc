// Stream: a non-blocking socket to the server, plain or with TLS on it: connect, secure, read,
// write. Above it nobody knows which.
//
// Path:     kernel ⇄ [Stream] ⇄ Client, Handshake
// Runs on:  one load thread.
// Owned by: Client, Handshake.
// Bounds:   TLS keeps no buffers between reads and writes (SSL_MODE_RELEASE_BUFFERS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "loadtest/file_descriptor.hpp"
#include "loadtest/network.hpp"
#include "loadtest/tls_context.hpp"

namespace parley::load {

class Stream {
public:
    enum class Result : std::uint8_t {
        done,
        want_read,   // call again when the socket can be read
        want_write,  // call again when it can be written
        ended,       // the server closed the connection
        failed,      // describe_error() says why
    };
    struct Transfer {
        Result result;
        std::size_t bytes;
    };

    // Begins to connect from the source address whose turn `number` is; `tls`: nullptr for a plain
    // one. `receive_buffer_bytes` 0: the kernel's. done: finish_connecting() when it can be written.
    [[nodiscard]] Result connect(const Addresses& addresses, const TlsContext* tls,
                                 std::uint32_t number, int receive_buffer_bytes = 0);
    // Connected, or failed.
    [[nodiscard]] Result finish_connecting();
    // A step of the TLS handshake; done at once on a plain stream.
    [[nodiscard]] Result secure();

    [[nodiscard]] Transfer read(std::span<char> buffer);
    [[nodiscard]] Transfer write(std::string_view bytes);
    // Bytes may be waiting above the socket, where no readiness tells of them.
    [[nodiscard]] bool holds_bytes() const noexcept;
    // A read that took less than it might has emptied the socket: readiness is told anew, and an
    // edge-triggered epoll may watch. With TLS the socket may hold more all the same.
    [[nodiscard]] bool short_read_empties() const noexcept { return ssl_ == nullptr; }

    void close() noexcept;
    // So that its port is free at once: the other side sees a reset.
    void close_with_reset() noexcept;

    [[nodiscard]] bool open() const noexcept { return fd_.open(); }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] bool tls() const noexcept { return ssl_ != nullptr; }
    // The TLS handshake took up an earlier session.
    [[nodiscard]] bool resumed() const noexcept;
    // Of the last failure, in words.
    [[nodiscard]] std::string describe_error() const;

private:
    Result fail(int error) noexcept;
    Result judge(int returned);

    FileDescriptor fd_;
    SslPointer ssl_;  // absent on a plain stream
    int error_ = 0;   // errno of the last failure; 0: TLS's own
    unsigned long tls_error_ = 0;
};

}  // namespace parley::load
