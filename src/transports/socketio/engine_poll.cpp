#include "transports/socketio/engine_poll.hpp"

#include <utility>

#include "transports/gate.hpp"

namespace parley::transports {

using boost::asio::ip::tcp;

template <typename Stream>
EnginePollConnection<Stream>::EnginePollConnection(Gate& gate, Stream stream,
                                                   const tcp::endpoint& hop, EngineSession& session,
                                                   HttpResumption kept)
    : gate_(&gate),
      stream_(std::move(stream)),
      session_(&session),
      hop_(hop),
      kept_(std::move(kept)) {}

template <typename Stream>
void EnginePollConnection<Stream>::open() {
    const Pointer self(this);
    intrusive_ptr_add_ref(this);  // the gate's list; finish() or lost() drops it
    gate_->add(*this);
    wait_readable();
    session_->park(*this);
}

// ---- the answer ------------------------------------------------------------------------------

// With the turn that is due where there is one: it mostly has something for this peer, too.
template <typename Stream>
void EnginePollConnection<Stream>::finish_soon() noexcept {
    if (stage_ != Stage::waiting || aborted_) return;
    stage_ = Stage::due;
    intrusive_ptr_add_ref(this);  // after_turn() gives it back
    if (gate_->thread().turn_asked()) return gate_->call_after_turn(*this);
    gate_->thread().defer([this] { after_turn(); });
}

template <typename Stream>
void EnginePollConnection<Stream>::after_turn() noexcept {
    const Pointer self(this, false);
    finish();
}

// HTTP goes on where it was: with the answer to this request, and what followed it.
template <typename Stream>
void EnginePollConnection<Stream>::finish() {
    if (stage_ == Stage::ended || aborted_) return;
    const Pointer self(this);
    stage_ = Stage::ended;
    stream_.cancel();
    kept_.answer = session_->answer_poll();
    resume_http(*gate_, std::move(stream_), hop_, std::move(kept_));
    // Off the gate's list only once HTTP is on it: a drain ends when nobody is left.
    gate_->thread().defer([self] {
        self->gate_->remove(*self);
        intrusive_ptr_release(self.get());
    });
}

// ---- the peer --------------------------------------------------------------------------------

template <typename Stream>
void EnginePollConnection<Stream>::wait_readable() {
    stream_.wait_readable(
        [self = Pointer(this)](const boost::system::error_code&) { self->on_readable(); });
}

// It has nothing to say but the next request, or that it is gone.
template <typename Stream>
void EnginePollConnection<Stream>::on_readable() {
    if (stage_ == Stage::ended || aborted_) return;
    const std::span<char> buffer = gate_->thread().receive_buffer();
    const IoResult read = stream_.try_read(buffer);
    switch (read.status) {
        case IoResult::Status::done:
            kept_.following.append(buffer.data(), read.bytes);
            if (kept_.following.size() >= gate_->config().header_bytes) return;
            break;
        case IoResult::Status::would_block:
            break;
        case IoResult::Status::ended:
        case IoResult::Status::failed:
            return lost();
    }
    wait_readable();
}

template <typename Stream>
void EnginePollConnection<Stream>::abort() noexcept {
    if (stage_ == Stage::ended || std::exchange(aborted_, true)) return;
    gate_->thread().defer([self = Pointer(this)] { self->lost(); });
}

template <typename Stream>
void EnginePollConnection<Stream>::lost() noexcept {
    if (stage_ == Stage::ended) return;
    const Pointer self(this);
    stage_ = Stage::ended;
    stream_.close();  // ends the wait, and with it its reference
    gate_->descriptor_closed();
    session_->poll_lost(*this);
    gate_->remove(*this);
    intrusive_ptr_release(this);
}

template class EnginePollConnection<TcpStream>;
template class EnginePollConnection<TlsStream>;

void open_engine_poll(Gate& gate, AnyStream stream, const tcp::endpoint& hop,
                      EngineSession& session, HttpResumption kept) {
    std::visit(
        [&]<typename Stream>(Stream& concrete) {
            using Opened = EnginePollConnection<Stream>;
            const typename Opened::Pointer connection(
                new Opened(gate, std::move(concrete), hop, session, std::move(kept)));
            connection->open();
        },
        stream);
}

}  // namespace parley::transports
