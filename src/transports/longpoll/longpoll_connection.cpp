#include "transports/longpoll/longpoll_connection.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/shard.hpp"
#include "protocol/rest_codec.hpp"
#include "transports/gate.hpp"
#include "transports/http_connection.hpp"
#include "transports/longpoll/longpoll_format.hpp"
#include "transports/rate_limit_headers.hpp"
#include "transports/rest/rest_answers.hpp"

namespace parley::transports {
namespace {

using boost::asio::ip::tcp;

// Of frames that are kept until the answer is written; what is beyond is asked of the room's home.
constexpr std::size_t kept_bytes_max = 64 * 1024;
// For a poll that ends before its room has answered.
constexpr std::chrono::seconds poll_retry_after{1};

std::vector<std::string_view> texts_of(std::span<const core::RetainedPtr> messages) {
    std::vector<std::string_view> texts;
    texts.reserve(messages.size());
    for (const auto& message : messages) texts.emplace_back(message->json());
    return texts;
}

}  // namespace

template <typename Stream>
LongPollConnection<Stream>::LongPollConnection(Gate& gate, Stream stream, const tcp::endpoint& hop,
                                               LongPollAsk ask)
    : Transport(longpoll_traits),
      Timer([](Timer& timer) noexcept { static_cast<LongPollConnection&>(timer).on_timer(); }),
      gate_(&gate),
      stream_(std::move(stream)),
      hop_(hop),
      ask_(std::move(ask)),
      deadline_(gate.now() + ask_.wait) {}

template <typename Stream>
void LongPollConnection<Stream>::open() {
    const Pointer self(this);
    intrusive_ptr_add_ref(this);  // the gate's list; end() or give_back() drops it
    gate_->add(*this);
    subscriber_ = core::Subscriber::open(gate_->shard(), *this,
                                         {ask_.address, std::nullopt, true, ask_.user});
    if (const auto refusal = subscriber_->admit()) {
        answer_ = std::make_unique<HttpResponse>(answer_error(*refusal));
        return finish_soon();
    }
    protocol::Join join;
    join.room = ask_.room;
    join.since = ask_.since;
    // Behind a cursor everything counts that is retained, also where that does not reach back to
    // it; the first of it are answered. Without one it is the last that a newcomer wants.
    join.history = ask_.since ? std::numeric_limits<std::uint32_t>::max() : ask_.limit;
    gate_->arm(*this, gate_->now() + gate_->config().answer_timeout);
    subscriber_->join(std::move(join), {core::messages_only, false});
    wait_readable();
}

template <typename Stream>
void LongPollConnection<Stream>::on_timer() noexcept {
    if ((stage_ == Stage::joining || stage_ == Stage::paging) && !answer_) {
        gate_->shard().metrics().add(core::Metric::answers_overdue);
        answer_ = std::make_unique<HttpResponse>(answer_overdue());
    }
    finish_soon();
}

// ---- what the room has -----------------------------------------------------------------------

template <typename Stream>
void LongPollConnection<Stream>::reply(const core::Reply& reply) noexcept {
    if (const auto* joined_reply = std::get_if<core::JoinedReply>(&reply.message)) {
        return joined(*joined_reply);
    }
    if (const auto* page = std::get_if<core::HistoryReply>(&reply.message)) {
        const auto texts = texts_of(page->messages);
        // Another life of the room can't have begun while it is listened to.
        answer_page({page->cursor.epoch, from_.offset + texts.size()}, texts, page->more);
        return finish_soon();
    }
    if (const auto* error = std::get_if<protocol::Error>(&reply.message)) {
        if (stage_ == Stage::paging) {
            // Not retained any more; but it was handed to this poll, and that is what it is told.
            if (const auto now = subscriber_->cursor_in(ask_.room)) answer_frames(*now);
        } else {
            answer_ = std::make_unique<HttpResponse>(answer_error(*error));
        }
        return finish_soon();
    }
    if (const auto* removed = std::get_if<protocol::Removed>(&reply.message)) {
        answer_ = std::make_unique<HttpResponse>(answer_error(removal_error(*removed)));
        return finish_soon();
    }
    // `welcome` and `drain` have no place in an answer.
}

template <typename Stream>
void LongPollConnection<Stream>::joined(const core::JoinedReply& reply) {
    recovered_ = reply.recovered;
    from_ = reply.cursor;
    const auto count = std::min<std::size_t>(reply.history.size(), ask_.limit);
    const bool missed = ask_.since && !recovered_ && from_.offset > 0;
    if (count > 0 || missed || gate_->draining() || ask_.wait == core::Duration::zero()) {
        // What is left out of a page that was cut is asked for next: its cursor is its last one's.
        const std::uint64_t left_out = reply.history.size() - count;
        answer_page({from_.epoch, from_.offset - left_out},
                    texts_of(std::span(reply.history).first(count)), left_out > 0);
        return finish_soon();
    }
    stage_ = Stage::parked;
    gate_->arm(*this, deadline_);
}

template <typename Stream>
core::WriteResult LongPollConnection<Stream>::write_some(
    std::span<const core::Frame* const> frames) noexcept {
    if (lost_ || stage_ == Stage::ended) return {frames.size(), false};
    // What comes after that which is answered stays due: the next poll asks for it.
    if (stage_ != Stage::parked) return {0, true};
    std::size_t bytes = 0;
    std::size_t taken = 0;
    while (taken < frames.size() && taken < ask_.limit && bytes < kept_bytes_max) {
        bytes += frames[taken]->size();
        frames_.emplace_back(frames[taken++]);
    }
    finish_soon();
    return {taken, taken < frames.size()};
}

// ---- the answer ------------------------------------------------------------------------------

// Deferred: the core may be anywhere in its own work, and its place is known once this is taken.
template <typename Stream>
void LongPollConnection<Stream>::finish_soon() noexcept {
    if (lost_ || stage_ == Stage::due || stage_ == Stage::ended) return;
    stage_ = Stage::due;
    cancel();
    gate_->thread().defer([self = Pointer(this)] { self->finish(); });
}

template <typename Stream>
void LongPollConnection<Stream>::finish() {
    if (lost_ || stage_ != Stage::due) return;
    if (!answer_) {
        const auto now = subscriber_->cursor_in(ask_.room);
        if (now && ask_for_page(*now)) return;
        answer_frames(now.value_or(from_));
    }
    give_back();
}

// A joined run of frames may hold more than was asked for, and can't be cut.
template <typename Stream>
bool LongPollConnection<Stream>::ask_for_page(const protocol::Cursor& now) {
    if (now.offset - from_.offset <= ask_.limit) return false;
    stage_ = Stage::paging;
    gate_->arm(*this, gate_->now() + gate_->config().answer_timeout);
    protocol::History page;
    page.room = ask_.room;
    page.since = from_;
    page.limit = ask_.limit;
    subscriber_->handle({{}, std::move(page)});
    return true;
}

template <typename Stream>
void LongPollConnection<Stream>::answer_frames(const protocol::Cursor& now) {
    std::vector<std::string_view> texts;
    texts.reserve(frames_.size());
    for (const auto& frame : frames_) texts.push_back(longpoll_text(*frame));
    answer_page(now, texts, false);
}

template <typename Stream>
void LongPollConnection<Stream>::answer_page(const protocol::Cursor& cursor,
                                             std::span<const std::string_view> messages,
                                             bool more) {
    answer_ = std::make_unique<HttpResponse>();
    answer_->content_type = "application/json";
    answer_->headers.emplace_back("Cache-Control", "no-store");
    protocol::append_rest_page(answer_->body, {ask_.room, cursor, {}, more}, recovered_, messages);
}

// HTTP goes on where it was: with the answer to this request, and what followed it.
template <typename Stream>
void LongPollConnection<Stream>::give_back() {
    const Pointer self(this);
    stage_ = Stage::ended;
    cancel();
    stream_.cancel();
    add_rate_limit(*answer_, subscriber_->buckets(), gate_->shard().config().limits, gate_->now());
    leave(core::close_reasons::normal);
    resume_http(*gate_, std::move(stream_), hop_,
                {std::move(ask_.request), std::move(*answer_), std::move(ask_.following)});
    // Off the gate's list only once HTTP is on it: a drain ends when nobody is left.
    gate_->thread().defer([self] {
        self->gate_->remove(*self);
        intrusive_ptr_release(self.get());
    });
}

// ---- the peer --------------------------------------------------------------------------------

template <typename Stream>
void LongPollConnection<Stream>::wait_readable() {
    stream_.wait_readable(
        [self = Pointer(this)](const boost::system::error_code&) { self->on_readable(); });
}

// It has nothing to say but the next request, or that it is gone.
template <typename Stream>
void LongPollConnection<Stream>::on_readable() {
    if (lost_ || stage_ == Stage::ended) return;
    const IoResult read = stream_.try_read(gate_->thread().receive_buffer());
    switch (read.status) {
        case IoResult::Status::done:
            ask_.following.append(gate_->thread().receive_buffer().data(), read.bytes);
            if (ask_.following.size() >= gate_->config().header_bytes + gate_->config().body_bytes)
                return;
            break;
        case IoResult::Status::would_block:
            break;
        case IoResult::Status::ended:
        case IoResult::Status::failed:
            return end(core::close_reasons::vanished);
    }
    wait_readable();
}

// ---- ending ----------------------------------------------------------------------------------

template <typename Stream>
void LongPollConnection<Stream>::close(const core::CloseReason& reason) noexcept {
    const bool draining = reason.code == core::close_reasons::draining.code;
    if (!answer_ && (!draining || stage_ == Stage::joining)) {
        answer_ = std::make_unique<HttpResponse>(unavailable(poll_retry_after, reason.text));
    }
    finish_soon();
}

template <typename Stream>
bool LongPollConnection<Stream>::announce_drain() noexcept {
    // One that is joining is answered as soon as its room has answered.
    if (stage_ == Stage::parked) finish_soon();
    return false;
}

template <typename Stream>
void LongPollConnection<Stream>::abort() noexcept {
    if (lost_ || stage_ == Stage::ended) return;
    lost_ = true;
    gate_->thread().defer([self = Pointer(this)] { self->end(core::close_reasons::vanished); });
}

template <typename Stream>
void LongPollConnection<Stream>::end(const core::CloseReason& reason) noexcept {
    if (stage_ == Stage::ended) return;
    const Pointer self(this);
    stage_ = Stage::ended;
    cancel();
    stream_.close();  // ends the wait, and with it its reference
    gate_->descriptor_closed();
    leave(reason);
    gate_->remove(*this);
    intrusive_ptr_release(this);
}

template <typename Stream>
void LongPollConnection<Stream>::leave(const core::CloseReason& reason) noexcept {
    if (!subscriber_) return;
    subscriber_->closed(reason);
    subscriber_.reset();
}

template class LongPollConnection<TcpStream>;
template class LongPollConnection<TlsStream>;

void open_long_poll(Gate& gate, AnyStream stream, const tcp::endpoint& hop, LongPollAsk ask) {
    std::visit(
        [&]<typename Stream>(Stream& concrete) {
            using Opened = LongPollConnection<Stream>;
            const typename Opened::Pointer connection(
                new Opened(gate, std::move(concrete), hop, std::move(ask)));
            connection->open();
        },
        stream);
}

}  // namespace parley::transports
