#include "transports/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/ip/v6_only.hpp>
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
using ReusePort = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

std::string text_of(const tcp::endpoint& endpoint) {
    std::ostringstream text;
    text << endpoint;
    return text.str();
}

bool is_out_of_resources(int error_number) {
    return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
           error_number == ENOMEM;
}

}  // namespace

Listener::Listener(Gate& gate)
    : gate_(&gate),
      acceptor_(gate.thread().executor()),
      pause_timer_(*this, [](core::Timer& timer) noexcept {
          static_cast<PauseTimer&>(timer).listener->wait();
      }) {}

Listener::Listener(Gate& gate, const tcp::endpoint& endpoint, int backlog) : Listener(gate) {
    try {
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.set_option(ReusePort(true));
        // Linux hands it down to every accepted socket: one system call less for each.
        acceptor_.set_option(tcp::no_delay(true));
        if (endpoint.address().is_v6()) acceptor_.set_option(boost::asio::ip::v6_only(true));
        acceptor_.non_blocking(true);
        acceptor_.bind(endpoint);
        acceptor_.listen(backlog);
    } catch (const boost::system::system_error& error) {
        throw std::system_error(error.code().value(), std::system_category(),
                                "cannot listen on " + text_of(endpoint));
    }
    where_ = text_of(this->endpoint());
    wait();
}

// SO_REUSEPORT is not to be had for a socket that is there already, so every shard waits on the one
// queue: a connection wakes several, one gets it, and the others find nothing (accept4: EAGAIN).
Listener::Listener(Gate& gate, int listening) : Listener(gate) {
    const int own = ::fcntl(listening, F_DUPFD_CLOEXEC, 0);
    if (own < 0) throw std::system_error(errno, std::system_category(), "an inherited socket");
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockname(own, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
        const int failure = errno;
        ::close(own);
        throw std::system_error(failure, std::system_category(), "an inherited socket");
    }
    acceptor_.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), own);
    acceptor_.set_option(tcp::no_delay(true));
    acceptor_.non_blocking(true);
    where_ = text_of(endpoint());
    wait();
}

tcp::endpoint Listener::endpoint() const {
    return acceptor_.local_endpoint();
}

void Listener::close() noexcept {
    pause_timer_.cancel();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

void Listener::resume() noexcept {
    if (!pause_timer_.armed()) return;
    pause_timer_.cancel();
    wait();
}

void Listener::wait() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](const boost::system::error_code& error) {
        // The listener may be gone where the wait was cancelled.
        if (error) return;
        accept_round();
    });
}

void Listener::accept_round() {
    gate_->thread().refresh_now();
    for (int i = 0; i < accepts_per_round; ++i) {
        sockaddr_storage address{};
        socklen_t length = sizeof address;
        const int descriptor =
            ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&address), &length,
                      SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            pause_logged_ = false;
            tcp::endpoint peer;
            peer.resize(length);
            std::memcpy(peer.data(), &address, length);
            gate_->accepted(descriptor, peer);
            if (!acceptor_.is_open()) return;
            continue;
        }
        if (is_out_of_resources(errno)) return pause(errno);
        if (errno == EAGAIN) break;
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
