#include "transports/reactor.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <limits>
#include <system_error>

namespace parley::transports {

Reactor::Reactor(const Executor& executor)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), executor_(executor) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll");
}

Reactor::~Reactor() {
    ::close(epoll_);
}

void Reactor::wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    int wait_ms = -1;
    if (timeout) {
        const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
        wait_ms =
            static_cast<int>(std::clamp<std::int64_t>(rounded, 0, std::numeric_limits<int>::max()));
    }
    // Interrupted by a signal it reports nothing, and the loop comes round again.
    count_ = ::epoll_wait(epoll_, events_.data(), events_max, wait_ms);
}

void Reactor::dispatch() {
    dispatching_ = true;
    for (int i = 0; i < count_; ++i) {
        const epoll_event& event = events_[static_cast<std::size_t>(i)];
        static_cast<Watch*>(event.data.ptr)->happened(event.events);
    }
    dispatching_ = false;
    for (Watch* watch : gone_) delete watch;
    gone_.clear();
}

Watch::Watch(Reactor& reactor, int descriptor, Interest interest)
    : reactor_(&reactor), descriptor_(descriptor), interest_(interest) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    if (interest == Interest::both) event.events |= EPOLLOUT;
    event.data.ptr = this;
    if (::epoll_ctl(reactor.epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0) return;
    const int error = errno;
    ::close(descriptor);
    throw std::system_error(error, std::generic_category(), "a descriptor can't be watched");
}

void Watch::happened(std::uint32_t events) {
    if (descriptor_ < 0) return;  // closed by what an earlier event brought forth
    constexpr std::uint32_t ended = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if ((events & ended) != 0) hung_up_ = true;
    if ((events & (EPOLLIN | ended)) != 0) may_read_ = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) may_write_ = true;
    // Any of them may close this; it is freed only behind the last event.
    if (may_write_ && writers_ && writers_->write) writers_->write({});
    if (may_write_ && writers_ && writers_->write_to_read) writers_->write_to_read({});
    if (may_read_ && read_) read_({});
}

void Watch::cancel() noexcept {
    abort(read_);
    if (!writers_) return;
    abort(writers_->write);
    abort(writers_->write_to_read);
}

int Watch::release() noexcept {
    cancel();
    ::epoll_ctl(reactor_->epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
    return std::exchange(descriptor_, -1);
}

void Watch::abort(WaitHandler& handler) noexcept {
    if (!handler) return;
    boost::asio::post(executor(), [handler = std::move(handler)]() mutable {
        handler(boost::asio::error::operation_aborted);
    });
}

void Watch::close() noexcept {
    if (descriptor_ < 0) return;  // released
    cancel();
    // Closing takes it out of the epoll set, too, but for a socket that others hold: an inherited
    // listener would go on to report events here.
    if (interest_ == Interest::reading) {
        ::epoll_ctl(reactor_->epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
    }
    ::close(std::exchange(descriptor_, -1));
}

void WatchDeleter::operator()(Watch* watch) const noexcept {
    watch->close();
    Reactor& reactor = *watch->reactor_;
    if (reactor.dispatching_) {
        reactor.gone_.push_back(watch);
    } else {
        delete watch;
    }
}

WatchPtr watch(Reactor& reactor, int descriptor, Interest interest) {
    return WatchPtr(new Watch(reactor, descriptor, interest));
}

}  // namespace parley::transports
