// LaterAnswer: the answer to a request that somebody else has to be asked for first, and the
// connection that waits for it.
//
// Path:     Frontend → [LaterAnswer] → HttpConnection
// Runs on:  its connection's shard. Questions under way hold it weakly, on any.
// Owned by: HttpConnection, while it waits.
// Bounds:   one a connection; http.answer_timeout, then the connection answers 503 itself.
#pragma once

#include <optional>

#include "transports/executor.hpp"
#include "transports/http_response.hpp"
#include "transports/wait_point.hpp"

namespace parley::transports {

class LaterAnswer {
public:
    explicit LaterAnswer(Executor executor) noexcept : waiting_(executor) {}
    LaterAnswer(const LaterAnswer&) = delete;
    LaterAnswer& operator=(const LaterAnswer&) = delete;

    // Answers; the connection goes on behind what is ready now. The first call counts, and none
    // that comes after give_up().
    void give(HttpResponse&& response);
    // Ends the waiting without an answer.
    void give_up();
    // For the connection alone, once: what was given, or nothing.
    [[nodiscard]] Awaitable<std::optional<HttpResponse>> wait();

private:
    void finish();

    WaitPoint waiting_;
    std::optional<HttpResponse> response_;
    bool finished_ = false;
};

}  // namespace parley::transports
