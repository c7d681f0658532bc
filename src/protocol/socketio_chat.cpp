// What the chat says: pushes of parley.v1 as events.
#include "protocol/socketio_chat.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/direct_room.hpp"
#include "protocol/json_append.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/json_fields.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/socketio.hpp"

namespace parley::protocol {
namespace {

// Said to one socket alone.
constexpr std::array<std::string_view, 7> own_words{"error",   "gap",   "drain", "role",
                                                    "removed", "topic", "left"};

constexpr std::string_view quote = "\"";

// The members of a push that its events are made of, as they are written. What the core wrote needs
// no check, and is copied as it is.
struct Push {
    explicit Push(std::string_view json) {
        for (JsonItems items(json); items.next();) {
            if (const auto field = find_field(items.key())) take(*field, items.value());
        }
    }
    void take(Field field, std::string_view value) {
        values[static_cast<std::size_t>(field)] = value;
    }
    [[nodiscard]] std::string_view operator[](Field field) const {
        return values[static_cast<std::size_t>(field)];
    }
    // `name` of the object that `field` is.
    [[nodiscard]] std::string_view name_in(Field field) const {
        for (JsonItems items((*this)[field]); items.next();) {
            if (items.key() == "name") return items.value();
        }
        return "\"\"";
    }
    // What stands between the quotes of a string without escapes.
    [[nodiscard]] std::string_view word(Field field) const {
        const auto value = (*this)[field];
        return value.size() < 2 ? std::string_view() : value.substr(1, value.size() - 2);
    }

