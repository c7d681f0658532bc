#include "loadtest/websocket_client.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace parley::load {
namespace {

// The smallest that the kernel gives: a slow reader's window must fill soon.
constexpr int slow_receive_buffer_bytes = 2048;

void set_option(int fd, int level, int name, int value) {
    ::setsockopt(fd, level, name, &value, sizeof value);
}

const sockaddr* as_sockaddr(const SocketAddress& address) {
    return reinterpret_cast<const sockaddr*>(&address.storage);
}

}  // namespace

// Returns 0 or an errno.
int WebSocketClient::start_connecting(const Addresses& addresses) {
    const int family = addresses.server.storage.ss_family;
    fd_ = FileDescriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_.open()) return errno;
    set_option(fd_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (user_.slow()) set_option(fd_.get(), SOL_SOCKET, SO_RCVBUF, slow_receive_buffer_bytes);
    if (!addresses.sources.empty()) {
        const SocketAddress& source = addresses.sources[user_.index() % addresses.sources.size()];
        // The port is chosen by connect(), which may use one again for another destination.
        set_option(fd_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        if (::bind(fd_.get(), as_sockaddr(source), source.length) != 0) return errno;
    }
    if (::connect(fd_.get(), as_sockaddr(addresses.server), addresses.server.length) != 0 &&
        errno != EINPROGRESS) {
        return errno;
    }
    return 0;
}

void WebSocketClient::open(const Addresses& addresses, int epoll, std::int64_t now_ns,
                           bool from_start, UserContext& context) {
    unsent_.clear();
    sent_ = 0;
    connecting_ = true;
    blocked_ = true;
    watching_reads_ = true;
    user_.open(unsent_, now_ns, from_start, context);
    int error = start_connecting(addresses);
    if (error == 0) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
        event.data.u32 = user_.index();
        if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd_.get(), &event) != 0) error = errno;
    }
    if (error != 0) abandon("connect: " + describe_connect_error(error), context);
}

void WebSocketClient::on_writable(int epoll, UserContext& context) {
    if (connecting_) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return abandon("connect: " + describe_connect_error(error), context);
        connecting_ = false;
    }
    flush(epoll, context);
}

std::size_t WebSocketClient::on_readable(std::span<char> buffer, std::int64_t (*clock)() noexcept,
                                         int epoll, UserContext& context) {
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR) return 0;
        abandon("read: " + describe_connect_error(errno), context);
        return 0;
    }
    if (got == 0) {
        abandon("the server closed the connection", context);
        return 0;
    }
    const auto size = static_cast<std::size_t>(got);
    user_.receive(buffer.first(size), clock(), unsent_, context);
    if (unsent() > 0) flush(epoll, context);
    if (user_.state() == VirtualUser::State::closed) fd_.reset();
    return size;
}

void WebSocketClient::publish(std::int64_t intended_ns, UserContext& context) {
    user_.publish(intended_ns, unsent_, context);
}

void WebSocketClient::flush(int epoll, UserContext& context) {
    while (fd_.open() && !connecting_ && unsent() > 0) {
        const ssize_t count =
            ::send(fd_.get(), unsent_.data() + sent_, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN) break;
            // What the server said before it closed may still be unread: reading finds the end.
            unsent_.clear();
            sent_ = 0;
            if (!watching_reads_) abandon("write: " + describe_connect_error(errno), context);
            break;
        }
        sent_ += static_cast<std::size_t>(count);
    }
    if (unsent() == 0) {
        unsent_.clear();
        sent_ = 0;
    } else if (sent_ > backlog_bytes_max) {
        unsent_.erase(0, sent_);
        sent_ = 0;
    }
    const bool blocked = unsent() > 0;
    if (fd_.open() && blocked != blocked_) {
        blocked_ = blocked;
        rearm(epoll);
    }
}

void WebSocketClient::abandon(std::string_view why, UserContext& context) {
    user_.cut_off(why, context);
    fd_.reset();
    connecting_ = false;
}

void WebSocketClient::watch_reads(bool on, int epoll) {
    if (!fd_.open() || on == watching_reads_) return;
    watching_reads_ = on;
    rearm(epoll);
}

void WebSocketClient::rearm(int epoll) {
    epoll_event event{};
    event.events = EPOLLRDHUP;
    if (watching_reads_) event.events |= EPOLLIN;
    if (blocked_) event.events |= EPOLLOUT;
    event.data.u32 = user_.index();
    ::epoll_ctl(epoll, EPOLL_CTL_MOD, fd_.get(), &event);
}

}  // namespace parley::load
