#include <algorithm>
#include <array>
#include <iterator>

#include "protocol/json_append.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/json_decode_frame.hpp"
#include "protocol/rest_codec.hpp"
#include "protocol/room_words.hpp"

namespace parley::protocol {
namespace {

// ---- decoding --------------------------------------------------------------------------------

constexpr bool is_event_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '-';
}

// A custom event must not look like a frame of the server's own to those who receive it.
constexpr std::array<std::string_view, 16> reserved_events = {
    "welcome", "joined",  "ack",     "error", "presence", "typing", "read",    "gap",
    "drain",   "history", "members", "left",  "pong",     "role",   "removed", "room"};
// Nor like what the server says of other messages, and of the room.
constexpr std::array<std::string_view, 3> own_events = {edit_event, delete_event, "topic"};

std::string read_event(JsonFields& fields) {
    auto event = fields.has(Field::event) ? fields.string(Field::event) : "message";
    if (event == "message") return {};
    if (event.empty() || event.size() > event_length_max ||
        !std::all_of(event.begin(), event.end(), is_event_character)) {
        fields.fail("\"event\" must be 1 to " + std::to_string(event_length_max) +
                    " characters of A-Z a-z 0-9 _ . : -, got " + quoted(event));
    } else if (std::ranges::find(own_events, event) != own_events.end()) {
        fields.fail("\"event\" must not be " + quoted(event) + ", which has a command of its own");
    } else if (is_reserved_event(event)) {
        fields.fail("\"event\" must not be " + quoted(event) +
                    ", which is what the server itself says");
    }
    return event;
}

Command read_hello(JsonFields& fields) {
    return Hello{fields.optional_string(Field::name), fields.optional_string(Field::token)};
}

Command read_join(JsonFields& fields) {
    Join join;
    join.room = fields.string(Field::room);
    join.since = fields.optional_cursor(Field::since);
    join.history = fields.integer_or(Field::history, {0, history_messages_max}, join.history);
    join.presence = fields.boolean_or(Field::presence, join.presence);
    return join;
}

Command read_leave(JsonFields& fields) {
    return Leave{fields.string(Field::room)};
}

Command read_send(JsonFields& fields) {
    Send send;
    send.room = fields.string(Field::room);
    send.body = fields.body("send");
    send.key = fields.string_or_empty(Field::key, send_key_bytes_max);
    send.event = read_event(fields);
    return send;
}

Command read_typing_command(JsonFields& fields) {
    Typing typing;
    typing.room = fields.string(Field::room);
    typing.active = fields.boolean_or(Field::active, typing.active);
    return typing;
}

Command read_read_command(JsonFields& fields) {
    return Read{fields.string(Field::room), fields.integer(Field::offset)};
}

Command read_history(JsonFields& fields) {
    History history;
    history.room = fields.string(Field::room);
    history.before = fields.optional_cursor(Field::before);
    history.since = fields.optional_cursor(Field::since);
    history.limit = fields.integer_or(Field::limit, {1, history_messages_max}, history.limit);
    return history;
}

Command read_members_command(JsonFields& fields) {
    return Members{fields.string(Field::room)};
}

Command read_ping(JsonFields&) {
    return Ping{};
}

Command read_edit(JsonFields& fields) {
    Edit edit;
    edit.room = fields.string(Field::room);
    edit.offset = fields.integer(Field::offset);
    edit.body = fields.body("edit");
    edit.key = fields.string_or_empty(Field::key, send_key_bytes_max);
    return edit;
}

Command read_delete(JsonFields& fields) {
    Delete removal;
    removal.room = fields.string(Field::room);
    removal.offset = fields.integer(Field::offset);
    removal.reason = fields.string_or_empty(Field::reason, reason_bytes_max);
    removal.key = fields.string_or_empty(Field::key, send_key_bytes_max);
    return removal;
}

Command read_direct(JsonFields& fields) {
    Direct direct;
    direct.to = fields.string(Field::to, direct_to_bytes_max);
    direct.body = fields.body("direct");
    direct.key = fields.string_or_empty(Field::key, send_key_bytes_max);
    return direct;
}

std::string read_user_named(JsonFields& fields) {
    auto user = fields.string(Field::user, user_named_bytes_max);
    if (user.empty()) fields.fail("\"user\" must be the name or the id of a user");
    return user;
}

Command read_role_command(JsonFields& fields) {
    SetRole set;
    set.room = fields.string(Field::room);
    set.user = read_user_named(fields);
    const auto name = fields.string(Field::role);
    if (const auto role = role_from(name)) {
        set.role = *role;
    } else {
        fields.fail("\"role\" must be owner, moderator, member, muted, banned or none, got " +
                    quoted(name));
    }
    if (const auto text = fields.optional_string(Field::for_)) {
        set.for_ms = parse_duration_ms(*text);
        if (!set.for_ms || *set.for_ms == 0 || *set.for_ms > role_for_ms_max) {
            fields.fail(
                "\"for\" must be a duration like \"30s\", \"10m\", \"2h\" or \"7d\", at most "
                "\"3650d\", got " +
                quoted(*text));
        } else if (set.role == Role::none) {
            fields.fail("\"for\" is for a role: leave it out with \"none\"");
        }
    }
    set.reason = fields.string_or_empty(Field::reason, reason_bytes_max);
    return set;
}

Command read_kick(JsonFields& fields) {
    Kick kick;
    kick.room = fields.string(Field::room);
    kick.user = read_user_named(fields);
    kick.reason = fields.string_or_empty(Field::reason, reason_bytes_max);
    return kick;
}

Command read_topic(JsonFields& fields) {
    SetTopic set;
    set.room = fields.string(Field::room);
    set.topic = fields.string(Field::topic);
    if (const auto length = count_characters(set.topic); length > topic_characters_max) {
        fields.fail("\"topic\" must be at most " + std::to_string(topic_characters_max) +
                    " characters, got " + std::to_string(length));
    }
    return set;
}

Command read_room_command(JsonFields& fields) {
    return AskRoom{fields.string(Field::room)};
}

Command read_my_rooms_command(JsonFields&) {
    return ListMyRooms{};
}

constexpr FrameReader<Command> command_readers[] = {
    {"hello", &read_hello},
    {"join", &read_join},
    {"leave", &read_leave},
    {"send", &read_send},
    {"typing", &read_typing_command},
    {"read", &read_read_command},
    {"history", &read_history},
    {"members", &read_members_command},
    {"ping", &read_ping},
    {"edit", &read_edit},
    {"delete", &read_delete},
    {"direct", &read_direct},
    {"role", &read_role_command},
    {"kick", &read_kick},
    {"topic", &read_topic},
    {"room", &read_room_command},
    {"rooms", &read_my_rooms_command},
};
static_assert(std::size(command_readers) == std::variant_size_v<Command>);

// ---- encoding --------------------------------------------------------------------------------

// Appends a command's whole object. What has its default value is not written.
struct CommandWriter {
    std::string& out;
    const CommandId& id;