    std::array<std::string_view, static_cast<std::size_t>(Field::end_)> values{};
};

void append_raw(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(value);
}

void append_room(std::string& out, const ChatVoice& voice, std::string_view room) {
    out.append(R"(,"room":")").append(room_heard(voice.prefix, room)).append(quote);
}

// `{"username":…}` of a message, with its data, if it has any, put as attachments where it can be.
void append_message_object(ChatEvent& to, const ChatVoice& voice, const Push& push) {
    std::string& out = to.args;
    append_raw(out, R"({"username":)", push.name_in(Field::from));
    if (!push[Field::deleted].empty()) {
        out += R"(,"text":"","message":"")";
        append_raw(out, R"(,"deleted":)", push[Field::deleted]);
    } else if (push[Field::text].empty()) {
        out += R"(,"data":)";
        append_with_attachments(out, to.attachments, push[Field::data], voice.attachments_max);
    } else {
        append_raw(out, R"(,"text":)", push[Field::text]);
        append_raw(out, R"(,"message":)", push[Field::text]);
    }
    // A custom event that could be taken for one of the chat's own.
    if (!push[Field::event].empty()) append_raw(out, R"(,"event":)", push[Field::event]);
    append_raw(out, R"(,"timestamp":)", push[Field::at]);
    if (!push[Field::edited].empty()) append_raw(out, R"(,"edited":)", push[Field::edited]);
    append_room(out, voice, push.word(Field::room));
    append_raw(out, R"(,"offset":)", push[Field::offset]);
    append_raw(out, R"(,"id":)", push[Field::cursor]);
    out.push_back('}');
}

bool is_edit(const Push& push) {
    return push.word(Field::event) == edit_event;
}

bool is_deletion(const Push& push) {
    return push.word(Field::event) == delete_event;
}

void begin_event(std::string& out, std::string_view name) {
    out.push_back('[');
    append_json_string(out, name);
}

void append_message_events(std::vector<ChatEvent>& out, const ChatVoice& voice, const Push& push,
                           std::uint32_t said) {
    const auto& config = *voice.config;
    const auto names = is_direct_room(push.word(Field::room)) ? std::span(&config.direct_event, 1)
                                                              : std::span(config.message_events);
    for (std::uint32_t i = said; i < names.size(); ++i) {
        ChatEvent& event = out.emplace_back();
        begin_event(event.args, names[i]);
        event.args.push_back(',');
        append_message_object(event, voice, push);
        if (voice.offsets) {
            event.args.append(",\"").append(push.word(Field::cursor));
            if (i + 1 < names.size()) {
                event.args.push_back('/');
                append_decimal(event.args, i + 1);
            }
            event.args.push_back('"');
        }
        event.args.push_back(']');
    }
}

// What was edited or deleted goes by its own offset and id, as it was said. An edit whose words were
// changed again is none.
void append_amendment_event(std::vector<ChatEvent>& out, const ChatVoice& voice, const Push& push) {
    const Push change(push[Field::data]);
    const bool edit = is_edit(push);
    const bool has_text = !change[Field::text].empty();
    if (edit && !has_text && change[Field::data].empty()) return;
    ChatEvent& event = out.emplace_back();
    std::string& args = event.args;
    begin_event(args, edit ? voice.config->edited_event : voice.config->deleted_event);
    append_raw(args, R"(,{"username":)", push.name_in(Field::from));
    if (has_text) {
        append_raw(args, R"(,"text":)", change[Field::text]);
        append_raw(args, R"(,"message":)", change[Field::text]);
    } else if (edit) {
        args += R"(,"data":)";
        append_with_attachments(args, event.attachments, change[Field::data],
                                voice.attachments_max);
    }
    if (!change[Field::reason].empty()) append_raw(args, R"(,"reason":)", change[Field::reason]);
    append_raw(args, R"(,"timestamp":)", push[Field::at]);
    append_room(args, voice, push.word(Field::room));
    const auto cursor = push.word(Field::cursor);
    append_raw(args, R"(,"offset":)", change[Field::offset]);
    args.append(R"(,"id":")").append(cursor.substr(0, cursor.find(':') + 1));
    args.append(change[Field::offset]).append("\"}");
    if (voice.offsets) append_raw(args, ",", push[Field::cursor]);
    args.push_back(']');
}

void append_custom_event(std::vector<ChatEvent>& out, const ChatVoice& voice, const Push& push) {
    ChatEvent& event = out.emplace_back();
    std::string& args = event.args;
    append_raw(args, "[", push[Field::event]);
    std::string_view data = push[Field::data];
    if (json_kind(data) == JsonKind::array) {
        thread_local std::string list;
        list.clear();
        append_with_attachments(list, event.attachments, data, voice.attachments_max);
        const auto inner = std::string_view(list).substr(1, list.size() - 2);
        if (!inner.empty()) append_raw(args, ",", inner);
    } else {
        if (data.empty()) data = push[Field::text];
        args.push_back(',');
        append_with_attachments(args, event.attachments, data, voice.attachments_max);
    }
    if (voice.offsets) append_raw(args, ",", push[Field::cursor]);
    args.push_back(']');
}

// `["name",{"username":…,"room":…`, of what is gone when it was not heard: without an offset, it
// ends in an object, or a client would take a string there for one.
std::string& begin_transient(std::vector<ChatEvent>& out, const ChatVoice& voice,
                             std::string_view name, const Push& push) {
    std::string& args = out.emplace_back().args;
    begin_event(args, name);
    append_raw(args, R"(,{"username":)", push.name_in(Field::user));
    append_room(args, voice, push.word(Field::room));
    return args;
}

void append_typing_event(std::vector<ChatEvent>& out, const ChatVoice& voice, const Push& push) {
    const auto& config = *voice.config;
    const bool stops = push[Field::active] == "false";
    const auto& name =
        stops && !config.stop_typing_event.empty() ? config.stop_typing_event : config.typing_event;
    std::string& args = begin_transient(out, voice, name, push);
    append_raw(args, R"(,"active":)", push[Field::active]);
    append_raw(args, R"(,"typing":)", push[Field::active]);
    args += "}]";
}

void append_read_event(std::vector<ChatEvent>& out, const ChatVoice& voice, const Push& push) {
    std::string& args = begin_transient(out, voice, voice.config->read_event, push);
    append_raw(args, R"(,"offset":)", push[Field::offset]);
    args += "}]";
}

void append_topic_event(std::vector<ChatEvent>& out, const ChatVoice& voice, const Push& push) {
    std::string& args = out.emplace_back().args;
    begin_event(args, "topic");
    append_raw(args, R"(,{"username":)", push.name_in(Field::from));
    append_raw(args, R"(,"topic":)", Push(push[Field::data])[Field::topic]);
    append_raw(args, R"(,"timestamp":)", push[Field::at]);
    append_room(args, voice, push.word(Field::room));
    append_raw(args, R"(,"offset":)", push[Field::offset]);
    append_raw(args, R"(,"id":)", push[Field::cursor]);
    args.push_back('}');
    if (voice.offsets) append_raw(args, ",", push[Field::cursor]);
    args.push_back(']');
}

void append_role_event(std::vector<ChatEvent>& out, const ChatVoice& voice, const Push& push) {
    std::string& args = begin_transient(out, voice, "role", push);
    append_raw(args, R"(,"role":)", push[Field::role]);
    if (!push[Field::until].empty()) append_raw(args, R"(,"until":)", push[Field::until]);
    if (!push[Field::by].empty()) append_raw(args, R"(,"by":)", push.name_in(Field::by));
    if (!push[Field::reason].empty()) append_raw(args, R"(,"reason":)", push[Field::reason]);
    args += "}]";
}

void append_presence_event(std::vector<ChatEvent>& out, const ChatVoice& voice, const Push& push) {
    const auto& config = *voice.config;
    const auto action = push.word(Field::action);
    if (action == "count") {
        std::uint64_t count = 0;
        const auto digits = push[Field::count];
        std::from_chars(digits.data(), digits.data() + digits.size(), count);
        out.push_back(users_event(voice, push.word(Field::room), count, {}, std::nullopt));
        return;
    }
    const auto& name = action == "join" ? config.joined_event : config.left_event;
    std::string& args = begin_transient(out, voice, name, push);
    append_raw(args, R"(,"count":)", push[Field::count]);
    args += "}]";
}

void append_message_list(ChatEvent& event, const ChatVoice& voice,
                         std::span<const std::string_view> messages) {
    event.args.push_back('[');
    for (const std::string_view message : messages) {
        const Push push(message);
        if (is_edit(push) || is_deletion(push)) continue;  // it shows in what it is about
        if (push.word(Field::event) == "topic") continue;  // it is said of the room
        if (event.args.back() == '}') event.args.push_back(',');
        append_message_object(event, voice, push);
    }
    event.args.push_back(']');
}

void append_last(std::string& out, const std::optional<RecoveryOffset>& last) {
    if (!last) return;
    out += ",\"";
    append_recovery_offset(out, *last);
    out.push_back('"');
}

// The number behind a mark, from 1 on.
std::optional<std::uint32_t> number_behind(std::string_view text, std::size_t mark) noexcept {
    std::uint32_t number = 0;
    const char* const begin = text.data() + mark + 1;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(begin, end, number);
    if (error != std::errc() || stopped != end || begin == end || number == 0) return std::nullopt;
    return number;
}

}  // namespace

bool is_event_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= event_length_max &&
           std::ranges::none_of(
               name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }) &&
           !is_raised_by_clients(name);
}

