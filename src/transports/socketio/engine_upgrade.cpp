// EngineSession from polling to WebSocket: probing, and the switch.
#include "transports/socketio/engine_upgrade.hpp"

#include <algorithm>
#include <utility>

#include "transports/gate.hpp"
#include "transports/socketio/engine_polling.hpp"
#include "transports/socketio/engine_posting.hpp"
#include "transports/socketio/engine_session.hpp"
#include "transports/socketio/engine_sessions.hpp"
#include "transports/socketio/engine_socket.hpp"

namespace parley::transports {

using protocol::EnginePacket;
using protocol::EngineType;

bool EngineSession::begin_upgrade(EngineSocket& socket) {
    if (stage_ != Stage::open || !polling_ || upgrade_) return false;
    Gate& gate = sessions_->gate();
    upgrade_ = std::make_unique<EngineUpgrade>(
        [](core::Timer& timer) noexcept {
            static_cast<EngineUpgrade&>(timer).session->on_upgrade_timer();
        },
        *this, socket, gate.now() + sessions_->config().upgrade_timeout);
    gate.arm(*upgrade_, upgrade_->deadline);
    return true;
}

// As the reference has it: `5` does without a probe, a probe may be repeated, and anything else costs
// the WebSocket and not the session.
void EngineSession::probe(EngineSocket& socket, const std::optional<EnginePacket>& packet) {
    if (!upgrade_ || upgrade_->socket != &socket) return;
    if (packet && packet->type == EngineType::upgrade) return finish_upgrade();
    if (!packet || packet->type != EngineType::ping || packet->data != "probe") {
        return drop_upgrade(core::close_reasons::protocol_error);
    }
    socket.say(EngineType::pong, packet->data);
    upgrade_->owes_nudge = true;
    if (polling_->poll() != nullptr && owes_nudge()) polling_->say(EngineType::noop, {});
}

// True where a poll that is here is to be answered with `noop`; then not again before a while, for a
// client that polls on without upgrading.
bool EngineSession::owes_nudge() noexcept {
    if (!upgrade_ || !std::exchange(upgrade_->owes_nudge, false)) return false;
    Gate& gate = sessions_->gate();
    gate.arm(*upgrade_, std::min(upgrade_->deadline, gate.now() + upgrade_poll_every));
    return true;
}

void EngineSession::on_upgrade_timer() noexcept {
    Gate& gate = sessions_->gate();
    if (gate.now() >= upgrade_->deadline) {
        gate.shard().metrics().add(core::Metric::engine_upgrade_timeouts);
        return drop_upgrade(core::close_reasons::policy);
    }
    gate.arm(*upgrade_, upgrade_->deadline);
    upgrade_->owes_nudge = true;
    if (polling_->poll() != nullptr && owes_nudge()) polling_->say(EngineType::noop, {});
}

void EngineSession::drop_upgrade(const core::CloseReason& reason) noexcept {
    if (const auto upgrade = std::move(upgrade_)) upgrade->socket->leave(reason);
}

// What waited for a poll goes first over the WebSocket, in its order; what was handed to a poll has
// left before the client sent its `5`.
void EngineSession::finish_upgrade() {
    socket_ = upgrade_->socket;
    socket_->carry();
    upgrade_.reset();
    sessions_->gate().shard().metrics().add(core::Metric::engine_upgrades);
    if (EnginePoll* const poll = polling_->poll()) {
        if (!polling_->has_words()) polling_->say(EngineType::noop, {});
        poll->finish();
    }
    const std::unique_ptr<EnginePolling> polling = std::move(polling_);
    polling->leave_gate();
    std::string words = polling->take_words();
    protocol::EnginePayload records(words);
    EnginePacket packet;
    while (!words.empty() && records.next(packet) == protocol::EnginePayload::Step::packet) {
        if (packet.type == EngineType::message) {
            socket_->send(packet.binary ? MessageKind::binary : MessageKind::text, packet.data);
        } else {
            socket_->say(packet.type, packet.data);
        }
    }
    if (stage_ == Stage::closing) return end(*reason_);
    handler_->on_writer_changed();
    if (polling->take_blocked()) handler_->on_writable();
}

}  // namespace parley::transports
