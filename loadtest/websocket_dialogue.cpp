#include "loadtest/websocket_dialogue.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <utility>
#include <variant>

#include "loadtest/http_answer.hpp"
#include "loadtest/json_search.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/cursor.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {
namespace {

void append_text_frame(std::string& out, std::string_view text, UserContext& context) {
    const protocol::MaskKey mask = context.luck.mask();
    protocol::append_frame(out, protocol::Opcode::text, text, false, &mask);
}

}  // namespace

std::string make_websocket_key(Luck& luck) {
    std::array<unsigned char, 16> nonce{};
    const std::array<std::uint64_t, 2> bits{luck.next(), luck.next()};
    std::memcpy(nonce.data(), bits.data(), nonce.size());
    std::array<unsigned char, 25> base64{};  // 24 characters and EVP_EncodeBlock's NUL
    const int length =
        ::EVP_EncodeBlock(base64.data(), nonce.data(), static_cast<int>(nonce.size()));
    return {base64.begin(), base64.begin() + length};
}

std::unique_ptr<Dialogue> make_websocket_dialogue() {
    return std::make_unique<WebSocketDialogue>();
}

void WebSocketDialogue::open(const VirtualUser& user, bool /*resumes*/, std::string& out,
                             UserContext& context) {
    step_ = 0;
    head_.clear();
    decoder_.reset();
    key_ = make_websocket_key(context.luck);
    const Target& target = context.plan.target;
    protocol::ClientUpgrade upgrade;
    upgrade.host = context.plan.host;
    append_filled(upgrade.path, target.path, {user.room_name(), user.index(), {}});
    upgrade.key = key_;
    upgrade.subprotocol = target.subprotocol;
    protocol::append_upgrade_request(out, upgrade);
}

void WebSocketDialogue::receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns,
                                std::string& out, UserContext& context) {
    if (!decoder_) bytes = take_head(user, bytes, now_ns, out, context);
    while (!bytes.empty() && user.state() != VirtualUser::State::closed) {
        const auto step = decoder_->feed(bytes);
        on_event(user, step, now_ns, out, context);
        bytes = bytes.subspan(step.consumed);
    }
}

std::span<char> WebSocketDialogue::take_head(VirtualUser& user, std::span<char> bytes,
                                             std::int64_t now_ns, std::string& out,
                                             UserContext& context) {
    constexpr std::string_view empty_line = "\r\n\r\n";
    const std::size_t before = head_.size();
    head_.append(bytes.data(), bytes.size());
    const std::size_t from = before < empty_line.size() ? 0 : before - (empty_line.size() - 1);
    const std::size_t end = head_.find(empty_line, from);
    if (end == std::string::npos) {
        if (head_.size() > upgrade_head_bytes_max) {
            user.fail("the upgrade's answer has no end", context);
        }
        return {};
    }
    const std::size_t head_size = end + empty_line.size();
    std::string error;
    if (!protocol::check_upgrade_response(std::string_view(head_).substr(0, head_size), key_,
                                          error)) {
        if (const std::uint16_t status = status_of(head_); status != 0) {
            ++user.tally(context).statuses[status];
        }
        const std::string first_line = head_.substr(0, head_.find("\r\n"));
        user.fail("upgrade: " + error + " (" + first_line.substr(0, 80) + ")", context);
        return {};
    }
    head_ = std::string();
    key_ = std::string();
    decoder_.emplace(context.plan.decoder);
    take_steps(user, now_ns, out, context);
    return bytes.subspan(head_size - before);
}

void WebSocketDialogue::take_steps(VirtualUser& user, std::int64_t now_ns, std::string& out,
                                   UserContext& context) {
    const auto& steps = context.plan.target.steps;
    for (; step_ < steps.size(); ++step_) {
        if (steps[step_].kind == Target::Step::Kind::expect) return;
        context.text.clear();
        append_filled(context.text, steps[step_].text, {user.room_name(), user.index(), {}});
        append_text_frame(out, context.text, context);
    }
    user.on_ready(now_ns, context);
}

void WebSocketDialogue::on_event(VirtualUser& user, const protocol::WebSocketDecoder::Step& step,
                                 std::int64_t now_ns, std::string& out, UserContext& context) {
    using Event = protocol::WebSocketDecoder::Event;
    switch (step.event) {
        case Event::need_more:
        case Event::pong:
            return;
        case Event::message:
            return on_text(user, decoder_->payload(), now_ns, out, context);
        case Event::ping: {
            const protocol::MaskKey mask = context.luck.mask();
            protocol::append_frame(out, protocol::Opcode::pong, decoder_->payload(), false, &mask);
            return;
        }
        case Event::close: {
            const std::uint16_t code = decoder_->close_code();
            const protocol::MaskKey mask = context.luck.mask();
            // The side that said goodbye first is not answered again.
            if (user.state() != VirtualUser::State::leaving) {
                protocol::append_close_frame(out, code, {}, &mask);
            }
            user.on_close(code, context);
            return;
        }
        case Event::failed: {
            const protocol::MaskKey mask = context.luck.mask();
            protocol::append_close_frame(out, decoder_->close_code(), {}, &mask);
            user.on_broken("broken frame: " + std::string(decoder_->error()), context);
            return;
        }
    }
}

void WebSocketDialogue::on_text(VirtualUser& user, std::string_view text, std::int64_t now_ns,
                                std::string& out, UserContext& context) {
    for (const Target::Reply& reply : context.plan.target.replies) {
        if (text != reply.match) continue;
        append_text_frame(out, reply.answer, context);
        return;
    }
    if (user.state() == VirtualUser::State::opening) {
        on_joining(user, text, now_ns, out, context);
    } else if (user.state() == VirtualUser::State::ready) {
        user.on_push(text, now_ns, context);
    }
}

void WebSocketDialogue::on_joining(VirtualUser& user, std::string_view text, std::int64_t now_ns,
                                   std::string& out, UserContext& context) {
    const Target& target = context.plan.target;
    context.text.clear();
    append_filled(context.text, target.steps[step_].text, {user.room_name(), user.index(), {}});
    if (text.find(context.text) == std::string_view::npos) {
        if (target.numbered && text.starts_with(R"({"type":"error")")) {
            const auto frame = protocol::decode_server_frame(text);
            const auto* error = frame ? std::get_if<protocol::Error>(&frame->message) : nullptr;
            user.fail("join refused: " + (error != nullptr ? error->code : std::string(text)),
                      context);
        }
        return;
    }
    if (target.numbered) {
        const std::string_view room = find_json_string(text, R"("room":")");
        if (room != user.room_name()) {
            return user.fail("joined another room than it asked for", context);
        }
        const auto cursor = protocol::Cursor::parse(find_json_string(text, R"("cursor":")"));
        if (!cursor) return user.fail("joined without a cursor", context);
        user.on_position(cursor->offset);
    }
    ++step_;
    take_steps(user, now_ns, out, context);
}

void WebSocketDialogue::publish(const Stamp& message, std::string& out, UserContext& context) {
    const std::string& payload = context.payload_of(message);
    const std::string room =
        context.plan.room_name(context.plan.scenario.room_of(message.publisher));
    context.text.clear();
    append_filled(context.text, context.plan.target.publish, {room, message.publisher, payload});
    append_text_frame(out, context.text, context);
}

bool WebSocketDialogue::leave(std::string& out, UserContext& context) {
    const protocol::MaskKey mask = context.luck.mask();
    constexpr std::uint16_t normal_closure = 1000;
    protocol::append_close_frame(out, normal_closure, {}, &mask);
    return true;
}

}  // namespace parley::load
