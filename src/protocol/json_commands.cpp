#include <algorithm>
#include <array>
#include <iterator>

#include "protocol/json_append.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/json_decode_frame.hpp"
#include "protocol/rest_codec.hpp"

namespace parley::protocol {
namespace {

// ---- decoding --------------------------------------------------------------------------------

constexpr bool is_event_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '-';
}

// A custom event must not look like a frame of the server's own to those who receive it.
constexpr std::array<std::string_view, 13> reserved_events = {
    "welcome", "joined", "ack",     "error",   "presence", "typing", "read",
    "gap",     "drain",  "history", "members", "left",     "pong"};

std::string read_event(JsonFields& fields) {
    auto event = fields.has(Field::event) ? fields.string(Field::event) : "message";
    if (event == "message") return {};
    if (event.empty() || event.size() > event_length_max ||
        !std::all_of(event.begin(), event.end(), is_event_character)) {
        fields.fail("\"event\" must be 1 to " + std::to_string(event_length_max) +
                    " characters of A-Z a-z 0-9 _ . : -, got " + quoted(event));
    } else if (is_reserved_event(event)) {
        fields.fail("\"event\" must not be " + quoted(event) +
                    ", which is the type of a frame of the server");
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

Command read_typing(JsonFields& fields) {
    Typing typing;
    typing.room = fields.string(Field::room);
    typing.active = fields.boolean_or(Field::active, typing.active);
    return typing;
}

Command read_read(JsonFields& fields) {
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

Command read_members(JsonFields& fields) {
    return Members{fields.string(Field::room)};
}

Command read_ping(JsonFields&) {
    return Ping{};
}

constexpr FrameReader<Command> command_readers[] = {
    {"hello", &read_hello},     {"join", &read_join},       {"leave", &read_leave},
    {"send", &read_send},       {"typing", &read_typing},   {"read", &read_read},
    {"history", &read_history}, {"members", &read_members}, {"ping", &read_ping},
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
};

}  // namespace

bool is_reserved_event(std::string_view name) noexcept {
    return std::find(reserved_events.begin(), reserved_events.end(), name) != reserved_events.end();
}

Decoded<CommandFrame> decode_command(std::string_view text) {
    return decode_frame<CommandFrame, Command>(text, command_readers);
}

Decoded<RestCommand> decode_rest_command(std::string_view type, std::string_view room,
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
    std::string room_literal;
    append_json_string(room_literal, room);
    JsonFields fields(object, problem);
    fields.set(Field::room, room_literal);
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
