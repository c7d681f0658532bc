#include "transports/socketio/engine_session.hpp"

#include <algorithm>
#include <utility>

#include "transports/gate.hpp"
#include "transports/log.hpp"
#include "transports/socketio/engine_polling.hpp"
#include "transports/socketio/engine_posting.hpp"
#include "transports/socketio/engine_refusal.hpp"
#include "transports/socketio/engine_sessions.hpp"
#include "transports/socketio/engine_socket.hpp"
#include "transports/socketio/engine_upgrade.hpp"

namespace parley::transports {
namespace {

using protocol::EnginePacket;
using protocol::EngineType;

// A ping that leaves later than it was due by more than this is given its whole time-out: the
// process stood still, and not the client.
constexpr std::chrono::milliseconds late_ping{100};

// Not what says that nobody is there any more: that is never sent.
const core::CloseReason& goodbye_for(const core::CloseReason& reason) noexcept {
    return reason.code == core::close_reasons::vanished.code ? core::close_reasons::normal : reason;
}

}  // namespace

EngineSession::EngineSession(EngineSessions& sessions, const SecretId& sid,
                             std::unique_ptr<EngineHandler> handler, std::size_t poll_packets_max)
    : Timer([](Timer& timer) noexcept { static_cast<EngineSession&>(timer).on_timer(); }),
      sessions_(&sessions),
      handler_(std::move(handler)),
      sid_(sid),
      poll_packets_max_(poll_packets_max) {}

EngineSession::~EngineSession() = default;

// ---- opening ---------------------------------------------------------------------------------

std::string EngineSession::describe(bool upgrades) const {
    const EngineConfig& config = sessions_->config();
    const auto in_ms = [](std::chrono::milliseconds time) {
        return static_cast<std::uint64_t>(time.count());
    };
    std::string text;
    protocol::append_engine_open(text, {sid(), upgrades, in_ms(config.ping_interval),
                                        in_ms(config.ping_timeout), config.max_payload});
    return text;
}

void EngineSession::open() {
    stage_ = Stage::open;
    sessions_->enter(*this);
    await_ping(sessions_->gate().now());
    handler_->on_open(*this);
}

HttpResponse EngineSession::open_polling(AdmissionTicket ticket) {
    const Pointer self(this);
    polling_ = std::make_unique<EnginePolling>(*this, std::move(ticket), poll_packets_max_);
    polling_->say(EngineType::open, describe(true));
    try {
        open();
    } catch (...) {
        end(core::close_reasons::internal);
        throw;
    }
    return polling_->take_answer();
}

void EngineSession::open_socket(EngineSocket& socket) {
    socket_ = &socket;
    socket.say(EngineType::open, describe(false));
    open();
}

// ---- in --------------------------------------------------------------------------------------

// One packet of the client; false where it has no place here. `upgrade` and `noop` mean nothing, as
// to the reference: some clients end their polling with one.
bool EngineSession::take(const EnginePacket& packet) {
    switch (packet.type) {
        case EngineType::message:
            handler_->on_message(packet.binary ? MessageKind::binary : MessageKind::text,
                                 packet.data);
            return true;
        case EngineType::pong:
            expire();
            if (is_open()) await_ping(sessions_->gate().now());
            return true;
        case EngineType::close:
            // Clients say it in trouble, too, and come back: whoever leaves says so a layer above.
            end(core::close_reasons::vanished, EngineType::noop);
            return true;
        case EngineType::upgrade:
        case EngineType::noop:
            return true;
        case EngineType::open:
        case EngineType::ping:
            return false;
    }
    return false;
}

void EngineSession::take_from_socket(const std::optional<EnginePacket>& packet) {
    if (!is_open()) return;
    const Pointer self(this);
    if (!packet || !take(*packet)) end(core::close_reasons::protocol_error);
}

// ---- out -------------------------------------------------------------------------------------

void EngineSession::say(EngineType type, std::string_view data) noexcept {
    if (socket_ != nullptr) return socket_->say(type, data);
    polling_->say(type, data);
}

void EngineSession::send(MessageKind kind, std::string_view payload) noexcept {
    if (!is_open()) return;
    if (socket_ != nullptr) return socket_->send(kind, payload);
    polling_->send(kind, payload);
}

core::FrameWriter& EngineSession::writer() noexcept {
    if (socket_ != nullptr) return socket_->link();
    return *polling_;
}

void EngineSession::announce_drain() {
    if (is_open()) handler_->on_drain();
}

// ---- time ------------------------------------------------------------------------------------

void EngineSession::await_ping(core::TimePoint from) noexcept {
    waiting_ = Waiting::for_ping;
    due_ = from + sessions_->config().ping_interval;
    sessions_->gate().arm(*this, due_);
}

void EngineSession::on_timer() noexcept {
    const Pointer self(this);
    if (stage_ == Stage::farewell) {
        stage_ = Stage::gone;
        return sessions_->remove(*this);
    }
    if (waiting_ == Waiting::for_pong) return end(core::close_reasons::heartbeat_missed);
    // Counted from when it was due, so that rounding adds up to nothing.
    const core::TimePoint now = sessions_->gate().now();
    if (now - due_ > late_ping) due_ = now;
    due_ += sessions_->config().ping_timeout;
    waiting_ = Waiting::for_pong;
    sessions_->gate().arm(*this, due_);
    say(EngineType::ping);
}

void EngineSession::expire() noexcept {
    if (!is_open() || waiting_ != Waiting::for_pong || sessions_->gate().now() < due_) return;
    end(core::close_reasons::heartbeat_missed);
}

// ---- ending ----------------------------------------------------------------------------------

void EngineSession::close(const core::CloseReason& reason) noexcept {
    if (!is_open()) return;
    stage_ = Stage::closing;
    // Its row, which lasts: the caller's own may not.
    reason_ = std::ranges::find(core::all_close_reasons, reason.code, &core::CloseReason::code);
    cancel();
    // The end of its WebSocket is its own.
    if (socket_ != nullptr) return socket_->link().close(reason);
    sessions_->gate().thread().defer([self = Pointer(this)] { self->end_closing(); });
}

void EngineSession::end_closing() noexcept {
    if (stage_ == Stage::closing) end(*reason_);
}

void EngineSession::socket_closed(EngineSocket& socket, const core::CloseReason& reason) noexcept {
    if (upgrade_ && upgrade_->socket == &socket) return upgrade_.reset();
    if (socket_ != &socket) return;
    socket_ = nullptr;
    end(reason);
}

void EngineSession::abort() noexcept {
    end(core::close_reasons::vanished);
}

void EngineSession::end(const core::CloseReason& reason, EngineType last) noexcept {
    if (stage_ != Stage::open && stage_ != Stage::closing) return;
    const Pointer self(this);
    cancel();
    const bool waits = polling_ && polling_->poll() != nullptr;
    const bool later = polling_ && !waits && stage_ == Stage::closing;
    stage_ = later ? Stage::farewell : Stage::gone;
    drop_upgrade(goodbye_for(reason));
    if (socket_ != nullptr) std::exchange(socket_, nullptr)->leave(goodbye_for(reason));
    if (const auto posting = std::move(posting_)) {
        if (const auto answer = posting->answer.lock()) {
            answer->give(refuse(EngineRefusal::bad_request));
        }
    }
    if (polling_) {
        if (waits || later) polling_->say(last, {});
        polling_->leave_gate();
    }
    if (later) {
        sessions_->gate().arm(*this, sessions_->gate().now() + farewell_time);
    } else {
        sessions_->remove(*this);
    }
    log::debug("engine.io session ended", {{"reason", reason.name}});
    const std::unique_ptr<EngineHandler> handler = std::move(handler_);
    handler->on_closed(reason);
}

}  // namespace parley::transports
