#include "loadtest/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace parley::load {
namespace {

void set_option(int fd, int level, int name, int value) {
    ::setsockopt(fd, level, name, &value, sizeof value);
}

const sockaddr* as_sockaddr(const SocketAddress& address) {
    return reinterpret_cast<const sockaddr*>(&address.storage);
}

int as_length(std::size_t bytes) {
    return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX));
}

}  // namespace

Stream::Result Stream::fail(int error) noexcept {
    error_ = error;
    return Result::failed;
}

Stream::Result Stream::connect(const Addresses& addresses, const TlsContext* tls,
                               std::uint32_t number, int receive_buffer_bytes) {
    const int family = addresses.server.storage.ss_family;
    ssl_.reset();
    fd_ = FileDescriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_.open()) return fail(errno);
    set_option(fd(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (receive_buffer_bytes > 0) set_option(fd(), SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes);
    if (!addresses.sources.empty()) {
        const SocketAddress& source = addresses.sources[number % addresses.sources.size()];
        // The port is chosen by connect(), which may use one again for another destination.
        set_option(fd(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        if (::bind(fd(), as_sockaddr(source), source.length) != 0) return fail(errno);
    }
    if (::connect(fd(), as_sockaddr(addresses.server), addresses.server.length) != 0 &&
        errno != EINPROGRESS) {
        return fail(errno);
    }
    if (tls != nullptr) ssl_ = tls->make_ssl(fd());
    return Result::done;
}

Stream::Result Stream::finish_connecting() {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error == 0 ? Result::done : fail(error);
}

// What an SSL_ call has returned, in this class's terms. OpenSSL's queue of errors is the thread's,
// so it is emptied here whatever it held.
Stream::Result Stream::judge(int returned) {
    const int socket_error = errno;
    const int why = ::SSL_get_error(ssl_.get(), returned);
    switch (why) {
        case SSL_ERROR_NONE:
            return Result::done;
        case SSL_ERROR_WANT_READ:
            return Result::want_read;
        case SSL_ERROR_WANT_WRITE:
            return Result::want_write;
        case SSL_ERROR_ZERO_RETURN:
            return Result::ended;
        default:
            tls_error_ = ::ERR_peek_error();
            ::ERR_clear_error();
            if (why == SSL_ERROR_SYSCALL)
                return socket_error == 0 ? Result::ended : fail(socket_error);
            return fail(0);
    }
}

Stream::Result Stream::secure() {
    if (!ssl_) return Result::done;
    errno = 0;
    return judge(::SSL_do_handshake(ssl_.get()));
}

Stream::Transfer Stream::read(std::span<char> buffer) {
    if (ssl_) {
        errno = 0;
        const int got = ::SSL_read(ssl_.get(), buffer.data(), as_length(buffer.size()));
        if (got > 0) return {Result::done, static_cast<std::size_t>(got)};
        return {judge(got), 0};
    }
    const ssize_t got = ::recv(fd(), buffer.data(), buffer.size(), 0);
    if (got > 0) return {Result::done, static_cast<std::size_t>(got)};
    if (got == 0) return {Result::ended, 0};
    if (errno == EAGAIN || errno == EINTR) return {Result::want_read, 0};
    return {fail(errno), 0};
}

Stream::Transfer Stream::write(std::string_view bytes) {
    if (ssl_) {
        errno = 0;
        const int count = ::SSL_write(ssl_.get(), bytes.data(), as_length(bytes.size()));
        if (count > 0) return {Result::done, static_cast<std::size_t>(count)};
        return {judge(count), 0};
    }
    for (;;) {
        const ssize_t count = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) return {Result::done, static_cast<std::size_t>(count)};
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return {Result::want_write, 0};
        return {fail(errno), 0};
    }
}

bool Stream::holds_bytes() const noexcept {
    return ssl_ != nullptr && ::SSL_has_pending(ssl_.get()) == 1;
}

bool Stream::resumed() const noexcept {
    return ssl_ != nullptr && ::SSL_session_reused(ssl_.get()) == 1;
}

void Stream::close() noexcept {
    // A polite goodbye where the socket takes it; nobody waits for the answer.
    if (ssl_ && fd_.open() && ::SSL_is_init_finished(ssl_.get()) == 1) {
        ::SSL_shutdown(ssl_.get());
        ::ERR_clear_error();
    }
    ssl_.reset();
    fd_.reset();
}

void Stream::close_with_reset() noexcept {
    const linger at_once{1, 0};
    if (fd_.open()) ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ssl_.reset();
    fd_.reset();
}

std::string Stream::describe_error() const {
    if (error_ != 0) return describe_connect_error(error_);
    std::string text = "TLS: ";
    if (ssl_) {
        const long verdict = ::SSL_get_verify_result(ssl_.get());
        if (verdict != X509_V_OK && ::SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE) {
            return text + ::X509_verify_cert_error_string(verdict) +
                   " (trust it with --tls-ca FILE, or anything with --tls-insecure)";
        }
    }
    std::array<char, 160> words{};
    ::ERR_error_string_n(tls_error_, words.data(), words.size());
    const char* const reason = ::ERR_reason_error_string(tls_error_);
    return text + (reason != nullptr ? reason : words.data());
}

}  // namespace parley::load