bool is_said_event_name(std::string_view name) noexcept {
    return is_event_name(name) && std::ranges::find(own_words, name) == own_words.end();
}

bool is_custom_event(const SocketIoChatConfig& config, std::string_view name) {
    if (!is_said_event_name(name) || is_reserved_event(name)) return false;
    if (std::ranges::find(config.message_events, name) != config.message_events.end()) return false;
    const std::array<std::string_view, 11> own{
        config.history_event, config.joined_event,       config.left_event,
        config.users_event,   config.typing_event,       config.stop_typing_event,
        config.read_event,    config.edited_event,       config.deleted_event,
        config.direct_event,  config.direct_joined_event};
    return std::ranges::find(own, name) == own.end();
}

std::optional<ChatNamespace> parse_chat_namespace(std::string_view text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == ':' || c == '@' || c == '-';
    };
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto name = text.substr(0, equals);
    const auto prefix = text.substr(equals + 1);
    constexpr std::size_t bytes_max = 64;
    if (name.size() < 2 || name.size() > bytes_max || name.front() != '/') return std::nullopt;
    if (prefix.empty() || prefix.size() > bytes_max) return std::nullopt;
    const bool named =
        std::ranges::all_of(name.substr(1), [&plain](char c) { return plain(c) || c == '/'; });
    // A room's name begins with a letter or digit.
    const bool begins = plain(prefix.front()) &&
                        std::string_view("._:@-").find(prefix.front()) == std::string_view::npos;
    if (!named || !begins || !std::ranges::all_of(prefix, plain)) return std::nullopt;
    return ChatNamespace{std::string(name), std::string(prefix)};
}

void append_recovery_offset(std::string& out, const RecoveryOffset& offset) {
    append_cursor(out, offset.cursor);
    const std::uint32_t number = offset.join != 0 ? offset.join : offset.events;
    if (number == 0) return;
    out.push_back(offset.join != 0 ? '+' : '/');
    append_decimal(out, number);
}

