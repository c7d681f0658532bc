#include "transports/websocket/websocket_connection.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <type_traits>
#include <utility>

#include "transports/gate.hpp"
#include "transports/log.hpp"
#include "transports/send_ring.hpp"
#include "transports/write_frames.hpp"

namespace parley::transports {
namespace {

using protocol::Opcode;
using Event = protocol::WebSocketDecoder::Event;

// Kept of the gate's cork between two events; more is given back.
constexpr std::size_t cork_capacity_max = 256 * 1024;

// Whether bytes go into the socket as they are: what is more than that can't be left to a SendRing.
template <typename Stream>
constexpr bool sends_plainly = std::is_same_v<Stream, TcpStream>;

// The decoder speaks in codes, everything that counts and logs in reasons.
const core::CloseReason& reason_of(std::uint16_t code) noexcept {
    for (const core::CloseReason& reason : core::all_close_reasons) {
        if (reason.code == code) return reason;
    }
    return core::close_reasons::protocol_error;
}

}  // namespace

// Gathers what the connection says until the end of a scope.
template <typename Stream>
class WebSocketConnection<Stream>::Cork {
public:
    explicit Cork(WebSocketConnection& connection) noexcept {
        CorkBuffer& cork = connection.gate_->cork();
        if (cork.owner != nullptr) return;
        cork.owner = &connection;
        connection_ = &connection;
    }
    ~Cork() {
        if (connection_ != nullptr) connection_->uncork();
    }
    Cork(const Cork&) = delete;
    Cork& operator=(const Cork&) = delete;

private:
    WebSocketConnection* connection_ = nullptr;
};

template <typename Stream>
WebSocketConnection<Stream>::WebSocketConnection(Gate& gate, Stream stream,
                                                 const protocol::WebSocketDecoderConfig& decoding,
                                                 std::unique_ptr<WebSocketHandler> handler)
    : Timer([](Timer& timer) noexcept { static_cast<WebSocketConnection&>(timer).on_timer(); }),
      gate_(&gate),
      stream_(std::move(stream)),
      handler_(std::move(handler)),
      decoding_(&decoding),
      heard_(gate.now()),
      ping_due_(gate.now() + gate.shard().config().heartbeat.ping_every) {}

template <typename Stream>
void WebSocketConnection<Stream>::open(std::string_view head, std::span<char> following) {
    const Pointer self(this);
    intrusive_ptr_add_ref(this);  // the gate's list; end() gives it back
    gate_->add(*this);
    if (!handler_->has_heartbeat()) arm_heartbeat();
    corked([&] {
        outgoing().append(head);
        handler_->on_open(*this);
        hand_over(following);
    });
}

// ---- reading ---------------------------------------------------------------------------------

template <typename Stream>
void WebSocketConnection<Stream>::wait_readable() {
    waiting_readable_ = true;
    stream_.wait_readable(
        [self = Pointer(this)](const boost::system::error_code&) { self->on_readable(); });
}

template <typename Stream>
void WebSocketConnection<Stream>::on_readable() {
    waiting_readable_ = false;
    if (ended_ || lost_) return;
    const std::span<char> buffer = gate_->thread().receive_buffer();
    // Words of its own came to wait, or a question: the bytes stay with the kernel.
    if (unread_ || !may_take()) return;
    const IoResult read = stream_.try_read(buffer);
    switch (read.status) {
        case IoResult::Status::done:
            break;
        case IoResult::Status::would_block:
            return wait_readable();
        case IoResult::Status::ended:
        case IoResult::Status::failed:
            return end(closing_ ? *reason_ : core::close_reasons::vanished);
    }
    heard_ = gate_->now();
    process(buffer.first(read.bytes));
}

// Hands over what was read, and sees to what follows from it.
template <typename Stream>
void WebSocketConnection<Stream>::process(std::span<char> bytes) {
    corked([&] { hand_over(bytes); });
}

// Runs what its handler does with what came. What it says meanwhile leaves together; what it throws
// ends this connection alone.
template <typename Stream>
template <typename Task>
void WebSocketConnection<Stream>::corked(Task task) {
    {
        const Cork cork(*this);
        try {
            task();
        } catch (const std::exception& error) {
            log::error("websocket failed", {{"error", error.what()}});
            begin_close(core::close_reasons::internal.code, core::close_reasons::internal.text,
                        core::close_reasons::internal);
        }
    }
    go_on_closing();
    read_on();
}

template <typename Stream>
void WebSocketConnection<Stream>::process_unread() {
    if (!unread_ || ended_ || lost_) return read_on();
    if (!may_take()) return;
    const std::unique_ptr<std::string> bytes = std::move(unread_);
    process(*bytes);
}

// Between two messages a decoder remembers nothing, and most reads begin and end there: then it
// lives on the stack.
template <typename Stream>
void WebSocketConnection<Stream>::hand_over(std::span<char> bytes) {
    if (decoder_) {
        decode(*decoder_, bytes);
        if (decoder_->idle()) decoder_.reset();
        return;
    }
    protocol::WebSocketDecoder decoder(*decoding_);
    decode(decoder, bytes);
    if (decoder.idle()) return;
    decoder_ = std::make_unique<protocol::WebSocketDecoder>(std::move(decoder));
}

template <typename Stream>
void WebSocketConnection<Stream>::decode(protocol::WebSocketDecoder& decoder,
                                         std::span<char> bytes) {
    for (;;) {
        if (!may_take()) {
            if (!bytes.empty()) {
                unread_ = std::make_unique<std::string>(bytes.data(), bytes.size());
            }
            return;
        }
        const auto step = decoder.feed(bytes);
        bytes = bytes.subspan(step.consumed);
        if (step.event == Event::need_more) return;
        take_event(decoder, step.event);
        if (failed_ || peer_closed_ || lost_) return;
    }
}

template <typename Stream>
void WebSocketConnection<Stream>::take_event(const protocol::WebSocketDecoder& decoder,
                                             Event event) {
    switch (event) {
        case Event::need_more:
        case Event::pong:
            return;
        case Event::message:
            // After its goodbye a connection only looks for the peer's.
            if (!closing_) handler_->on_message(decoder.opcode(), decoder.payload());
            return;
        case Event::ping:
            if (!closing_) send_pong(decoder.payload());
            return;
        case Event::close:
            peer_closed_ = true;
            // The code comes back as it was (RFC 6455, 5.5.1).
            begin_close(decoder.close_code(), {}, core::close_reasons::normal);
            return;
        case Event::failed:
            failed_ = true;
            begin_close(decoder.close_code(), decoder.error(), reason_of(decoder.close_code()));
            return;
    }
}

template <typename Stream>
bool WebSocketConnection<Stream>::may_take() noexcept {
    if (closing_) return true;
    if (!handler_->ready()) return false;
    if (is_corked() && gate_->cork().bytes.size() > cork_bytes_max) {
        transmit(gate_->cork().bytes);
        gate_->cork().bytes.clear();
    }
    return !outbox_.has_words();
}

template <typename Stream>
void WebSocketConnection<Stream>::read_on() {
    if (waiting_readable_ || ended_ || lost_ || unread_ || !may_take()) return;
    wait_readable();
}

template <typename Stream>
void WebSocketConnection<Stream>::resume() noexcept {
    // Deferred: the core may be anywhere in its own work, and handing over leads back into it.
    gate_->thread().defer([self = Pointer(this)] { self->process_unread(); });
}

// ---- writing ---------------------------------------------------------------------------------

template <typename Stream>
void WebSocketConnection<Stream>::wait_writable() {
    if (waiting_writable_) return;
    waiting_writable_ = true;
    stream_.wait_writable(
        [self = Pointer(this)](const boost::system::error_code&) { self->on_writable(); });
}

template <typename Stream>
void WebSocketConnection<Stream>::on_writable() {
    waiting_writable_ = false;
    if (ended_ || lost_) return;
    // While it is not read from, taking what it is sent is the sign of life that it can give.
    if (!waiting_readable_) heard_ = gate_->now();
    transmit({});
    if (waiting_writable_ || lost_) return;
    go_on_closing();
    if (ended_) return;
    if (std::exchange(core_waits_, false) && handler_) handler_->on_writable();
    process_unread();
}

template <typename Stream>
bool WebSocketConnection<Stream>::is_corked() const noexcept {
    return gate_->cork().owner == this;
}

// Where its own words are to be appended; sent by uncork(), or by transmit() where it isn't corked.
template <typename Stream>
std::string& WebSocketConnection<Stream>::outgoing() {
    if (is_corked()) return gate_->cork().bytes;
    return outbox_.words();
}

template <typename Stream>
void WebSocketConnection<Stream>::send(Opcode opcode, std::string_view payload,
                                       bool compressed) noexcept {
    if (closing_ || lost_ || ended_) return;
    protocol::append_frame(outgoing(), opcode, payload, compressed);
    if (!is_corked() && !awaits_turn_) transmit({});
}

template <typename Stream>
void WebSocketConnection<Stream>::send_pong(std::string_view payload) {
    if (waiting_writable_) return outbox_.keep_pong(payload);
    send(Opcode::pong, payload, false);
}

template <typename Stream>
void WebSocketConnection<Stream>::uncork() noexcept {
    CorkBuffer& cork = gate_->cork();
    cork.owner = nullptr;
    if (!cork.bytes.empty()) {
        if (gate_->thread().turn_asked() && !waiting_writable_ && !closing_ && !lost_) {
            await_turn(cork.bytes);
        } else {
            transmit(cork.bytes);
        }
    }
    cork.bytes.clear();
    if (cork.bytes.capacity() > cork_capacity_max) cork.bytes.shrink_to_fit();
}

// Keeps the words back until the turn that is due: it mostly brings frames to this peer, too (its
// own message behind its ack), and one send costs what ten thousand bytes do.
template <typename Stream>
void WebSocketConnection<Stream>::await_turn(std::string_view corked_bytes) {
    outbox_.words().append(corked_bytes);
    if (std::exchange(awaits_turn_, true)) return;
    intrusive_ptr_add_ref(this);  // after_turn() gives it back
    gate_->call_after_turn(*this);
}

template <typename Stream>
void WebSocketConnection<Stream>::after_turn() noexcept {
    const Pointer self(this, false);
    awaits_turn_ = false;
    transmit({});
    go_on_closing();
    process_unread();
}

// Sends what is unsent, in order: the frame that was begun, its own words, the corked ones.
template <typename Stream>
void WebSocketConnection<Stream>::transmit(std::string_view corked_bytes) noexcept {
    settle();
    if (lost_ || ended_) return;
    if (!waiting_writable_) {
        outbox_.speak_pong();
        std::array<iovec, Outbox::buffers_max + 1> buffers;
        std::size_t count = outbox_.buffers(buffers);
        if (!corked_bytes.empty()) buffers[count++] = buffer_of(corked_bytes);
        if (count == 0) return;
        const IoResult result = stream_.try_write(std::span(buffers).first(count));
        if (result.status == IoResult::Status::failed) return lost();
        gate_->shard().metrics().add(core::Metric::bytes_written, result.bytes);
        corked_bytes.remove_prefix(outbox_.sent(result.bytes));
        if (!outbox_.empty() || !corked_bytes.empty()) wait_writable();
    }
    if (!corked_bytes.empty()) outbox_.words().append(corked_bytes);
}

// The usual case is one frame and nothing before it: one look at the object, one system call.
template <typename Stream>
core::WriteResult WebSocketConnection<Stream>::write_some(
    std::span<const core::Frame* const> frames) noexcept {
    const bool plain = !(closing_ | lost_ | ended_ | waiting_writable_ | awaits_turn_);
    if (frames.size() != 1 || !plain || is_corked()) return write_all(frames);
    if constexpr (sends_plainly<Stream>) {
        if (SendRing* ring = gate_->thread().gathering()) {
            if (gathered_in_ == ring->round()) return write_all(frames);
            ring->gather(stream_.descriptor(), *frames[0], *this);
            gathered_in_ = ring->round();
            return {1, false};
        }
    }
    const iovec buffer = buffer_of(frames[0]->bytes());
    const IoResult result = stream_.try_write({&buffer, 1});
    if (result.status == IoResult::Status::done) {
        gate_->shard().metrics().add(core::Metric::bytes_written, result.bytes);
        if (result.bytes == buffer.iov_len) return {1, false};
        outbox_.keep(*frames[0], result.bytes);
    } else if (result.status == IoResult::Status::failed) {
        lost();
        return {1, false};
    }
    wait_writable();
    core_waits_ = true;
    return {result.bytes > 0 ? 1U : 0U, true};
}

template <typename Stream>
core::WriteResult WebSocketConnection<Stream>::write_all(
    std::span<const core::Frame* const> frames) noexcept {
    settle();
    if (closing_ || lost_ || ended_) return {frames.size(), false};
    if (is_corked() && !gate_->cork().bytes.empty()) {
        transmit(gate_->cork().bytes);
        gate_->cork().bytes.clear();
    }
    if (lost_) return {frames.size(), false};
    std::size_t taken = 0;
    if (!waiting_writable_) {
        const FramesWritten written = write_frames(stream_, outbox_, frames);
        gate_->shard().metrics().add(core::Metric::bytes_written, written.bytes);
        if (written.failed) {
            lost();
            return {frames.size(), false};
        }
        taken = written.taken;
        if (written.blocked) wait_writable();
    }
    if (waiting_writable_) core_waits_ = true;
    return {taken, waiting_writable_};
}

// Before anything else is written: what was gathered comes first.
template <typename Stream>
void WebSocketConnection<Stream>::settle() noexcept {
    SendRing* ring = gate_->thread().gathering();
    if (ring != nullptr && gathered_in_ == ring->round()) ring->submit();
}

// The frame counts as taken, and its rest leaves as that of any other does. The core need not be
// told: it hears `blocked` with the next frame, if that comes before this has left.
template <typename Stream>
void WebSocketConnection<Stream>::send_fell_short(const core::Frame& frame,
                                                  std::size_t sent) noexcept {
    if constexpr (sends_plainly<Stream>) {
        if (lost_ || ended_) return;
        outbox_.keep(frame, sent);
        stream_.took_short();
        wait_writable();
    }
}

// Nothing is to be ended from within a call of the core: it may be iterating over its sessions.
template <typename Stream>
void WebSocketConnection<Stream>::lost() noexcept {
    lost_ = true;
    gate_->thread().defer([self = Pointer(this)] {
        self->end(self->closing_ ? *self->reason_ : core::close_reasons::vanished);
    });
}

// ---- ending ----------------------------------------------------------------------------------

template <typename Stream>
void WebSocketConnection<Stream>::close(const core::CloseReason& reason) noexcept {
    if (closing_ || lost_ || ended_) return;
    // What says that nobody is there any more is never sent (RFC 6455, 7.4.1).
    const auto code = reason.code == core::close_reasons::vanished.code
                          ? core::close_reasons::normal.code
                          : reason.code;
    begin_close(code, reason.text, reason_of(reason.code));
    if (is_corked()) return;
    gate_->thread().defer([self = Pointer(this)] {
        self->go_on_closing();
        self->process_unread();
    });
}

template <typename Stream>
void WebSocketConnection<Stream>::begin_close(std::uint16_t code, std::string_view text,
                                              const core::CloseReason& reason) noexcept {
    if (closing_ || lost_ || ended_) return;
    closing_ = true;
    reason_ = &reason;
    outbox_.drop_pong();
    protocol::append_close_frame(outgoing(), code, text);
    gate_->arm(*this, gate_->now() + gate_->config().close_timeout);
    if (!is_corked()) transmit({});
}

// The next step of closing that is due. Only from the loop: it may end everything.
template <typename Stream>
void WebSocketConnection<Stream>::go_on_closing() noexcept {
    if (!closing_ || ended_ || lost_) return;
    end_session();
    if (waiting_writable_) return;
    if (peer_closed_) return end(*reason_);
    if (failed_ && !std::exchange(half_closed_, true)) stream_.shutdown_write();
}

template <typename Stream>
void WebSocketConnection<Stream>::end_session() noexcept {
    if (!handler_) return;
    const std::unique_ptr<WebSocketHandler> handler = std::move(handler_);
    log::debug("websocket closed", {{"code", reason_->code}, {"reason", reason_->name}});
    handler->on_closed(*reason_);
}

template <typename Stream>
void WebSocketConnection<Stream>::end(const core::CloseReason& reason) noexcept {
    if (ended_) return;
    settle();
    ended_ = true;
    reason_ = &reason;
    cancel();
    if constexpr (sends_plainly<Stream>) gate_->thread().forget(stream_.descriptor());
    stream_.close();  // ends the waits, and with them their references
    gate_->descriptor_closed();
    end_session();
    gate_->remove(*this);
    intrusive_ptr_release(this);
}

template <typename Stream>
bool WebSocketConnection<Stream>::announce_drain() noexcept {
    if (handler_ && !closing_) handler_->on_drain();
    return false;
}

template <typename Stream>
void WebSocketConnection<Stream>::abort() noexcept {
    if (!ended_ && !lost_) lost();
}

// ---- time ------------------------------------------------------------------------------------

template <typename Stream>
void WebSocketConnection<Stream>::arm_heartbeat() noexcept {
    const core::HeartbeatConfig& heartbeat = gate_->shard().config().heartbeat;
    gate_->arm(*this, std::min(ping_due_, heard_ + heartbeat.dead_after));
}

template <typename Stream>
void WebSocketConnection<Stream>::on_timer() noexcept {
    const Pointer self(this);
    if (closing_) return end(*reason_);
    const core::HeartbeatConfig& heartbeat = gate_->shard().config().heartbeat;
    if (gate_->now() >= heard_ + heartbeat.dead_after) {
        return close(core::close_reasons::heartbeat_missed);
    }
    if (gate_->now() >= ping_due_) {
        ping_due_ = gate_->now() + heartbeat.ping_every;
        // What is unsent already asks the peer for a sign of life.
        if (!waiting_writable_) send(Opcode::ping, {}, false);
    }
    arm_heartbeat();
}

template class WebSocketConnection<TcpStream>;
template class WebSocketConnection<TlsStream>;

void open_websocket(Gate& gate, AnyStream stream, const protocol::WebSocketDecoderConfig& decoding,
                    std::unique_ptr<WebSocketHandler> handler, std::string_view head,
                    std::span<char> following) {
    std::visit(
        [&]<typename Stream>(Stream& concrete) {
            using Opened = WebSocketConnection<Stream>;
            const typename Opened::Pointer connection(
                new Opened(gate, std::move(concrete), decoding, std::move(handler)));
            connection->open(head, following);
        },
        stream);
}

}  // namespace parley::transports
