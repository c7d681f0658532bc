#include "loadtest/line.hpp"

#include <sys/epoll.h>

#include <cerrno>

namespace parley::load {
namespace {

// What a user's writing keeps between two messages; a request head and a body fit.
constexpr std::size_t unsent_bytes_kept = 1024;
// Of a long backlog, what was sent is dropped in steps of this.
constexpr std::size_t sent_bytes_kept = std::size_t{1} << 20;

}  // namespace

std::string Line::open(std::uint64_t tag, std::uint32_t number, int receive_buffer_bytes,
                       const ClientContext& context) {
    tag_ = tag;
    phase_ = Phase::connecting;
    blocked_ = true;
    watching_reads_ = true;
    const auto result =
        stream_.connect(context.addresses, context.tls, number, receive_buffer_bytes);
    if (result == Stream::Result::failed) return "connect: " + stream_.describe_error();
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | edge();
    event.data.u64 = tag_;
    if (::epoll_ctl(context.epoll, EPOLL_CTL_ADD, stream_.fd(), &event) != 0) {
        return "connect: " + describe_connect_error(errno);
    }
    return {};
}

std::string Line::on_writable(const ClientContext& context) {
    if (phase_ == Phase::connecting) {
        if (stream_.finish_connecting() == Stream::Result::failed) {
            return "connect: " + stream_.describe_error();
        }
        phase_ = Phase::securing;
    }
    if (phase_ == Phase::securing) return secure(context);
    return flush(context);
}

std::string Line::on_readable(const ClientContext& context) {
    return phase_ == Phase::securing ? secure(context) : std::string();
}

std::string Line::secure(const ClientContext& context) {
    switch (stream_.secure()) {
        case Stream::Result::done:
            phase_ = Phase::open;
            return flush(context);
        case Stream::Result::want_read:
            block(false, context);
            return {};
        case Stream::Result::want_write:
            block(true, context);
            return {};
        case Stream::Result::ended:
            return "the server closed the connection in the TLS handshake";
        case Stream::Result::failed:
            break;
    }
    return "secure: " + stream_.describe_error();
}

std::string Line::flush(const ClientContext& context) {
    bool blocked = false;
    while (ready() && unsent() > 0 && !blocked) {
        const auto [result, bytes] = stream_.write(std::string_view(unsent_).substr(sent_));
        sent_ += bytes;
        blocked = result == Stream::Result::want_write || result == Stream::Result::want_read;
        if (result != Stream::Result::ended && result != Stream::Result::failed) continue;
        // What the server said before it closed may still be unread: reading finds the end.
        drop_unsent();
        if (!watching_reads_) return "write: " + stream_.describe_error();
    }
    drop_sent();
    if (ready()) block(blocked, context);
    return {};
}

void Line::drop_unsent() {
    unsent_.clear();
    sent_ = 0;
}

void Line::drop_sent() {
    if (unsent() == 0) {
        if (unsent_.capacity() > unsent_bytes_kept) {
            unsent_ = std::string();
        } else {
            unsent_.clear();
        }
        sent_ = 0;
    } else if (sent_ > sent_bytes_kept) {
        unsent_.erase(0, sent_);
        sent_ = 0;
    }
}

void Line::block(bool blocked, const ClientContext& context) {
    if (blocked == blocked_) return;
    blocked_ = blocked;
    rearm(context);
}

void Line::watch_reads(bool on, const ClientContext& context) {
    if (!connected() || on == watching_reads_) return;
    watching_reads_ = on;
    rearm(context);
}

// Where it may be, an event is told once: else the kernel looks at each socket again in the next
// epoll_wait(), though it was emptied.
std::uint32_t Line::edge() const noexcept {
    return stream_.short_read_empties() ? static_cast<std::uint32_t>(EPOLLET) : 0;
}

void Line::rearm(const ClientContext& context) {
    epoll_event event{};
    event.events = EPOLLRDHUP | edge();
    if (watching_reads_) event.events |= EPOLLIN;
    if (blocked_) event.events |= EPOLLOUT;
    event.data.u64 = tag_;
    ::epoll_ctl(context.epoll, EPOLL_CTL_MOD, stream_.fd(), &event);
}

}  // namespace parley::load
