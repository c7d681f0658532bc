#include "protocol/rest_codec.hpp"

#include "protocol/json_append.hpp"
#include "protocol/json_fields.hpp"
#include "protocol/json_rooms.hpp"
#include "protocol/json_scan.hpp"

namespace parley::protocol {
namespace {

void append_page_head(std::string& out, const HistoryPage& page, bool recovered) {
    append_string(out, "{\"room\":", page.room);
    if (page.cursor.epoch.empty()) {
        out += ",\"cursor\":null";  // of a room that is not there
    } else {
        append_cursor(out, ",\"cursor\":", page.cursor);
    }
    append_boolean(out, ",\"recovered\":", recovered);
}

// One message as plain chat pages read it. Its parts are copied as they are written: they are JSON
// of our own.
void append_chat_message(std::string& out, std::string_view message) {
    std::string problem;
    JsonFields fields(message, problem);
    const JsonFields from = fields.inner(fields.object(Field::from), "from.");
    const auto append = [&out](std::string_view name, std::string_view raw) {
        out.append(name).append(raw);
    };
    append("{\"id\":", fields.raw(Field::cursor));
    append(",\"offset\":", fields.raw(Field::offset));
    append(",\"room\":", fields.raw(Field::room));
    append(",\"username\":", from.raw(Field::name));
    if (fields.has(Field::deleted)) {
        out += ",\"text\":\"\",\"message\":\"\"";
        append(",\"deleted\":", fields.raw(Field::deleted));
    } else if (fields.has(Field::text)) {
        append(",\"text\":", fields.raw(Field::text));
        append(",\"message\":", fields.raw(Field::text));
    } else {
        append(",\"data\":", fields.raw(Field::data));
    }
    append(",\"timestamp\":", fields.raw(Field::at));
    if (fields.has(Field::edited)) append(",\"edited\":", fields.raw(Field::edited));
    out.push_back('}');
}

}  // namespace

void append_rest_ack(std::string& text, const Ack& ack) {
    constexpr std::size_t all_but_texts = 96;
    TextWriter out(text, all_but_texts + ack.room.size() + ack.at.size());
    append_string(out, "{\"room\":", ack.room);
    append_number(out, ",\"offset\":", ack.cursor.offset);
    append_cursor(out, ",\"cursor\":", ack.cursor);
    append_string(out, ",\"at\":", ack.at);
    out.push_back('}');
}

void append_rest_page(std::string& out, const HistoryPage& page, bool recovered,
                      std::span<const std::string_view> messages) {
    append_page_head(out, page, recovered);
    append_array(out, ",\"messages\":", messages,
                 [](std::string& to, std::string_view json) { to += json; });
    append_boolean(out, ",\"more\":", page.more);
    out.push_back('}');
}

void append_rest_members(std::string& out, const MemberList& list) {
    append_string(out, "{\"room\":", list.room);
    append_users(out, list.members);
    append_number(out, ",\"count\":", list.count);
    out.push_back('}');
}

void append_rest_rooms(std::string& out, std::span<const ListedRoom> rooms, bool more) {
    append_array(out, "{\"rooms\":", rooms, [](std::string& to, const ListedRoom& room) {
        append_string(to, "{\"room\":", room.room);
        append_number(to, ",\"members\":", room.members);
        append_number(to, ",\"last_offset\":", room.last_offset);
        to.push_back('}');
    });
    append_boolean(out, ",\"more\":", more);
    out.push_back('}');
}

void append_rest_visit(std::string& out, const Visit& visit) {
    append_string(out, "{\"room\":", visit.room);
    append_user(out, ",\"user\":", visit.user);
    append_cursor(out, ",\"cursor\":", visit.cursor);
    append_number(out, ",\"count\":", visit.count);
    append_number(out, ",\"ttl_ms\":", visit.ttl_ms);
    out.push_back('}');
}

void append_rest_role(std::string& out, const RolePush& role) {
    out.push_back('{');
    append_members(out, role);
    out.push_back('}');
}

void append_rest_room(std::string& out, const RoomInfo& room) {
    out.push_back('{');
    append_members(out, room);
    out.push_back('}');
}

void append_rest_my_rooms(std::string& out, const MyRooms& rooms) {
    out.push_back('{');
    append_members(out, rooms);
    out.push_back('}');
}

void append_rest_readers(std::string& out, const ReadList& list) {
    out.push_back('{');
    append_members(out, list);
    out.push_back('}');
}

void append_chat_page(std::string& out, const HistoryPage& page, bool recovered,
                      std::span<const std::string_view> messages) {
    append_page_head(out, page, recovered);
    // What is said of other messages shows in those, and of the room not among its messages.
    std::vector<std::string_view> said(messages.begin(), messages.end());
    std::erase_if(said, [](std::string_view one) { return is_amendment(one) || is_topic(one); });
    append_array(out, ",\"messages\":", said, append_chat_message);
    append_boolean(out, ",\"more\":", page.more);
    out.push_back('}');
}

void append_chat_users(std::string& out, const MemberList& list) {
    append_number(out, "{\"count\":", list.count);
    append_array(out, ",\"users\":", list.members,
                 [](std::string& to, const User& user) { append_json_string(to, user.name); });
    out.push_back('}');
}

void append_rest_send(std::string& out, const Send& send, std::string_view name) {
    const auto start = out.size();
    append_body(out, send.body);
    out[start] = '{';  // over the comma
    if (!send.key.empty()) append_string(out, ",\"key\":", send.key);
    if (!send.event.empty()) append_string(out, ",\"event\":", send.event);
    if (!name.empty()) append_string(out, ",\"name\":", name);
    out.push_back('}');
}

Decoded<Ack> decode_rest_ack(std::string_view text) {
    if (const auto problem = check_json(text)) {
        return DecodeError{"the answer is not JSON: " + *problem, {}};
    }
    std::string problem;
    JsonFields fields(trim_json_space(text), problem);
    Ack ack{fields.string(Field::room), fields.cursor(Field::cursor), fields.string(Field::at)};
    if (ack.cursor.offset != fields.integer(Field::offset)) {
        fields.fail("\"offset\" is not that of \"cursor\"");
    }
    if (fields.failed()) return DecodeError{std::move(problem), {}};
    return ack;
}

}  // namespace parley::protocol
