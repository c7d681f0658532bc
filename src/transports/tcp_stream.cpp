#include "transports/tcp_stream.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

namespace parley::transports {
namespace {

IoResult result_of(ssize_t count) noexcept {
    if (count > 0) return {IoResult::Status::done, static_cast<std::size_t>(count)};
    if (count == 0) return {IoResult::Status::ended};
    if (errno == EAGAIN) return {IoResult::Status::would_block};
    return {IoResult::Status::failed};
}

// Past libc, which makes each call a point of cancellation by two atomic exchanges; but through it
// where AddressSanitizer looks at what the kernel reads and writes for us.
#ifdef __SANITIZE_ADDRESS__
ssize_t receive_some(int descriptor, std::span<char> into, int flags) noexcept {
    return ::recv(descriptor, into.data(), into.size(), flags);
}
ssize_t send_one(int descriptor, const iovec& buffer, int flags) noexcept {
    return ::send(descriptor, buffer.iov_base, buffer.iov_len, flags);
}
ssize_t send_several(int descriptor, const msghdr& message, int flags) noexcept {
    return ::sendmsg(descriptor, &message, flags);
}
#else
ssize_t receive_some(int descriptor, std::span<char> into, int flags) noexcept {
    return ::syscall(SYS_recvfrom, descriptor, into.data(), into.size(), flags, nullptr, nullptr);
}
ssize_t send_one(int descriptor, const iovec& buffer, int flags) noexcept {
    return ::syscall(SYS_sendto, descriptor, buffer.iov_base, buffer.iov_len, flags, nullptr, 0);
}
ssize_t send_several(int descriptor, const msghdr& message, int flags) noexcept {
    return ::syscall(SYS_sendmsg, descriptor, &message, flags);
}
#endif

ssize_t send_all(int descriptor, std::span<const iovec> buffers, std::size_t& offered) noexcept {
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    for (const iovec& buffer : buffers) offered += buffer.iov_len;
    // One buffer spares the kernel the copy of a message header and of its buffer list.
    if (buffers.size() == 1) return send_one(descriptor, buffers[0], flags);
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(buffers.data());
    message.msg_iovlen = buffers.size();
    return send_several(descriptor, message, flags);
}

}  // namespace

IoResult TcpStream::try_read(std::span<char> into) noexcept {
    return receive(into, MSG_DONTWAIT);
}

IoResult TcpStream::try_peek(std::span<char> into) noexcept {
    return receive(into, MSG_DONTWAIT | MSG_PEEK);
}

IoResult TcpStream::receive(std::span<char> into, int flags) noexcept {
    if (!watch_) return {IoResult::Status::failed};
    for (;;) {
        const ssize_t count = receive_some(descriptor_, into, flags);
        if (count < 0 && errno == EINTR) continue;
        if (count < std::ssize(into)) watch_->drained();
        return result_of(count);
    }
}

IoResult TcpStream::try_write(std::span<const iovec> buffers) noexcept {
    if (!watch_) return {IoResult::Status::failed};
    for (;;) {
        std::size_t offered = 0;
        const ssize_t count = send_all(descriptor_, buffers, offered);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 || static_cast<std::size_t>(count) < offered) watch_->filled();
        if (count > 0) return {IoResult::Status::done, static_cast<std::size_t>(count)};
        // Nothing was written though nothing failed: only for empty buffers, which nobody offers.
        return count == 0 ? IoResult{IoResult::Status::would_block} : result_of(count);
    }
}

void TcpStream::cancel() noexcept {
    if (watch_) watch_->cancel();
}

void TcpStream::shutdown_write() noexcept {
    if (watch_) ::shutdown(descriptor_, SHUT_WR);
}

void TcpStream::close() noexcept {
    watch_.reset();
}

LooseSocket TcpStream::release() noexcept {
    LooseSocket loose(watch_->release(), std::move(ticket_));
    watch_.reset();
    return loose;
}

LooseSocket::~LooseSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace parley::transports
