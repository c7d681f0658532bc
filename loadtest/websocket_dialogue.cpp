#include "loadtest/websocket_dialogue.hpp"

#include <algorithm>
#include <variant>

#include "loadtest/json_search.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/cursor.hpp"
#include "protocol/json_codec.hpp"

namespace parley::load {

std::unique_ptr<Dialogue> make_websocket_dialogue() {
    return std::make_unique<WebSocketDialogue>();
}

void WebSocketDialogue::open(const VirtualUser& user, bool /*resumes*/, std::string& out,
                             UserContext& context) {
    begin(context.plan.target);
    std::string path = path_of(user);
    // Who comes back joins by a command, which can say since when.
    if (user.came_back()) path.resize(path.rfind("&room="));
    line_.open(path, target().subprotocol, out, context);
}

bool WebSocketDialogue::may_come_back(const VirtualUser& user) const {
    return target().numbered && !epoch_.empty() && user.last_offset().has_value();
}

void WebSocketDialogue::rejoin(const VirtualUser& user, std::string& out, UserContext& context) {
    std::string& text = context.text;
    text.assign(R"({"type":"join","room":")").append(user.room_name()).append(R"(","since":")");
    protocol::append_cursor(text, {epoch_, user.last_offset().value_or(0)});
    text += R"("})";
    say(text, out, context);
}

void WebSocketDialogue::on_joined_again(VirtualUser& user, std::string_view text,
                                        const protocol::Cursor& cursor, std::int64_t now_ns,
                                        UserContext& context) const {
    const std::size_t history = text.find(R"("history":)");
    const bool recovered =
        text.substr(0, history).find(R"("recovered":true)") != std::string_view::npos;
    if (cursor.epoch != epoch_) {
        return count_reason(user.tally(context).failures, "the room began anew");
    }
    user.on_history(text.substr(std::min(history, text.size())), cursor.offset, recovered, now_ns,
                    context);
}

void WebSocketDialogue::receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns,
                                std::string& out, UserContext& context) {
    while (!bytes.empty() && user.state() != VirtualUser::State::closed) {
        const WebSocketLine::Step step = line_.feed(user, bytes, out, context);
        bytes = bytes.subspan(step.consumed);
        switch (step.event) {
            case WebSocketLine::Event::need_more:
                break;
            case WebSocketLine::Event::upgraded:
                if (user.came_back()) rejoin(user, out, context);
                take_steps(user, now_ns, out, context);
                break;
            case WebSocketLine::Event::text:
                on_text(user, line_.text(), now_ns, out, context);
                break;
        }
    }
}

void WebSocketDialogue::say(std::string_view text, std::string& out, UserContext& context) {
    if (target().binary) return WebSocketLine::append_binary(out, text, context);
    WebSocketLine::append_text(out, text, context);
}

void WebSocketDialogue::on_text(VirtualUser& user, std::string_view text, std::int64_t now_ns,
                                std::string& out, UserContext& context) {
    if (reply_to(text, out, context)) return;
    if (user.state() == VirtualUser::State::opening) {
        on_joining(user, text, now_ns, out, context);
    } else if (user.state() == VirtualUser::State::ready) {
        user.on_push(text, now_ns, context);
    }
}

void WebSocketDialogue::on_joining(VirtualUser& user, std::string_view text, std::int64_t now_ns,
                                   std::string& out, UserContext& context) {
    if (!is_awaited(user, text, context)) {
        if (target().numbered && text.starts_with(R"({"type":"error")")) {
            const auto frame = protocol::decode_server_frame(text);
            const auto* error = frame ? std::get_if<protocol::Error>(&frame->message) : nullptr;
            user.fail("join refused: " + (error != nullptr ? error->code : std::string(text)),
                      context);
        }
        return;
    }
    if (target().numbered) {
        const std::string_view room = find_json_string(text, R"("room":")");
        if (room != user.room_name()) {
            return user.fail("joined another room than it asked for", context);
        }
        const auto cursor = protocol::Cursor::parse(find_json_string(text, R"("cursor":")"));
        if (!cursor) return user.fail("joined without a cursor", context);
        if (user.came_back()) on_joined_again(user, text, *cursor, now_ns, context);
        epoch_ = cursor->epoch;
        user.on_position(cursor->offset);
    }
    step_on(user, now_ns, out, context);
}

bool WebSocketDialogue::leave(std::string& out, UserContext& context) {
    WebSocketLine::append_goodbye(out, context);
    return true;
}

}  // namespace parley::load
