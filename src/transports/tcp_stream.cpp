#include "transports/tcp_stream.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace parley::transports {
namespace {

IoResult result_of(ssize_t count) noexcept {
    if (count > 0) return {IoResult::Status::done, static_cast<std::size_t>(count)};
    if (count == 0) return {IoResult::Status::ended};
    if (errno == EAGAIN) return {IoResult::Status::would_block};
    return {IoResult::Status::failed};
}

IoResult receive_into(int descriptor, std::span<char> into, int flags) noexcept {
    for (;;) {
        const ssize_t count = ::recv(descriptor, into.data(), into.size(), flags);
        if (count >= 0 || errno != EINTR) return result_of(count);
    }
}

}  // namespace

TcpStream::TcpStream(const Executor& executor, const boost::asio::ip::tcp& protocol, int descriptor)
    : socket_(executor) {
    boost::system::error_code error;
    socket_.assign(protocol, descriptor, error);
    if (error) {
        ::close(descriptor);
        throw boost::system::system_error(error, "a connection can't be watched");
    }
}

IoResult TcpStream::try_read(std::span<char> into) noexcept {
    return receive_into(socket_.native_handle(), into, MSG_DONTWAIT);
}

IoResult TcpStream::try_peek(std::span<char> into) noexcept {
    return receive_into(socket_.native_handle(), into, MSG_DONTWAIT | MSG_PEEK);
}

IoResult TcpStream::try_write(std::span<const iovec> buffers) noexcept {
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    const int descriptor = socket_.native_handle();
    for (;;) {
        ssize_t count = 0;
        if (buffers.size() == 1) {
            // send() spares the kernel the copy of a message header and of its buffer list.
            count = ::send(descriptor, buffers[0].iov_base, buffers[0].iov_len, flags);
        } else {
            msghdr message{};
            message.msg_iov = const_cast<iovec*>(buffers.data());
            message.msg_iovlen = buffers.size();
            count = ::sendmsg(descriptor, &message, flags);
        }
        if (count > 0) return {IoResult::Status::done, static_cast<std::size_t>(count)};
        if (count < 0 && errno == EINTR) continue;
        // Nothing was written though nothing failed: only for empty buffers, which nobody offers.
        return count == 0 ? IoResult{IoResult::Status::would_block} : result_of(count);
    }
}

void TcpStream::cancel() noexcept {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void TcpStream::shutdown_write() noexcept {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void TcpStream::close() noexcept {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace parley::transports
