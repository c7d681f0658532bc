#include "transports/wait_point.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

namespace parley::transports {

void WaitPoint::wake() {
    if (wake_) boost::asio::post(executor_, std::exchange(wake_, nullptr));
}

Awaitable<void> WaitPoint::wait() {
    constexpr boost::asio::use_awaitable_t<Executor> token;
    co_await boost::asio::async_initiate<decltype(token), void()>(
        [this](auto&& handler) {
            // A function is copied where a coroutine's handler can only be moved.
            auto kept = std::make_shared<std::decay_t<decltype(handler)>>(std::move(handler));
            wake_ = [kept] { std::move (*kept)(); };
        },
        token);
}

}  // namespace parley::transports
