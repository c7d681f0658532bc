// http_write: what an HTTP connection has to say, into its stream, for as long as its reader takes it.
//
// Path:     HttpConnection, http_relay → [http_write] → Stream
// Runs on:  its shard, within the connection's coroutine.
// Owned by: nobody; functions.
// Bounds:   http.write_timeout for every write_progress_bytes; linger_bytes_max and linger_time at the
//           end.
//
// A `Carrier` here has io(), gate(), arm(time), overdue() and wait_at(point, time): HttpConnection.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "transports/executor.hpp"
#include "transports/gate.hpp"
#include "transports/http_body.hpp"
#include "transports/tcp_stream.hpp"

namespace parley::transports {

// How much of an answer buys its reader http.write_timeout, and of a body its sender
// http.body_timeout.
inline constexpr std::size_t write_progress_bytes = 64 * 1024;
// Bytes and time that a client gets to read a refusal while it is still sending: closing over
// unread bytes would reset the connection and take the answer with it (RFC 9112, 9.6).
inline constexpr std::size_t linger_bytes_max = 256 * 1024;
inline constexpr std::chrono::milliseconds linger_time{1'000};

// Takes off both, one after the other, what the peer takes now. `done`: that was all.
template <typename Stream>
[[nodiscard]] IoResult::Status write_ready(Stream& stream, std::string_view& head,
                                           std::string_view& content) noexcept {
    while (!head.empty() || !content.empty()) {
        std::array<iovec, 2> buffers;
        std::size_t count = 0;
        if (!head.empty()) buffers[count++] = buffer_of(head);
        if (!content.empty()) buffers[count++] = buffer_of(content);
        const IoResult written = stream.try_write(std::span(buffers).first(count));
        if (written.status != IoResult::Status::done) return written.status;
        const std::size_t of_head = std::min(written.bytes, head.size());
        head.remove_prefix(of_head);
        content.remove_prefix(written.bytes - of_head);
    }
    return IoResult::Status::done;
}

// Writes all of both. False: the connection is to end.
template <typename Carrier>
[[nodiscard]] Awaitable<bool> write_all(Carrier& to, std::string_view head,
                                        std::string_view content) {
    std::size_t progress = write_progress_bytes;
    for (;;) {
        const std::size_t before = head.size() + content.size();
        const IoResult::Status status = write_ready(to.io(), head, content);
        if (status == IoResult::Status::done) co_return true;
        if (status != IoResult::Status::would_block) co_return false;
        progress += before - head.size() - content.size();
        // A byte now and then does not keep an answer waiting for good.
        if (progress >= write_progress_bytes) {
            progress = 0;
            to.arm(to.gate().config().write_timeout);
        }
        const auto [error] = co_await to.io().wait_writable(await_tuple);
        if (to.overdue()) to.gate().shard().metrics().add(core::Metric::http_write_timeouts);
        if (error || to.overdue()) co_return false;
    }
}

// The body from where it lies, a chunk ahead of what is being written. What can't be had any more
// ends the connection: its length is said already. False: it is to end.
template <typename Carrier>
[[nodiscard]] Awaitable<bool> write_source(Carrier& to, BodySource& source) {
    std::uint64_t left = source.length();
    if (left > 0) source.ask();
    while (left > 0) {
        if (!source.ready()) {
            const bool open =
                co_await to.wait_at(source.waiting(), to.gate().config().write_timeout);
            if (!open) co_return false;
        }
        const std::string bytes = source.take();
        if (bytes.empty() || bytes.size() > left) co_return false;
        left -= bytes.size();
        if (left > 0) source.ask();
        const bool written = co_await write_all(to, {}, bytes);
        if (!written) co_return false;
    }
    co_return true;
}

// Ends what is written and hears the client out, before the socket is closed.
template <typename Carrier>
[[nodiscard]] Awaitable<void> hear_out(Carrier& to) {
    to.io().shutdown_write();
    to.arm(linger_time);
    std::size_t dropped = 0;
    while (dropped < linger_bytes_max) {
        const IoResult read = to.io().try_read(to.gate().thread().receive_buffer());
        if (read.status == IoResult::Status::done) {
            dropped += read.bytes;
            continue;
        }
        if (read.status != IoResult::Status::would_block) co_return;
        const auto [error] = co_await to.io().wait_readable(await_tuple);
        if (error || to.overdue()) co_return;
    }
}

}  // namespace parley::transports