std::optional<RecoveryOffset> parse_recovery_offset(std::string_view text) noexcept {
    RecoveryOffset offset;
    const auto mark = text.find_first_of("+/");
    const auto cursor = Cursor::parse(text.substr(0, mark));
    if (!cursor) return std::nullopt;
    offset.cursor = *cursor;
    if (mark == std::string_view::npos) return offset;
    const auto number = number_behind(text, mark);
    if (!number) return std::nullopt;
    (text[mark] == '+' ? offset.join : offset.events) = *number;
    return offset;
}

std::string_view room_heard(std::string_view prefix, std::string_view room) noexcept {
    return room.starts_with(prefix) ? room.substr(prefix.size()) : room;
}

void append_push_events(std::vector<ChatEvent>& out, const ChatVoice& voice, std::string_view json,
                        std::uint32_t said) {
    const Push push(json);
    const auto type = push.word(Field::type);
    if (type == "typing") return append_typing_event(out, voice, push);
    if (type == "read") return append_read_event(out, voice, push);
    if (type == "presence") return append_presence_event(out, voice, push);
    if (type == "role") return append_role_event(out, voice, push);
    if (is_edit(push) || is_deletion(push)) return append_amendment_event(out, voice, push);
    if (push.word(Field::event) == "topic") return append_topic_event(out, voice, push);
    const auto event = push[Field::event];
    if (!event.empty() && is_custom_event(*voice.config, unescape_json(event))) {
        return append_custom_event(out, voice, push);
    }
    append_message_events(out, voice, push, said);
}

ChatEvent direct_joined_event(const ChatVoice& voice, std::string_view room, const User* with,
                              std::span<const std::string_view> messages,
                              const std::optional<RecoveryOffset>& last) {
    ChatEvent event;
    std::string& args = event.args;
    begin_event(args, voice.config->direct_joined_event);
    args.append(R"(,{"room":")").append(room_heard(voice.prefix, room)).append(quote);
    if (with != nullptr) append_string(args, R"(,"username":)", with->name);
    args += R"(,"messages":)";
    ChatVoice plain = voice;
    plain.attachments_max = 0;
    append_message_list(event, plain, messages);
    args.push_back('}');
    append_last(args, last);
    args.push_back(']');
    return event;
}

ChatEvent history_event(const ChatVoice& voice, std::span<const std::string_view> messages,
                        const std::optional<RecoveryOffset>& last) {
    const auto make = [&](const ChatVoice& how) {
        ChatEvent event;
        begin_event(event.args, how.config->history_event);
        event.args.push_back(',');
        append_message_list(event, how, messages);
        append_last(event.args, last);
        event.args.push_back(']');
        return event;
    };
    ChatEvent event = make(voice);
    const auto has_placeholder = [](std::string_view json) {
        return json.find("_placeholder") != std::string_view::npos ||
               json.find("\\u") != std::string_view::npos;
    };
    if (event.attachments.empty() || (event.attachments.size() <= voice.attachments_max &&
                                      std::ranges::none_of(messages, has_placeholder))) {
        return event;
    }
    // Each message may have its attachments, all of them together may not.
    ChatVoice plain = voice;
    plain.attachments_max = 0;
    return make(plain);
}

ChatEvent role_event(const ChatVoice& voice, const RolePush& role) {
    std::string json;
    append_server_frame(json, {{}, role});
    std::vector<ChatEvent> events;
    append_push_events(events, voice, json);
    return std::move(events.front());
}

ChatEvent removed_event(const ChatVoice& voice, const Removed& removed) {
    ChatEvent event;
    std::string& args = event.args;
    begin_event(args, "removed");
    args.append(R"(,{"room":")").append(room_heard(voice.prefix, removed.room)).append(quote);
    args += removed.action == Removed::Action::ban ? R"(,"action":"ban")" : R"(,"action":"kick")";
    if (removed.by) append_string(args, R"(,"by":)", removed.by->name);
    if (!removed.reason.empty()) append_string(args, R"(,"reason":)", removed.reason);
    args += "}]";
    return event;
}

ChatEvent users_event(const ChatVoice& voice, std::string_view room, std::uint64_t count,
                      std::span<const User> users, const std::optional<RecoveryOffset>& last) {
    ChatEvent event;
    std::string& args = event.args;
    begin_event(args, voice.config->users_event);
    args.append(R"(,{"room":")").append(room_heard(voice.prefix, room)).append(quote);
    append_number(args, R"(,"count":)", count);
    append_array(args, R"(,"users":)", users,
                 [](std::string& out, const User& user) { append_json_string(out, user.name); });
    args.push_back('}');
    append_last(args, last);
    args.push_back(']');
    return event;
}

}  // namespace parley::protocol
