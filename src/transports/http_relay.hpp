// http_relay: a request's body on its way to whoever takes it, as it comes.
//
// Path:     Stream → HttpParser → [http_relay] → BodySink
// Runs on:  its shard, within the connection's coroutine.
// Owned by: nobody; functions.
// Bounds:   one read at a time, none while the sink is behind; http.body_timeout for every
//           write_progress_bytes.
//
// A `Carrier` here is one of http_write, and has parser() and take(bytes): HttpConnection.
#pragma once

#include <boost/asio/post.hpp>
#include <span>
#include <string>
#include <utility>

#include "transports/http_parse.hpp"
#include "transports/http_write.hpp"

namespace parley::transports {

// Reads of a body before the loop may see to others.
inline constexpr unsigned relayed_reads_per_round = 16;

// Waits until the sink takes more. False: it will not.
template <typename Carrier>
[[nodiscard]] Awaitable<bool> catch_up(Carrier& from, BodySink& sink, std::size_t& progress) {
    while (sink.behind() && !sink.answered()) {
        // Not within the condition: GCC 12 then lays out the coroutine's frame in two ways.
        const bool open = co_await from.wait_at(sink.waiting(), from.gate().config().body_timeout);
        if (!open) co_return false;
        progress = 0;
        from.arm(from.gate().config().body_timeout);
    }
    co_return !sink.answered();
}

// From the end of the request's head to the body's. False: it does not come to it.
template <typename Carrier>
[[nodiscard]] Awaitable<bool> relay_body(Carrier& from, BodySink& sink) {
    std::size_t progress = 0;  // bytes since the deadline was set
    const bool ready = co_await catch_up(from, sink, progress);
    if (!ready) co_return false;
    if (from.parser().take_expect_continue()) {
        const bool written = co_await write_all(from, "HTTP/1.1 100 Continue\r\n\r\n", {});
        if (!written) co_return false;
    }
    from.arm(from.gate().config().body_timeout);
    progress = 0;
    unsigned reads = 0;
    auto status = from.take({});
    for (;;) {
        if (status == HttpParser::Status::refused) co_return false;
        if (std::string bytes = from.parser().take_body(); !bytes.empty()) {
            progress += bytes.size();
            sink.take(std::move(bytes));
        }
        const bool goes_on = co_await catch_up(from, sink, progress);
        if (!goes_on) co_return false;
        if (status == HttpParser::Status::complete) co_return true;
        // A byte now and then does not keep a body coming for good.
        if (progress >= write_progress_bytes) {
            progress = 0;
            from.arm(from.gate().config().body_timeout);
        }
        // Who sends as fast as it is read is not all that the shard has to do.
        if (++reads % relayed_reads_per_round == 0) {
            co_await boost::asio::post(from.gate().thread().executor(), await_tuple);
            if (!from.io().is_open() || from.overdue()) co_return false;
        }
        const std::span<char> buffer = from.gate().thread().receive_buffer();
        const IoResult read = from.io().try_read(buffer);
        if (read.status == IoResult::Status::done) {
            status = from.take(buffer.first(read.bytes));
            continue;
        }
        if (read.status != IoResult::Status::would_block) co_return false;
        const auto [error] = co_await from.io().wait_readable(await_tuple);
        if (error || from.overdue()) co_return false;
    }
}

}  // namespace parley::transports