    void head(std::string_view type, std::string_view room) const {
        append_head(out, type, id);
        append_string(out, ",\"room\":", room);
    }
    void optional(std::string_view name, const std::optional<Cursor>& cursor) const {
        if (cursor) append_cursor(out, name, *cursor);
    }

    void operator()(const Hello& hello) const {
        append_head(out, "hello", id);
        if (hello.name) append_string(out, ",\"name\":", *hello.name);
        if (hello.token) append_string(out, ",\"token\":", *hello.token);
    }
    void operator()(const Join& join) const {
        head("join", join.room);
        optional(",\"since\":", join.since);
        if (join.history != Join{}.history) append_number(out, ",\"history\":", join.history);
        if (join.presence) append_boolean(out, ",\"presence\":", true);
    }
    void operator()(const Leave& leave) const { head("leave", leave.room); }
    void operator()(const Send& send) const {
        head("send", send.room);
        append_body(out, send.body);
        if (!send.key.empty()) append_string(out, ",\"key\":", send.key);
        if (!send.event.empty()) append_string(out, ",\"event\":", send.event);
    }
    void operator()(const Typing& typing) const {
        head("typing", typing.room);
        if (!typing.active) append_boolean(out, ",\"active\":", false);
    }
    void operator()(const Read& read) const {
        head("read", read.room);
        append_number(out, ",\"offset\":", read.offset);
    }
    void operator()(const History& history) const {
        head("history", history.room);
        optional(",\"before\":", history.before);
        optional(",\"since\":", history.since);
        if (history.limit != History{}.limit) append_number(out, ",\"limit\":", history.limit);
    }
    void operator()(const Members& members) const { head("members", members.room); }
    void operator()(const Ping&) const { append_head(out, "ping", id); }
    void operator()(const Edit& edit) const {
        head("edit", edit.room);
        append_number(out, ",\"offset\":", edit.offset);
        append_body(out, edit.body);
        if (!edit.key.empty()) append_string(out, ",\"key\":", edit.key);
    }
    void operator()(const ListMyRooms&) const { append_head(out, "rooms", id); }
    void operator()(const Direct& direct) const {
        append_head(out, "direct", id);
        append_string(out, ",\"to\":", direct.to);
        append_body(out, direct.body);
        if (!direct.key.empty()) append_string(out, ",\"key\":", direct.key);
    }
    void operator()(const Delete& removal) const {
        head("delete", removal.room);
        append_number(out, ",\"offset\":", removal.offset);
        if (!removal.reason.empty()) append_string(out, ",\"reason\":", removal.reason);
        if (!removal.key.empty()) append_string(out, ",\"key\":", removal.key);
    }
    void operator()(const SetRole& set) const {
        head("role", set.room);
        append_string(out, ",\"user\":", set.user);
        append_string(out, ",\"role\":", name_of(set.role));
        if (set.for_ms) append_string(out, ",\"for\":", std::to_string(*set.for_ms) + "ms");
        if (!set.reason.empty()) append_string(out, ",\"reason\":", set.reason);
    }
    void operator()(const Kick& kick) const {
        head("kick", kick.room);
        append_string(out, ",\"user\":", kick.user);
        if (!kick.reason.empty()) append_string(out, ",\"reason\":", kick.reason);
    }
    void operator()(const SetTopic& set) const {
        head("topic", set.room);
        append_string(out, ",\"topic\":", set.topic);
    }
    void operator()(const AskRoom& ask) const { head("room", ask.room); }
};

}  // namespace

