#include "protocol/json_append.hpp"
#include "protocol/json_codec.hpp"

namespace parley::protocol {
namespace {

void append_encoded(std::string& out, std::string_view json) {
    out += json;
}

// Paid once a publication. Written out, in the order of the protocol.
void append_message_with_id(std::string& out, const CommandId& id, const Message& message) {
    append_head(out, "message", id);
    append_string(out, ",\"room\":", message.room);
    append_number(out, ",\"offset\":", message.cursor.offset);
    append_cursor(out, ",\"cursor\":", message.cursor);
    append_user(out, ",\"from\":", message.from);
    append_body(out, message.body);
    if (!message.event.empty()) append_string(out, ",\"event\":", message.event);
    append_string(out, ",\"at\":", message.at);
    out.push_back('}');
}

template <typename Messages, typename AppendOne>
void append_joined_frame(std::string& out, const CommandId& id, const Joined& joined,
                         const Messages& history, AppendOne append_one) {
    append_head(out, "joined", id);
    append_string(out, ",\"room\":", joined.room);
    append_cursor(out, ",\"cursor\":", joined.cursor);
    append_boolean(out, ",\"recovered\":", joined.recovered);
    append_array(out, ",\"history\":", history, append_one);
    if (joined.members) append_users(out, *joined.members);
    append_number(out, ",\"count\":", joined.count);
    out.push_back('}');
}

template <typename Messages, typename AppendOne>
void append_history_frame(std::string& out, const CommandId& id, const HistoryPage& page,
                          const Messages& messages, AppendOne append_one) {
    append_head(out, "history", id);
    append_string(out, ",\"room\":", page.room);
    append_cursor(out, ",\"cursor\":", page.cursor);
    append_array(out, ",\"messages\":", messages, append_one);
    append_boolean(out, ",\"more\":", page.more);
    out.push_back('}');
}

std::string_view action_name(PresencePush::Action action) {
    switch (action) {
        case PresencePush::Action::join:
            return "join";
        case PresencePush::Action::leave:
            return "leave";
        case PresencePush::Action::count:
            return "count";
    }
    return "count";
}

struct ServerFrameWriter {
    std::string& out;
    const CommandId& id;

    void head(std::string_view type, std::string_view room) const {
        append_head(out, type, id);
        append_string(out, ",\"room\":", room);
    }

    void operator()(const Welcome& welcome) const {
        append_head(out, "welcome", id);
        append_string(out, ",\"session\":", welcome.session);
        append_user(out, ",\"user\":", welcome.user);
        append_number(out, ",\"heartbeat_ms\":", welcome.heartbeat_ms);
        append_number(out, ",\"limits\":{\"text_bytes\":", welcome.limits.text_bytes);
        append_number(out, ",\"message_bytes\":", welcome.limits.message_bytes);
        append_number(out, ",\"rooms\":", welcome.limits.rooms);
        append_number(out, ",\"history\":", welcome.limits.history);
        append_string(out, "},\"server\":", welcome.server);
        out.push_back('}');
    }
    void operator()(const Joined& joined) const {
        append_joined_frame(out, id, joined, joined.history, append_message);
    }
    void operator()(const Left& left) const {
        head("left", left.room);
        out.push_back('}');
    }
    void operator()(const Ack& ack) const {
        head("ack", ack.room);
        if (ack.cursor.offset != 0) {
            append_number(out, ",\"offset\":", ack.cursor.offset);
            append_cursor(out, ",\"cursor\":", ack.cursor);
            append_string(out, ",\"at\":", ack.at);
        }
        out.push_back('}');
    }
    void operator()(const HistoryPage& page) const {
        append_history_frame(out, id, page, page.messages, append_message);
    }
    void operator()(const MemberList& list) const {
        head("members", list.room);
        append_users(out, list.members);
        append_number(out, ",\"count\":", list.count);
        out.push_back('}');
    }
    void operator()(const Pong&) const {
        append_head(out, "pong", id);
        out.push_back('}');
    }
    void operator()(const Error& error) const {
        append_head(out, "error", id);
        append_string(out, ",\"code\":", error.code);
        append_string(out, ",\"message\":", error.message);
        append_boolean(out, ",\"temporary\":", error.temporary);
        if (error.retry_after_ms) {
            append_number(out, ",\"retry_after_ms\":", *error.retry_after_ms);
        }
        out.push_back('}');
    }
    void operator()(const Message& message) const { append_message_with_id(out, id, message); }
    void operator()(const PresencePush& presence) const {
        head("presence", presence.room);
        append_string(out, ",\"action\":", action_name(presence.action));
        if (presence.user) append_user(out, ",\"user\":", *presence.user);
        append_number(out, ",\"count\":", presence.count);
        out.push_back('}');
    }
    void operator()(const TypingPush& typing) const {
        head("typing", typing.room);
        append_user(out, ",\"user\":", typing.user);
        append_boolean(out, ",\"active\":", typing.active);
        out.push_back('}');
    }
    void operator()(const ReadPush& read) const {
        head("read", read.room);
        append_user(out, ",\"user\":", read.user);
        append_number(out, ",\"offset\":", read.offset);
        out.push_back('}');
    }
    void operator()(const Gap& gap) const {
        head("gap", gap.room);
        append_number(out, ",\"from\":", gap.from);
        append_number(out, ",\"to\":", gap.to);
        append_cursor(out, ",\"cursor\":", gap.cursor);
        out.push_back('}');
    }
    void operator()(const Drain& drain) const {
        append_head(out, "drain", id);
        append_number(out, ",\"retry_after_ms\":", drain.retry_after_ms);
        out.push_back('}');
    }
};

}  // namespace

void append_message(std::string& out, const Message& message) {
    append_message_with_id(out, {}, message);
}

std::string_view epoch_of_message(std::string_view message) noexcept {
    // What stands before it, a type, a room's name and a number, can't hold a quote.
    constexpr std::string_view before = ",\"cursor\":\"";
    const auto begin = message.find(before);
    if (begin == std::string_view::npos) return {};
    message.remove_prefix(begin + before.size());
    return message.substr(0, message.find(':'));
}

void append_message_in_epoch(std::string& out, std::string_view message, const Epoch& epoch) {
    const std::string_view old = epoch_of_message(message);
    const auto begin = static_cast<std::size_t>(old.data() - message.data());
    out.append(message.substr(0, begin))
        .append(epoch.view())
        .append(message.substr(begin + old.size()));
}

void append_server_frame(std::string& out, const ServerFrame& frame) {
    std::visit(ServerFrameWriter{out, frame.id}, frame.message);
}

void append_joined(std::string& out, const CommandId& id, const Joined& joined,
                   std::span<const std::string_view> history) {
    append_joined_frame(out, id, joined, history, append_encoded);
}

void append_history(std::string& out, const CommandId& id, const HistoryPage& page,
                    std::span<const std::string_view> messages) {
    append_history_frame(out, id, page, messages, append_encoded);
}

}  // namespace parley::protocol
