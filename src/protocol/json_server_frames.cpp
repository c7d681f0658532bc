#include "protocol/json_append.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/json_rooms.hpp"

namespace parley::protocol {
namespace {

void append_encoded(std::string& out, std::string_view json) {
    out += json;
}

// Paid once a publication. Written out, in the order of the protocol.
void append_message_with_id(std::string& text, const CommandId& id, const Message& message) {
    constexpr std::size_t all_but_texts = 224;
    TextWriter out(text, all_but_texts + message.room.size() + message.from.name.size() +
                             message.body.content.size());
    append_head(out, "message", id);
    append_string(out, ",\"room\":", message.room);
    append_number(out, ",\"offset\":", message.cursor.offset);
    append_cursor(out, ",\"cursor\":", message.cursor);
    append_user(out, ",\"from\":", message.from);
    if (message.deleted.empty()) append_body(out, message.body);
    if (!message.event.empty()) append_string(out, ",\"event\":", message.event);
    if (!message.edited.empty()) {
        append_string(out, ",\"edited\":", message.edited);
        append_number(out, ",\"edit\":", message.edit);
    }
    if (!message.deleted.empty()) append_string(out, ",\"deleted\":", message.deleted);
    append_string(out, ",\"at\":", message.at);  // always the last
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
    if (!joined.topic.empty()) append_string(out, ",\"topic\":", joined.topic);
    if (joined.direct) append_user(out, ",\"direct\":", *joined.direct);
    if (joined.read) append_number(out, ",\"read\":", *joined.read);
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
        if (welcome.limits.file_bytes != 0) {
            append_number(out, ",\"file_bytes\":", welcome.limits.file_bytes);
        }
        append_string(out, "},\"server\":", welcome.server);
        if (!welcome.features.empty()) {
            append_array(
                out, ",\"features\":", welcome.features,
                [](std::string& to, const std::string& name) { append_json_string(to, name); });
        }
        if (welcome.signed_in) append_boolean(out, ",\"signed_in\":", true);
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
    template <typename Members>
    void object(std::string_view type, const Members& members) const {
        append_head(out, type, id);
        out.push_back(',');
        append_members(out, members);
        out.push_back('}');
    }
    void operator()(const RolePush& role) const { object("role", role); }
    void operator()(const Removed& removed) const { object("removed", removed); }
    void operator()(const RoomInfo& room) const { object("room", room); }
    void operator()(const MyRooms& rooms) const { object("rooms", rooms); }
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

std::string_view sender_in(std::string_view message) noexcept {
    // It stands before whatever a sender may choose.
    constexpr std::string_view before = ",\"from\":";
    constexpr std::string_view name = ",\"name\":\"";
    const auto at = message.find(before);
    if (at == std::string_view::npos) return {};
    message.remove_prefix(at + before.size());
    auto end = message.find(name);
    if (end == std::string_view::npos) return {};
    for (end += name.size(); end + 1 < message.size() && message[end] != '"'; ++end) {
        if (message[end] == '\\') ++end;
    }
    return message.substr(0, end + 2);
}

bool is_said_by(std::string_view message, std::string_view id) {
    std::string begin = "{\"id\":";
    append_json_string(begin, id);
    begin.push_back(',');
    return sender_in(message).starts_with(begin);
}

namespace {

// What stands before the time, which is the last of a message: its event, where it has one that was
// never edited.
std::string_view before_time(std::string_view message) noexcept {
    // In a text every quote is escaped.
    const auto at = message.rfind(",\"at\":\"");
    return at == std::string_view::npos ? std::string_view() : message.substr(0, at);
}

}  // namespace

bool is_amendment(std::string_view message) noexcept {
    message = before_time(message);
    return message.ends_with(",\"event\":\"edit\"") || message.ends_with(",\"event\":\"delete\"");
}

bool is_topic(std::string_view message) noexcept {
    return before_time(message).ends_with(",\"event\":\"topic\"");
}

std::string edit_data(std::uint64_t offset, const Body* body) {
    std::string out;
    append_number(out, "{\"offset\":", offset);
    if (body != nullptr) append_body(out, *body);
    out.push_back('}');
    return out;
}

std::string delete_data(std::uint64_t offset, std::string_view reason) {
    std::string out;
    append_number(out, "{\"offset\":", offset);
    if (!reason.empty()) append_string(out, ",\"reason\":", reason);
    out.push_back('}');
    return out;
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