bool is_reserved_event(std::string_view name) noexcept {
    return std::ranges::find(reserved_events, name) != reserved_events.end() ||
           std::ranges::find(own_events, name) != own_events.end();
}

Decoded<CommandFrame> decode_command(std::string_view text) {
    return decode_frame<CommandFrame, Command>(text, command_readers);
}

Decoded<RestCommand> decode_rest_command(std::string_view type, const RestPath& path,
                                         std::string_view text, RestDialect dialect) {
    if (const auto problem = check_json(text)) {
        return DecodeError{"the body is not JSON: " + *problem, {}};
    }
    std::string problem;
    const auto object = trim_json_space(text);
    if (json_kind(object) != JsonKind::object) {
        problem = "the body must be a JSON object, got ";
        return DecodeError{problem.append(json_kind_name(json_kind(object))), {}};
    }
    std::array<std::string, 4> literals;
    JsonFields fields(object, problem);
    const auto set = [&fields](Field field, std::string& literal, std::string_view value) {
        append_json_string(literal, value);
        fields.set(field, literal);
    };
    set(Field::room, literals[0], path.room);
    if (!path.user.empty()) {
        set(Field::user, literals[1], path.user);
        fields.set(Field::to, literals[1]);
    }
    if (!path.role.empty()) set(Field::role, literals[2], path.role);
    // What is no JSON, like 007, is refused as what it is not: a number.
    if (!path.offset.empty() && check_json(path.offset)) {
        set(Field::offset, literals[3], path.offset);
    } else if (!path.offset.empty()) {
        fields.set(Field::offset, path.offset);
    }
    if (dialect == RestDialect::plain_chat) {
        fields.also_called(Field::name, Field::username);
        fields.also_called(Field::text, Field::message);
    }
    RestCommand out;
    out.name = fields.optional_string(Field::name);
    const auto reader = std::ranges::find(command_readers, type, &FrameReader<Command>::type);
    out.command = reader->read(fields);
    if (fields.failed()) return DecodeError{std::move(problem), {}};
    return out;
}

void append_command(std::string& out, const CommandFrame& frame) {
    std::visit(CommandWriter{out, frame.id}, frame.command);
    out.push_back('}');
}

}  // namespace parley::protocol
