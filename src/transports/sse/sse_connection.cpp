#include "transports/sse/sse_connection.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <utility>

#include "core/shard.hpp"
#include "protocol/sse.hpp"
#include "transports/gate.hpp"
#include "transports/http_connection.hpp"
#include "transports/rate_limit_headers.hpp"
#include "transports/rest/rest_answers.hpp"
#include "transports/sse/sse_format.hpp"
#include "transports/sse/sse_words.hpp"
#include "transports/write_frames.hpp"

namespace parley::transports {
namespace {

using boost::asio::ip::tcp;

// For a stream that ends before its room has answered.
constexpr std::chrono::seconds stream_retry_after{1};

// Half to three halves of it, so that those who lost a server don't come back as one.
std::uint64_t jittered(std::chrono::milliseconds time, std::mt19937_64& random) {
    std::uniform_int_distribution<std::int64_t> draw(time.count() / 2, time.count() * 3 / 2);
    return static_cast<std::uint64_t>(draw(random));
}

}  // namespace

template <typename Stream>
SseConnection<Stream>::SseConnection(Gate& gate, Stream stream, SseAsk ask)
    : Transport(ask.chunked ? sse_chunked : sse_bare),
      Timer([](Timer& timer) noexcept { static_cast<SseConnection&>(timer).on_timer(); }),
      gate_(&gate),
      stream_(std::move(stream)),
      ask_(std::make_unique<SseAsk>(std::move(ask))) {}

template <typename Stream>
bool SseConnection<Stream>::chunked() const noexcept {
    return &traits() == &sse_chunked;
}

// ---- opening ---------------------------------------------------------------------------------

template <typename Stream>
void SseConnection<Stream>::open() {
    const Pointer self(this);
    intrusive_ptr_add_ref(this);  // the gate's list; end() or give_back() drops it
    gate_->add(*this);
    subscriber_ = core::Subscriber::open(gate_->shard(), *this, ask_->who);
    if (const auto refusal = subscriber_->admit()) return refuse(answer_error(*refusal));
    protocol::Join join;
    join.room = ask_->room;
    join.since = ask_->since;
    // Behind a cursor everything counts that is retained, also where that does not reach back to it.
    join.history = ask_->since ? std::numeric_limits<std::uint32_t>::max() : ask_->history;
    gate_->arm(*this, gate_->now() + gate_->config().answer_timeout);
    // A copy: where this shard is the room's home, the answer comes within the call and ends ask_.
    const core::Listening how = ask_->how;
    subscriber_->join(std::move(join), how);
    wait_readable();
}

// The room has answered, and its answer decides how the stream begins.
template <typename Stream>
void SseConnection<Stream>::begin(const core::JoinedReply& reply) {
    std::string& words = outbox_.words();
    words += ask_->head;
    HttpResponse limits;
    add_limits(limits);
    append_header_lines(words, limits);
    words += "\r\n";
    std::string& events = gate_->thread().scratch();
    append_beginning(events, reply, ask_->since,
                     jittered(gate_->config().sse_retry, gate_->shard().random()));
    if (!reply.history.empty()) {
        backlog_ = std::make_unique<SseBacklog>(reply.history, *traits().format);
    }
    ask_.reset();
    say(events);
    write_backlog();
    arm_heartbeat();
}

template <typename Stream>
void SseConnection<Stream>::refuse(HttpResponse response) noexcept {
    if (lost_ || ended_ || closing_) return;
    closing_ = true;
    gate_->thread().defer([self = Pointer(this), answer = std::move(response)]() mutable {
        if (!self->lost_ && !self->ended_) self->give_back(answer);
    });
}

// What is left of the buckets that the request took from.
template <typename Stream>
void SseConnection<Stream>::add_limits(HttpResponse& response) const {
    const core::Shard& shard = gate_->shard();
    add_rate_limit(response, subscriber_->buckets(), shard.config().limits, gate_->now());
}

// There will be no stream: HTTP goes on where it was, with a refusal.
template <typename Stream>
void SseConnection<Stream>::give_back(HttpResponse& response) {
    ended_ = true;
    stream_.cancel();
    add_limits(response);
    leave(core::close_reasons::normal);
    resume_http(*gate_, std::move(stream_), ask_->hop,
                {std::move(ask_->request), std::move(response), std::move(ask_->following)});
    // Off the gate's list only once HTTP is on it: a drain ends when nobody is left.
    gate_->thread().defer([self = Pointer(this)] {
        self->gate_->remove(*self);
        intrusive_ptr_release(self.get());
    });
}

// ---- the peer --------------------------------------------------------------------------------

template <typename Stream>
void SseConnection<Stream>::wait_readable() {
    stream_.wait_readable(
        [self = Pointer(this)](const boost::system::error_code&) { self->on_readable(); });
}

// It has nothing to say but that it is gone. What it says nevertheless is read all the same, or its
// going would not be seen.
template <typename Stream>
void SseConnection<Stream>::on_readable() {
    if (lost_ || ended_) return;
    const IoResult read = stream_.try_read(gate_->thread().receive_buffer());
    switch (read.status) {
        case IoResult::Status::done:
            if (ask_) ask_->following.append(gate_->thread().receive_buffer().data(), read.bytes);
            discarded_ += static_cast<std::uint32_t>(read.bytes);
            if (discarded_ > discarded_bytes_max) return end(core::close_reasons::policy);
            break;
        case IoResult::Status::would_block:
            break;
        case IoResult::Status::ended:
        case IoResult::Status::failed:
            return end(closing_ && reason_ != nullptr ? *reason_ : core::close_reasons::vanished);
    }
    wait_readable();
}

// ---- writing ---------------------------------------------------------------------------------

template <typename Stream>
void SseConnection<Stream>::wait_writable() {
    if (waiting_writable_) return;
    waiting_writable_ = true;
    progress_ = gate_->now();
    stream_.wait_writable(
        [self = Pointer(this)](const boost::system::error_code&) { self->on_writable(); });
}

template <typename Stream>
void SseConnection<Stream>::on_writable() {
    waiting_writable_ = false;
    if (ended_ || lost_) return;
    transmit();
    write_backlog();
    if (waiting_writable_ || lost_) return;
    if (closing_) return go_on_closing();
    if (std::exchange(core_waits_, false)) subscriber_->writable();
}

// Says something of its own: behind the frame that was begun, ahead of those that were not.
template <typename Stream>
void SseConnection<Stream>::say(std::string_view events) {
    if (chunked()) {
        append_chunk(outbox_.words(), events);
    } else {
        outbox_.words() += events;
    }
    transmit();
}

template <typename Stream>
void SseConnection<Stream>::transmit() noexcept {
    if (lost_ || ended_ || waiting_writable_) return;
    std::array<iovec, Outbox::buffers_max> buffers;
    const std::size_t count = outbox_.buffers(buffers);
    if (count == 0) return;
    const IoResult result = stream_.try_write(std::span(buffers).first(count));
    if (result.status == IoResult::Status::failed) return lost();
    gate_->shard().metrics().add(core::Metric::bytes_written, result.bytes);
    static_cast<void>(outbox_.sent(result.bytes));
    if (!outbox_.empty()) wait_writable();
}

// What is unsent, and behind it the frames, as many as are taken. Gives back how many were, the one
// that was begun included; a stream that failed takes them all.
template <typename Stream>
std::size_t SseConnection<Stream>::write_frames(
    std::span<const core::Frame* const> frames) noexcept {
    if (waiting_writable_) return 0;
    const FramesWritten written = transports::write_frames(stream_, outbox_, frames);
    gate_->shard().metrics().add(core::Metric::bytes_written, written.bytes);
    if (written.failed) {
        lost();
        return frames.size();
    }
    if (written.blocked) wait_writable();
    return written.taken;
}

template <typename Stream>
core::WriteResult SseConnection<Stream>::write_some(
    std::span<const core::Frame* const> frames) noexcept {
    if (closing_ || lost_ || ended_) return {frames.size(), false};
    const std::size_t taken = waiting_writable_ || backlog_ ? 0 : write_frames(frames);
    const bool blocked = waiting_writable_ || backlog_;
    if (blocked) core_waits_ = true;
    return {taken, blocked};
}

// The history that the stream begins with, and behind it what it has lagged by meanwhile.
template <typename Stream>
void SseConnection<Stream>::write_backlog() noexcept {
    while (backlog_ && !waiting_writable_ && !lost_ && !ended_ && !closing_) {
        const SseBacklog::Batch batch = backlog_->next();
        backlog_->written(write_frames(batch.frames()));
        if (!backlog_->done()) continue;
        const auto written = std::move(backlog_);
        if (written->gap()) say_gap(*written->gap());
    }
}

template <typename Stream>
void SseConnection<Stream>::say_gap(const protocol::Gap& gap) {
    std::string event;
    append_gap(event, gap);
    say(event);
}

template <typename Stream>
void SseConnection<Stream>::reply(const core::Reply& reply) noexcept {
    if (lost_ || ended_ || closing_) return;
    if (const auto* joined = std::get_if<core::JoinedReply>(&reply.message)) return begin(*joined);
    if (const auto* error = std::get_if<protocol::Error>(&reply.message); error && ask_) {
        return refuse(answer_error(*error));
    }
    if (ask_) return;  // `welcome`: the stream has not begun
    // Nothing else is said unasked, and there is nobody to ask.
    if (const auto* gap = std::get_if<protocol::Gap>(&reply.message)) {
        // Its id would have a client that is cut off resume behind what it was never sent.
        return backlog_ ? backlog_->add_gap(*gap) : say_gap(*gap);
    }
    if (const auto* removed = std::get_if<protocol::Removed>(&reply.message)) {
        std::string events;
        append_removed(events, *removed);
        say(events);
        return close(core::close_reasons::forbidden);
    }
    if (const auto* drain = std::get_if<protocol::Drain>(&reply.message)) {
        std::string events;
        append_drain(events, *drain);
        say(events);
    }
}

// Nothing is to be ended from within a call of the core: it may be iterating over its sessions.
template <typename Stream>
void SseConnection<Stream>::lost() noexcept {
    lost_ = true;
    gate_->thread().defer([self = Pointer(this)] {
        self->end(self->reason_ != nullptr ? *self->reason_ : core::close_reasons::vanished);
    });
}

// ---- ending ----------------------------------------------------------------------------------

template <typename Stream>
void SseConnection<Stream>::close(const core::CloseReason& reason) noexcept {
    if (closing_ || lost_ || ended_) return;
    if (ask_) return refuse(unavailable(stream_retry_after, reason.text));
    closing_ = true;
    for (const core::CloseReason& known : core::all_close_reasons) {
        if (known.code == reason.code) reason_ = &known;
    }
    if (reason.code != core::close_reasons::draining.code) {
        // `drain` was said already. Here the last event says why.
        std::string event;
        append_goodbye(event, reason);
        say(event);
    }
    if (chunked() && !lost_) outbox_.words() += last_chunk;
    gate_->arm(*this, gate_->now() + gate_->config().close_timeout);
    gate_->thread().defer([self = Pointer(this)] { self->go_on_closing(); });
}

// The session has ended; the connection follows once its last words have left. From the loop only.
template <typename Stream>
void SseConnection<Stream>::go_on_closing() noexcept {
    if (ended_ || lost_ || ask_) return;
    leave(*reason_);
    backlog_.reset();
    transmit();
    if (waiting_writable_ || lost_) return;
    stream_.shutdown_write();
    end(*reason_);
}

template <typename Stream>
void SseConnection<Stream>::leave(const core::CloseReason& reason) noexcept {
    if (!subscriber_) return;
    const auto subscriber = std::move(subscriber_);
    subscriber->closed(reason);
}

template <typename Stream>
void SseConnection<Stream>::end(const core::CloseReason& reason) noexcept {
    if (ended_) return;
    const Pointer self(this);
    ended_ = true;
    cancel();
    stream_.close();  // ends the waits, and with them their references
    gate_->descriptor_closed();
    leave(reason);
    gate_->remove(*this);
    intrusive_ptr_release(this);
}

template <typename Stream>
bool SseConnection<Stream>::announce_drain() noexcept {
    if (subscriber_ && !closing_ && !ask_) subscriber_->announce_drain();
    return false;
}

template <typename Stream>
void SseConnection<Stream>::abort() noexcept {
    if (!ended_ && !lost_) lost();
}

// ---- time ------------------------------------------------------------------------------------

template <typename Stream>
void SseConnection<Stream>::arm_heartbeat() noexcept {
    const auto& config = gate_->config();
    const core::TimePoint beat = gate_->now() + config.sse_heartbeat;
    gate_->arm(*this, waiting_writable_ ? std::min(beat, progress_ + config.write_timeout) : beat);
}

template <typename Stream>
void SseConnection<Stream>::on_timer() noexcept {
    if (lost_ || ended_) return;
    const Pointer self(this);
    if (closing_) return end(*reason_);
    if (ask_) {
        gate_->shard().metrics().add(core::Metric::answers_overdue);
        return refuse(answer_overdue());
    }
    if (!waiting_writable_) {
        say(protocol::sse_heartbeat);
    } else if (gate_->now() >= progress_ + gate_->config().write_timeout) {
        gate_->shard().metrics().add(core::Metric::slow_disconnects);
        return end(core::close_reasons::slow_consumer);
    }
    arm_heartbeat();
}

template class SseConnection<TcpStream>;
template class SseConnection<TlsStream>;

void open_event_stream(Gate& gate, AnyStream stream, SseAsk ask) {
    std::visit(
        [&]<typename Stream>(Stream& concrete) {
            using Opened = SseConnection<Stream>;
            const typename Opened::Pointer connection(
                new Opened(gate, std::move(concrete), std::move(ask)));
            connection->open();
        },
        stream);
}

}  // namespace parley::transports
