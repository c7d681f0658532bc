#include "transports/later_answer.hpp"

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
    waiting_.wake();
}

Awaitable<std::optional<HttpResponse>> LaterAnswer::wait() {
    if (!finished_) co_await waiting_.wait();
    co_return std::move(response_);
}

}  // namespace parley::transports
