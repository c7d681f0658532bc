#include "transports/websocket/parley_v1.hpp"

#include <utility>

#include "core/shard.hpp"
#include "protocol/json_codec.hpp"
#include "transports/gate.hpp"
#include "transports/query_string.hpp"
#include "transports/websocket/websocket_format.hpp"

namespace parley::transports {
namespace {

using protocol::Opcode;

// A smaller reply costs more to compress than it saves.
constexpr std::size_t deflated_reply_bytes_min = 1024;

}  // namespace

std::optional<ParleyV1Opening> read_opening(std::string_view query) {
    ParleyV1Opening opening;
    QueryParameter parameter;
    while (next_parameter(query, parameter)) {
        if (parameter.name != "name" && parameter.name != "room") continue;
        auto value = decode_query_text(parameter.value);
        if (!value) return std::nullopt;
        (parameter.name == "name" ? opening.peer.name : opening.room) = std::move(*value);
    }
    return opening;
}

ParleyV1::ParleyV1(Gate& gate, ParleyV1Opening opening, bool deflate)
    : Transport(deflate ? websocket_deflated : websocket_plain),
      gate_(&gate),
      opening_(std::make_unique<ParleyV1Opening>(std::move(opening))) {}

void ParleyV1::on_open(WebSocketLink& link) {
    link_ = &link;
    set_writer(link);
    const std::unique_ptr<ParleyV1Opening> opening = std::move(opening_);
    subscriber_ = core::Subscriber::open(gate_->shard(), *this, opening->peer);
    subscriber_->take_directs();
    if (opening->refused) return subscriber_->refuse_identity(std::move(*opening->refused));
    if (!opening->room) return;
    room_ = std::move(*opening->room);
    if (!subscriber_->ready()) return;
    protocol::Join join;
    join.room = room_;
    subscriber_->handle({{}, std::move(join)});
}

void ParleyV1::on_message(Opcode opcode, std::string_view payload) {
    if (opcode != Opcode::text) return link_->close(core::close_reasons::unsupported_data);
    // Judged by its rate before it is parsed deeper than its type and id.
    if (auto refusal = subscriber_->admit()) {
        return subscriber_->refuse(protocol::peek_command(payload).id, std::move(*refusal));
    }
    const auto first = payload.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || payload[first] != '{') return speak(payload);
    auto command = protocol::decode_command(payload);
    if (command) {
        subscriber_->handle(std::move(*command));
    } else {
        subscriber_->refuse(command.error());
    }
}

// A bare text, as people type it into wscat.
void ParleyV1::speak(std::string_view text) {
    if (room_.empty()) {
        return subscriber_->refuse(
            protocol::CommandId{}, core::errc::bad_request,
            "expected a JSON object: bare text needs a room in the URL, as in /ws?room=lobby");
    }
    protocol::Send send;
    send.room = room_;
    send.body.content = text;
    subscriber_->handle({{}, std::move(send)});
}

void ParleyV1::reply(const core::Reply& reply) noexcept {
    std::string& text = gate_->thread().scratch();
    core::append_reply(text, reply);
    if (&traits() == &websocket_deflated && text.size() >= deflated_reply_bytes_min) {
        if (const auto deflated = deflate_if_smaller(text); !deflated.empty()) {
            return link_->send(Opcode::text, deflated, true);
        }
    }
    link_->send(Opcode::text, text);
}

void ParleyV1::on_closed(const core::CloseReason& reason) noexcept {
    if (subscriber_) subscriber_->closed(reason);  // it may have failed to open
}

}  // namespace parley::transports
