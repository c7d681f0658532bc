#include "transports/later_answer.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

namespace parley::transports {

void LaterAnswer::give(HttpResponse&& response) {
    if (finished_) return;
    response_ = std::move(response);
    finish();
}

void LaterAnswer::give_up() {
    if (!finished_) finish();
}

void LaterAnswer::finish() {
    finished_ = true;
    // Posted: whoever answers is in the middle of a turn of the shard, or of a timer.
    if (wake_) boost::asio::post(executor_, std::exchange(wake_, nullptr));
}

Awaitable<std::optional<HttpResponse>> LaterAnswer::wait() {
    if (!finished_) {
        constexpr boost::asio::use_awaitable_t<Executor> token;
        co_await boost::asio::async_initiate<decltype(token), void()>(
            [this](auto&& handler) {
                // A function is copied where a coroutine's handler can only be moved.
                auto kept = std::make_shared<std::decay_t<decltype(handler)>>(std::move(handler));
                wake_ = [kept] { std::move (*kept)(); };
            },
            token);
    }
    co_return std::move(response_);
}

}  // namespace parley::transports
