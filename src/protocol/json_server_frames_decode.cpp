#include <iterator>

#include "protocol/json_codec.hpp"
#include "protocol/json_decode_frame.hpp"
#include "protocol/json_rooms.hpp"

namespace parley::protocol {
namespace {

std::vector<User> read_members(JsonFields& fields) {
    std::vector<User> members;
    for (JsonItems items(fields.array(Field::members)); items.next() && !fields.failed();) {
        members.push_back(read_user(fields.inner(items.value(), "members.")));
    }
    return members;
}

Message read_message(JsonFields& fields) {
    Message message;
    message.room = fields.string(Field::room);
    message.cursor = fields.cursor(Field::cursor);
    message.from = read_user(fields.inner(fields.object(Field::from), "from."));
    message.deleted = fields.string_or_empty(Field::deleted);
    if (message.deleted.empty()) message.body = fields.body("a message");
    message.event = fields.string_or_empty(Field::event);
    message.at = fields.string(Field::at);
    message.edited = fields.string_or_empty(Field::edited);
    if (!message.edited.empty()) message.edit = fields.integer(Field::edit);
    return message;
}

std::vector<Message> read_messages(JsonFields& fields, Field field) {
    std::vector<Message> messages;
    for (JsonItems items(fields.array(field)); items.next() && !fields.failed();) {
        auto message = fields.inner(items.value(), "messages.");
        messages.push_back(read_message(message));
    }
    return messages;
}

std::vector<std::string> read_features(JsonFields& fields) {
    std::vector<std::string> features;
    for (JsonItems items(fields.array(Field::features)); items.next() && !fields.failed();) {
        auto item = fields.inner("{}", "features.");
        item.set(Field::name, items.value());
        features.push_back(item.string(Field::name));
    }
    return features;
}

ServerMessage read_welcome(JsonFields& fields) {
    Welcome welcome;
    welcome.session = fields.string(Field::session);
    welcome.user = read_user(fields.inner(fields.object(Field::user), "user."));
    welcome.heartbeat_ms = fields.integer(Field::heartbeat_ms);
    auto limits = fields.inner(fields.object(Field::limits), "limits.");
    welcome.limits = {limits.integer(Field::text_bytes), limits.integer(Field::message_bytes),
                      limits.integer(Field::rooms), limits.integer(Field::history)};
    if (limits.has(Field::file_bytes)) {
        welcome.limits.file_bytes = limits.integer(Field::file_bytes);
    }
    welcome.server = fields.string(Field::server);
    if (fields.has(Field::features)) welcome.features = read_features(fields);
    welcome.signed_in = fields.boolean_or(Field::signed_in, false);
    return welcome;
}

ServerMessage read_joined(JsonFields& fields) {
    Joined joined;
    joined.room = fields.string(Field::room);
    joined.cursor = fields.cursor(Field::cursor);
    joined.recovered = fields.boolean(Field::recovered);
    joined.history = read_messages(fields, Field::history);
    if (fields.has(Field::members)) joined.members = read_members(fields);
    joined.count = fields.integer(Field::count);
    joined.topic = fields.string_or_empty(Field::topic);
    if (fields.has(Field::read)) joined.read = fields.integer(Field::read);
    if (fields.has(Field::direct)) {
        joined.direct = read_user(fields.inner(fields.object(Field::direct), "direct."));
    }
    return joined;
}

ServerMessage read_left(JsonFields& fields) {
    return Left{fields.string(Field::room)};
}

ServerMessage read_ack(JsonFields& fields) {
    Ack ack;
    ack.room = fields.string(Field::room);
    ack.cursor = fields.optional_cursor(Field::cursor).value_or(Cursor{});
    ack.at = fields.string_or_empty(Field::at);
    return ack;
}

ServerMessage read_history_page(JsonFields& fields) {
    HistoryPage page;
    page.room = fields.string(Field::room);
    page.cursor = fields.cursor(Field::cursor);
    page.messages = read_messages(fields, Field::messages);
    page.more = fields.boolean(Field::more);
    return page;
}

ServerMessage read_member_list(JsonFields& fields) {
    MemberList list;
    list.room = fields.string(Field::room);
    list.members = read_members(fields);
    list.count = fields.integer(Field::count);
    return list;
}

ServerMessage read_pong(JsonFields&) {
    return Pong{};
}

ServerMessage read_error(JsonFields& fields) {
    Error error;
    error.code = fields.string(Field::code);
    error.message = fields.string(Field::message);
    error.temporary = fields.boolean_or(Field::temporary, error.temporary);
    if (fields.has(Field::retry_after_ms)) {
        error.retry_after_ms = fields.integer(Field::retry_after_ms);
    }
    return error;
}

ServerMessage read_message_push(JsonFields& fields) {
    return read_message(fields);
}

ServerMessage read_presence(JsonFields& fields) {
    PresencePush presence;
    presence.room = fields.string(Field::room);
    const auto action = fields.string(Field::action);
    if (action == "join") {
        presence.action = PresencePush::Action::join;
    } else if (action == "leave") {
        presence.action = PresencePush::Action::leave;
    } else if (action != "count") {
        fields.fail("\"action\" must be join, leave or count, got " + quoted(action));
    }
    if (fields.has(Field::user))
        presence.user = read_user(fields.inner(fields.object(Field::user), "user."));
    presence.count = fields.integer(Field::count);
    return presence;
}

ServerMessage read_typing(JsonFields& fields) {
    return TypingPush{fields.string(Field::room),
                      read_user(fields.inner(fields.object(Field::user), "user.")),
                      fields.boolean(Field::active)};
}

ServerMessage read_read(JsonFields& fields) {
    return ReadPush{fields.string(Field::room),
                    read_user(fields.inner(fields.object(Field::user), "user.")),
                    fields.integer(Field::offset)};
}

ServerMessage read_gap(JsonFields& fields) {
    return Gap{fields.string(Field::room), fields.integer(Field::from), fields.integer(Field::to),
               fields.cursor(Field::cursor)};
}

ServerMessage read_drain(JsonFields& fields) {
    return Drain{fields.integer(Field::retry_after_ms)};
}

ServerMessage read_role(JsonFields& fields) {
    return read_role_push(fields);
}

ServerMessage read_removal(JsonFields& fields) {
    return read_removed(fields);
}

ServerMessage read_room(JsonFields& fields) {
    return read_room_info(fields);
}

MyRoom read_my_room(JsonFields fields) {
    MyRoom room;
    room.room = fields.string(Field::room);
    room.kind = fields.string(Field::kind);
    room.unavailable = fields.boolean_or(Field::unavailable, false);
    if (room.unavailable) return room;
    if (fields.has(Field::direct)) {
        room.direct = read_user(fields.inner(fields.object(Field::direct), "direct."));
    }
    room.topic = fields.string_or_empty(Field::topic);
    room.last_offset = fields.integer(Field::last_offset);
    room.cursor = fields.cursor(Field::cursor);
    room.read = fields.integer(Field::read);
    room.unread = fields.integer(Field::unread);
    if (fields.has(Field::last)) {
        auto last = fields.inner(fields.object(Field::last), "last.");
        room.last = read_message(last);
    }
    return room;
}

ServerMessage read_my_rooms(JsonFields& fields) {
    MyRooms rooms;
    for (JsonItems items(fields.array(Field::rooms)); items.next() && !fields.failed();) {
        rooms.rooms.push_back(read_my_room(fields.inner(items.value(), "rooms.")));
    }
    return rooms;
}

// The first is by far the most frequent.
constexpr FrameReader<ServerMessage> server_message_readers[] = {
    {"message", &read_message_push},
    {"ack", &read_ack},
    {"presence", &read_presence},
    {"typing", &read_typing},
    {"read", &read_read},
    {"welcome", &read_welcome},
    {"joined", &read_joined},
    {"left", &read_left},
    {"history", &read_history_page},
    {"members", &read_member_list},
    {"pong", &read_pong},
    {"error", &read_error},
    {"gap", &read_gap},
    {"drain", &read_drain},
    {"role", &read_role},
    {"removed", &read_removal},
    {"room", &read_room},
    {"rooms", &read_my_rooms},
};
static_assert(std::size(server_message_readers) == std::variant_size_v<ServerMessage>);

}  // namespace

Decoded<ServerFrame> decode_server_frame(std::string_view text) {
    return decode_frame<ServerFrame, ServerMessage>(text, server_message_readers);
}

}  // namespace parley::protocol
