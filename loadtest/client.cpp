#include "loadtest/client.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

namespace parley::load {
namespace {

// The smallest that the kernel gives: a slow reader's window must fill soon.
constexpr int slow_receive_buffer_bytes = 2048;
// What a user's writing keeps between two messages; a request head and a body fit.
constexpr std::size_t unsent_bytes_kept = 1024;

}  // namespace

void Client::open(std::int64_t now_ns, bool from_start, ClientContext& context) {
    unsent_.clear();
    sent_ = 0;
    watching_reads_ = true;
    user_.open(unsent_, now_ns, from_start, context.users);
    connect(context);
}

void Client::connect(ClientContext& context) {
    phase_ = Phase::connecting;
    blocked_ = true;
    const auto result = stream_.connect(context.addresses, context.tls, user_.index(),
                                        user_.slow() ? slow_receive_buffer_bytes : 0);
    if (result == Stream::Result::failed) {
        return abandon("connect: " + stream_.describe_error(), context);
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
    event.data.u32 = user_.index();
    if (::epoll_ctl(context.epoll, EPOLL_CTL_ADD, stream_.fd(), &event) != 0) {
        abandon("connect: " + describe_connect_error(errno), context);
    }
}

// The connection ended where it might: the same user goes on over a fresh one.
void Client::reconnect(ClientContext& context) {
    stream_.close();
    unsent_.clear();
    sent_ = 0;
    user_.reopen(unsent_, context.users);
    connect(context);
}

void Client::on_writable(ClientContext& context) {
    if (phase_ == Phase::connecting) {
        if (stream_.finish_connecting() == Stream::Result::failed) {
            return abandon("connect: " + stream_.describe_error(), context);
        }
        phase_ = Phase::securing;
    }
    if (phase_ == Phase::securing) return secure(context);
    flush(context);
}

void Client::secure(ClientContext& context) {
    switch (stream_.secure()) {
        case Stream::Result::done:
            phase_ = Phase::open;
            if (stream_.resumed()) ++user_.tally(context.users).resumed_tls;
            return flush(context);
        case Stream::Result::want_read:
            return block(false, context);
        case Stream::Result::want_write:
            return block(true, context);
        case Stream::Result::ended:
            return abandon("the server closed the connection in the TLS handshake", context);
        case Stream::Result::failed:
            return abandon("secure: " + stream_.describe_error(), context);
    }
}

std::size_t Client::on_readable(ClientContext& context, std::size_t bytes_max) {
    if (phase_ == Phase::securing) secure(context);
    if (phase_ != Phase::open) return 0;
    const std::size_t size_max = std::min(context.buffer.size(), bytes_max);
    std::size_t sum = 0;
    do {
        const auto [result, bytes] = stream_.read(context.buffer.first(size_max));
        if (result == Stream::Result::ended || result == Stream::Result::failed) {
            on_end(result == Stream::Result::ended ? "the server closed the connection"
                                                   : "read: " + stream_.describe_error(),
                   context);
            break;
        }
        if (bytes == 0) break;
        sum += bytes;
        take(bytes, context);
        // Of what TLS has read ahead no readiness would tell.
    } while (sum < bytes_max && phase_ == Phase::open && stream_.holds_bytes());
    return sum;
}

void Client::take(std::size_t size, ClientContext& context) {
    user_.receive(context.buffer.first(size), context.clock(), unsent_, context.users);
    if (unsent() > 0) flush(context);
    if (user_.state() == VirtualUser::State::closed) {
        stream_.close();
    } else if (user_.reconnects()) {
        reconnect(context);
    }
}

void Client::on_end(const std::string& why, ClientContext& context) {
    if (user_.state() == VirtualUser::State::ready && user_.resumes()) return reconnect(context);
    abandon(why, context);
}

void Client::publish(const Stamp& message, ClientContext& context) {
    user_.publish(message, unsent_, context.users);
}

void Client::leave(ClientContext& context) {
    user_.leave(unsent_, context.users);
    if (user_.state() == VirtualUser::State::closed) stream_.close();
}

void Client::flush(ClientContext& context) {
    bool blocked = false;
    while (stream_.open() && phase_ == Phase::open && unsent() > 0 && !blocked) {
        const auto [result, bytes] = stream_.write(std::string_view(unsent_).substr(sent_));
        sent_ += bytes;
        blocked = result == Stream::Result::want_write || result == Stream::Result::want_read;
        if (result != Stream::Result::ended && result != Stream::Result::failed) continue;
        // What the server said before it closed may still be unread: reading finds the end.
        unsent_.clear();
        sent_ = 0;
        if (!watching_reads_) return abandon("write: " + stream_.describe_error(), context);
    }
    drop_sent();
    if (stream_.open() && phase_ == Phase::open) block(blocked, context);
}

void Client::drop_sent() {
    if (unsent() == 0) {
        if (unsent_.capacity() > unsent_bytes_kept) {
            unsent_ = std::string();
        } else {
            unsent_.clear();
        }
        sent_ = 0;
    } else if (sent_ > backlog_bytes_max) {
        unsent_.erase(0, sent_);
        sent_ = 0;
    }
}

void Client::abandon(std::string_view why, ClientContext& context) {
    user_.cut_off(why, context.users);
    stream_.close();
    unsent_.clear();
    sent_ = 0;
}

void Client::block(bool blocked, ClientContext& context) {
    if (blocked == blocked_) return;
    blocked_ = blocked;
    rearm(context);
}

void Client::watch_reads(bool on, ClientContext& context) {
    if (!stream_.open() || on == watching_reads_) return;
    watching_reads_ = on;
    rearm(context);
    // What TLS has taken off the socket already wakes nobody.
    if (on && stream_.holds_bytes()) on_readable(context);
}

void Client::rearm(ClientContext& context) {
    epoll_event event{};
    event.events = EPOLLRDHUP;
    if (watching_reads_) event.events |= EPOLLIN;
    if (blocked_) event.events |= EPOLLOUT;
    event.data.u32 = user_.index();
    ::epoll_ctl(context.epoll, EPOLL_CTL_MOD, stream_.fd(), &event);
}

}  // namespace parley::load
