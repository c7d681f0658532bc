#include "transports/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "transports/gate.hpp"
#include "transports/log.hpp"

namespace parley::transports {
namespace {

using boost::asio::ip::tcp;

std::string text_of(const tcp::endpoint& endpoint) {
    std::ostringstream text;
    text << endpoint;
    return text.str();
}

bool is_out_of_resources(int error_number) {
    return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
           error_number == ENOMEM;
}

// Throws std::system_error that names the address.
int listening_socket(const tcp::endpoint& endpoint, int backlog) {
    const int descriptor = ::socket(endpoint.protocol().family(),
                                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    const int on = 1;
    const auto set = [descriptor, &on](int level, int option) {
        return ::setsockopt(descriptor, level, option, &on, sizeof on) == 0;
    };
    // Linux hands TCP_NODELAY down to every accepted socket: one system call less for each.
    const bool listens =
        descriptor >= 0 && set(SOL_SOCKET, SO_REUSEADDR) && set(SOL_SOCKET, SO_REUSEPORT) &&
        set(IPPROTO_TCP, TCP_NODELAY) &&
        (!endpoint.address().is_v6() || set(IPPROTO_IPV6, IPV6_V6ONLY)) &&
        ::bind(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 &&
        ::listen(descriptor, backlog) == 0;
    if (listens) return descriptor;
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    throw std::system_error(error, std::system_category(), "cannot listen on " + text_of(endpoint));
}

}  // namespace

Listener::Listener(Gate& gate, ListenerKind kind)
    : gate_(&gate),
      pause_timer_(
          *this,
          [](core::Timer& timer) noexcept { static_cast<PauseTimer&>(timer).listener->wait(); }),
      kind_(kind) {}

Listener::Listener(Gate& gate, const tcp::endpoint& endpoint, int backlog, ListenerKind kind)
    : Listener(gate, kind) {
    watch_ = watch(gate.thread().reactor(), listening_socket(endpoint, backlog), Interest::reading);
    where_ = text_of(this->endpoint());
    wait();
}

// SO_REUSEPORT is not to be had for a socket that is there already, so every shard waits on the one
// queue: a connection wakes several, one gets it, and the others find nothing (accept4: EAGAIN).
Listener::Listener(Gate& gate, int listening, ListenerKind kind) : Listener(gate, kind) {
    const int own = ::fcntl(listening, F_DUPFD_CLOEXEC, 0);
    if (own < 0) throw std::system_error(errno, std::system_category(), "an inherited socket");
    watch_ = watch(gate.thread().reactor(), own, Interest::reading);
    const int on = 1;
    if (::fcntl(own, F_SETFL, O_NONBLOCK) != 0 ||
        ::setsockopt(own, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
        throw std::system_error(errno, std::system_category(), "an inherited socket");
    }
    where_ = text_of(endpoint());
    wait();
}

tcp::endpoint Listener::endpoint() const {
    tcp::endpoint endpoint;
    auto length = static_cast<socklen_t>(endpoint.capacity());
    if (::getsockname(watch_->descriptor(), endpoint.data(), &length) != 0) {
        throw std::system_error(errno, std::generic_category(), "getsockname");
    }
    endpoint.resize(length);
    return endpoint;
}

void Listener::close() noexcept {
    pause_timer_.cancel();
    watch_.reset();
}

void Listener::resume() noexcept {
    if (!pause_timer_.armed()) return;
    pause_timer_.cancel();
    wait();
}

void Listener::wait() {
    watch_->wait_readable([this](const boost::system::error_code& error) {
        // The listener may be gone where the wait was cancelled, and closed where it was over.
        if (error || !watch_) return;
        accept_round();
    });
}

void Listener::accept_round() {
    for (int i = 0; i < accepts_per_round; ++i) {
        sockaddr_storage address{};
        socklen_t length = sizeof address;
        const int descriptor =
            ::accept4(watch_->descriptor(), reinterpret_cast<sockaddr*>(&address), &length,
                      SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            pause_logged_ = false;
            tcp::endpoint peer;
            peer.resize(length);
            std::memcpy(peer.data(), &address, length);
            gate_->accepted(descriptor, peer, kind_);
            if (!watch_) return;
            continue;
        }
        if (is_out_of_resources(errno)) return pause(errno);
        if (errno == EAGAIN) {
            watch_->drained();
            break;
        }
        // What is left are faults of the one connection (accept(2)): the next may be well.
    }
    wait();
}

void Listener::pause(int error_number) {
    gate_->shard().metrics().add(core::Metric::accept_pauses);
    // It may take long, and ten lines a second would tell nothing more.
    if (!std::exchange(pause_logged_, true)) {
        log::warn("accepting pauses", {{"reason", std::generic_category().message(error_number)},
                                       {"listen", where_},
                                       {"pause_ms", accept_pause.count()}});
    }
    gate_->arm(pause_timer_, gate_->now() + accept_pause);
}

}  // namespace parley::transports
