#include "protocol/json_rooms.hpp"

#include "protocol/json_append.hpp"

namespace parley::protocol {
namespace {

constexpr std::string_view kick_name = "kick";
constexpr std::string_view ban_name = "ban";

std::optional<User> read_by(JsonFields& fields) {
    if (!fields.has(Field::by)) return std::nullopt;
    return read_user(fields.inner(fields.object(Field::by), "by."));
}

Role read_role_name(JsonFields& fields) {
    const auto name = fields.string(Field::role);
    const auto role = role_from(name);
    if (!role) fields.fail("\"role\" is unknown: " + quoted(name));
    return role.value_or(Role::none);
}

void append_by(std::string& out, const std::optional<User>& by) {
    if (by) append_user(out, ",\"by\":", *by);
}

void append_unless_empty(std::string& out, std::string_view name, std::string_view value) {
    if (!value.empty()) append_string(out, name, value);
}

}  // namespace

User read_user(JsonFields user) {
    return {user.string(Field::id), user.string(Field::name)};
}

void append_members(std::string& out, const RolePush& role) {
    append_string(out, "\"room\":", role.room);
    append_user(out, ",\"user\":", role.user);
    append_string(out, ",\"role\":", name_of(role.role));
    append_unless_empty(out, ",\"until\":", role.until);
    append_by(out, role.by);
    append_unless_empty(out, ",\"reason\":", role.reason);
}

void append_members(std::string& out, const Removed& removed) {
    append_string(out, "\"room\":", removed.room);
    append_string(out,
                  ",\"action\":", removed.action == Removed::Action::ban ? ban_name : kick_name);
    append_by(out, removed.by);
    append_unless_empty(out, ",\"reason\":", removed.reason);
}

void append_members(std::string& out, const MyRooms& rooms) {
    append_array(out, "\"rooms\":", rooms.rooms, [](std::string& to, const MyRoom& room) {
        append_string(to, "{\"room\":", room.room);
        append_string(to, ",\"kind\":", room.kind);
        if (room.unavailable) {
            to += ",\"unavailable\":true}";
            return;
        }
        if (room.direct) append_user(to, ",\"direct\":", *room.direct);
        append_unless_empty(to, ",\"topic\":", room.topic);
        append_number(to, ",\"last_offset\":", room.last_offset);
        append_cursor(to, ",\"cursor\":", room.cursor);
        append_number(to, ",\"read\":", room.read);
        append_number(to, ",\"unread\":", room.unread);
        if (room.last) append_message(to += ",\"last\":", *room.last);
        to.push_back('}');
    });
}

void append_members(std::string& out, const ReadList& list) {
    append_string(out, "\"room\":", list.room);
    append_array(out, ",\"read\":", list.read, [](std::string& to, const ReadList::Reader& reader) {
        append_user(to, "{\"user\":", reader.user);
        append_number(to, ",\"offset\":", reader.offset);
        to.push_back('}');
    });
}

void append_members(std::string& out, const RoomInfo& room) {
    append_string(out, "\"room\":", room.room);
    append_string(out, ",\"kind\":", name_of(room.kind));
    append_unless_empty(out, ",\"topic\":", room.topic);
    append_number(out, ",\"count\":", room.count);
    append_string(out, ",\"role\":", name_of(room.role));
    append_array(out, ",\"may\":", room.may,
                 [](std::string& to, std::string_view act) { append_json_string(to, act); });
    if (!room.roles) return;
    append_array(out, ",\"roles\":", *room.roles,
                 [](std::string& to, const RoomInfo::Assigned& assigned) {
                     append_user(to, "{\"user\":", assigned.user);
                     append_string(to, ",\"role\":", name_of(assigned.role));
                     append_unless_empty(to, ",\"until\":", assigned.until);
                     to.push_back('}');
                 });
}

RolePush read_role_push(JsonFields& fields) {
    RolePush role;
    role.room = fields.string(Field::room);
    role.user = read_user(fields.inner(fields.object(Field::user), "user."));
    role.role = read_role_name(fields);
    role.until = fields.string_or_empty(Field::until);
    role.by = read_by(fields);
    role.reason = fields.string_or_empty(Field::reason);
    return role;
}

Removed read_removed(JsonFields& fields) {
    Removed removed;
    removed.room = fields.string(Field::room);
    const auto action = fields.string(Field::action);
    if (action == ban_name) {
        removed.action = Removed::Action::ban;
    } else if (action != kick_name) {
        fields.fail("\"action\" must be kick or ban, got " + quoted(action));
    }
    removed.by = read_by(fields);
    removed.reason = fields.string_or_empty(Field::reason);
    return removed;
}

RoomInfo read_room_info(JsonFields& fields) {
    RoomInfo room;
    room.room = fields.string(Field::room);
    const auto kind = fields.string(Field::kind);
    if (const auto known = room_kind_from(kind)) {
        room.kind = *known;
    } else {
        fields.fail("\"kind\" is unknown: " + quoted(kind));
    }
    room.topic = fields.string_or_empty(Field::topic);
    room.count = fields.integer(Field::count);
    room.role = read_role_name(fields);
    for (JsonItems items(fields.array(Field::may)); items.next();) {
        room.may.push_back(unescape_json(items.value()));
    }
    if (!fields.has(Field::roles)) return room;
    room.roles.emplace();
    for (JsonItems items(fields.array(Field::roles)); items.next() && !fields.failed();) {
        auto one = fields.inner(items.value(), "roles.");
        room.roles->push_back({read_user(one.inner(one.object(Field::user), "roles.user.")),
                               read_role_name(one), one.string_or_empty(Field::until)});
    }
    return room;
}

}  // namespace parley::protocol
