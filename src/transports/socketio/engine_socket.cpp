#include "transports/socketio/engine_socket.hpp"

#include <utility>

#include "protocol/websocket_frame.hpp"
#include "transports/socketio/engine_sessions.hpp"

namespace parley::transports {

using protocol::EnginePacket;
using protocol::EngineType;
using protocol::Opcode;

void EngineSocket::on_open(WebSocketLink& link) {
    link_ = &link;
    if (part_ == Part::carrying) return session_->open_socket(*this);
    if (!session_->begin_upgrade(*this)) leave(core::close_reasons::policy);
}

void EngineSocket::on_message(Opcode opcode, std::string_view payload) {
    if (part_ == Part::left) return;
    const auto packet = opcode == Opcode::binary
                            ? std::optional(EnginePacket{EngineType::message, true, payload})
                            : protocol::decode_engine_packet(payload);
    if (part_ == Part::carrying) {
        session_->take_from_socket(packet);
    } else {
        session_->probe(*this, packet);
    }
}

void EngineSocket::send(MessageKind kind, std::string_view payload) noexcept {
    if (kind == MessageKind::binary) return link_->send(Opcode::binary, payload);
    say(EngineType::message, payload);
}

void EngineSocket::say(EngineType type, std::string_view data) noexcept {
    std::string& text = session_->sessions().scratch();
    text.push_back(static_cast<char>('0' + static_cast<int>(type)));
    text.append(data);
    link_->send(Opcode::text, text);
}

void EngineSocket::leave(const core::CloseReason& reason) noexcept {
    part_ = Part::left;
    link_->close(reason);
}

void EngineSocket::on_closed(const core::CloseReason& reason) noexcept {
    if (std::exchange(part_, Part::left) != Part::left) session_->socket_closed(*this, reason);
}

}  // namespace parley::transports
