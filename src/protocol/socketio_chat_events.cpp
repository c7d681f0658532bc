// What clients say: their events as commands.
#include <algorithm>
#include <charconv>

#include "protocol/direct_room.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/json_fields.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/room_words.hpp"
#include "protocol/socketio.hpp"
#include "protocol/socketio_chat.hpp"

namespace parley::protocol {
namespace {

using Why = ChatRefusal::Why;

bool is_one_of(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

// A member that may go by several names: the first of them that is there and not null.
std::string_view member(std::string_view object, std::initializer_list<std::string_view> names) {
    std::string_view found;
    auto best = names.size();
    for (JsonItems items(object); items.next();) {
        if (json_kind(items.value()) == JsonKind::null) continue;
        const bool escaped = items.key().find('\\') != std::string_view::npos;
        const std::string unescaped = escaped ? unescape_json_key(items.key()) : std::string();
        const auto key = escaped ? std::string_view(unescaped) : items.key();
        const auto at =
            static_cast<std::size_t>(std::find(names.begin(), names.end(), key) - names.begin());
        if (at > best || at == names.size()) continue;
        best = at;
        found = items.value();
    }
    return found;
}

// Reads one event. What is wrong first is kept, and what is read after it does not count.
class EventReader {
public:
    EventReader(const SocketIoChatConfig& config, std::span<const std::string> joined)
        : config_(config), joined_(joined) {}

    boost::system::result<ChatRequest, ChatRefusal> read(std::string_view args,
                                                         std::span<const std::string> attachments);

private:
    Command send(std::string_view name);
    Command join();
    Command leave();
    Command typing(bool active);
    Command read_receipt();
    Command edit(std::string_view name);
    Command removal();
    Command direct(std::string_view name);
    std::uint64_t offset(std::string_view what);
    std::string key();
    Body body(std::string_view name, std::string_view form);
    Command relay(std::string_view name, std::string_view args,
                  std::span<const std::string> attachments);

    void fail(Why why, std::string message) {
        if (!refusal_) refusal_ = ChatRefusal{why, std::move(message)};
    }
    // A member that is a string, where it is there.
    std::optional<std::string> text(std::string_view what, std::string_view value) {
        const JsonKind kind = json_kind(value);
        if (kind == JsonKind::absent || kind == JsonKind::null) return std::nullopt;
        if (kind == JsonKind::string) return unescape_json(value);
        fail(Why::bad_request, "\"" + std::string(what) + "\" must be a string, got " +
                                   std::string(json_kind_name(kind)));
        return std::nullopt;
    }
    // The room that an event is about: the one it names, or the one joined last.
    std::string room() {
        if (auto named = text("room", member(first_, {"room"}))) return std::move(*named);
        // Nobody speaks to one alone by not saying where.
        const auto last = std::find_if_not(joined_.rbegin(), joined_.rend(), &is_direct_room);
        if (last != joined_.rend()) return *last;
        fail(Why::not_joined, "join a room first: no room was joined, and none is named");
        return {};
    }
    [[nodiscard]] JsonKind kind() const { return json_kind(first_); }
    // Anything but an object, and what is listed, is wrong here.
    void expect(std::string_view event, std::string_view expected,
                std::initializer_list<JsonKind> kinds) {
        if (std::ranges::find(kinds, kind()) != kinds.end()) return;
        std::string message = "the event ";
        message.append(quoted(event)).append(" takes ").append(expected).append(", got ");
        fail(Why::bad_request, message.append(json_kind_name(kind())));
    }

    const SocketIoChatConfig& config_;
    std::span<const std::string> joined_;
    std::string_view first_;  // argument
    std::string rewritten_;   // the first argument, where it had attachments
    std::optional<ChatRefusal> refusal_;
};

Command EventReader::send(std::string_view name) {
    Send send;
    if (kind() == JsonKind::string) {
        send.room = room();
        send.body.content = unescape_json(first_);
        return send;
    }
    constexpr std::string_view form =
        "a string or {\"text\", \"message\" or \"msg\", or \"data\", room?, username?, key?}";
    expect(name, form, {JsonKind::object});
    if (refusal_) return send;
    send.room = room();
    send.body = body(name, form);
    send.key = key();
    return send;
}

// Of the first argument, an object.
Body EventReader::body(std::string_view name, std::string_view form) {
    if (auto said = text("text", member(first_, {"text", "message", "msg"}))) {
        return {Body::Kind::text, std::move(*said)};
    }
    if (const auto data = member(first_, {"data"}); !data.empty()) {
        return {Body::Kind::data, compact_json(data)};
    }
    if (!member(first_, {"$binary"}).empty()) return {Body::Kind::data, compact_json(first_)};
    expect(name, form, {});
    return {};
}

std::string EventReader::key() {
    auto said = text("key", member(first_, {"key"})).value_or(std::string());
    if (said.size() > send_key_bytes_max) {
        fail(Why::bad_request, "\"key\" must be a string of at most " +
                                   std::to_string(send_key_bytes_max) + " bytes");
    }
    return said;
}

Command EventReader::join() {
    Join join;
    join.presence = true;
    expect("join", "a room's name or {room?, username?}",
           {JsonKind::string, JsonKind::object, JsonKind::absent, JsonKind::null});
    if (kind() == JsonKind::string) {
        join.room = unescape_json(first_);
    } else if (auto named = text("room", member(first_, {"room"}))) {
        join.room = std::move(*named);
    } else if (config_.default_room.empty()) {
        fail(Why::bad_request, "\"room\" is missing: expected the name of the room to join");
    } else {
        join.room = config_.default_room;
    }
    return join;
}

Command EventReader::leave() {
    expect("leave", "a room's name or {room?}",
           {JsonKind::string, JsonKind::object, JsonKind::absent, JsonKind::null});
    return Leave{kind() == JsonKind::string ? unescape_json(first_) : room()};
}

Command EventReader::typing(bool active) {
    Typing typing;
    typing.active = active;
    if (kind() == JsonKind::boolean) {
        typing.active = active && first_ == "true";
    } else if (kind() == JsonKind::string) {
        // Some say where, some say who: who it is is known.
        std::string said = unescape_json(first_);
        if (std::ranges::find(joined_, said) != joined_.end()) {
            typing.room = std::move(said);
            return typing;
        }
    } else if (const auto on = member(first_, {"active", "typing", "is_typing", "isTyping"});
               !on.empty()) {
        if (json_kind(on) != JsonKind::boolean) {
            fail(Why::bad_request, "\"active\" must be true or false, got " +
                                       std::string(json_kind_name(json_kind(on))));
        }
        typing.active = active && on == "true";
    }
    typing.room = room();
    return typing;
}

// Of the message that the event names, by its offset or its id.
std::uint64_t EventReader::offset(std::string_view what) {
    std::uint64_t named = 0;
    const auto number = kind() == JsonKind::number ? first_ : member(first_, {"offset"});
    const auto* const end = number.data() + number.size();
    const auto [stopped, error] = std::from_chars(number.data(), end, named);
    if (!number.empty() && error == std::errc() && stopped == end) return named;
    const auto id = text("id", member(first_, {"id"}));
    if (const auto cursor = id ? Cursor::parse(*id) : std::nullopt) return cursor->offset;
    fail(Why::bad_request,
         quoted(what) + " takes {offset, room?}, where offset is a message's, or {id, room?}");
    return 0;
}

Command EventReader::read_receipt() {
    Read read;
    read.offset = offset("read");
    if (!refusal_) read.room = room();
    return read;
}

Command EventReader::edit(std::string_view name) {
    constexpr std::string_view form =
        "{\"offset\" or \"id\", \"text\", \"message\" or \"msg\", or \"data\", room?, key?}";
    Edit edit;
    expect(name, form, {JsonKind::object});
    if (refusal_) return edit;
    edit.offset = offset(name);
    edit.room = room();
    edit.body = body(name, form);
    edit.key = key();
    return edit;
}

Command EventReader::removal() {
    Delete removal;
    removal.offset = offset("delete");
    if (refusal_) return removal;
    removal.room = room();
    removal.reason = text("reason", member(first_, {"reason"})).value_or(std::string());
    if (removal.reason.size() > reason_bytes_max) {
        fail(Why::bad_request, "\"reason\" must be a string of at most " +
                                   std::to_string(reason_bytes_max) + " bytes");
    }
    removal.key = key();
    return removal;
}

Command EventReader::direct(std::string_view name) {
    constexpr std::string_view form =
        "{\"to\", \"text\", \"message\" or \"msg\", or \"data\", key?}";
    Direct direct;
    expect(name, form, {JsonKind::object});
    if (refusal_) return direct;
    auto to = text("to", member(first_, {"to", "recipient"}));
    if (!to || to->empty() || to->size() > direct_to_bytes_max) {
        fail(Why::bad_request, "\"to\" must be the name or id of a user");
        return direct;
    }
    direct.to = std::move(*to);
    direct.body = body(name, form);
    direct.key = key();
    return direct;
}

Command EventReader::relay(std::string_view name, std::string_view args,
                           std::span<const std::string> attachments) {
    Send send;
    send.room = room();
    send.event = name;
    send.body.kind = Body::Kind::data;
    std::string list = "[";
    JsonItems items(args);
    for (static_cast<void>(items.next()); items.next();) {
        if (list.size() > 1) list.push_back(',');
        append_with_binary(list, items.value(), attachments);
    }
    list.push_back(']');
    send.body.content = std::move(list);
    return send;
}

boost::system::result<ChatRequest, ChatRefusal> EventReader::read(
    std::string_view args, std::span<const std::string> attachments) {
    JsonItems items(args);
    static_cast<void>(items.next());
    const std::string name = event_name(args);
    if (items.next()) first_ = items.value();
    if (!attachments.empty()) {
        append_with_binary(rewritten_, first_, attachments);
        first_ = rewritten_;
    }
    ChatRequest request{std::nullopt, Ping{}};
    bool names_sender = true;
    if (is_one_of(config_.send_events, name)) {
        request.command = send(name);
    } else if (is_one_of(config_.join_events, name)) {
        request.command = join();
    } else if (is_one_of(config_.leave_events, name)) {
        request.command = leave();
        names_sender = false;
    } else if (is_one_of(config_.typing_events, name)) {
        request.command = typing(true);
        names_sender = false;
    } else if (is_one_of(config_.stop_typing_events, name)) {
        request.command = typing(false);
        names_sender = false;
    } else if (is_one_of(config_.read_events, name)) {
        request.command = read_receipt();
        names_sender = false;
    } else if (is_one_of(config_.edit_events, name)) {
        request.command = edit(name);
        names_sender = false;
    } else if (is_one_of(config_.delete_events, name)) {
        request.command = removal();
        names_sender = false;
    } else if (is_one_of(config_.direct_events, name)) {
        request.command = direct(name);
        names_sender = false;
    } else if (!is_relayed(config_, name)) {
        fail(Why::unknown_event, "there is no event " + quoted(name) + " here");
    } else if (!is_custom_event(config_, name)) {
        fail(Why::unknown_event, "the event " + quoted(name) + " is the server's to send");
    } else {
        request.command = relay(name, args, attachments);
        names_sender = false;
    }
    if (names_sender) request.username = text("username", member(first_, {"username", "name"}));
    if (refusal_) return std::move(*refusal_);
    return request;
}

}  // namespace

bool is_relayed(const SocketIoChatConfig& config, std::string_view name) {
    return std::ranges::any_of(config.relay_events, [name](std::string_view pattern) {
        const auto star = pattern.find('*');
        if (star == std::string_view::npos) return pattern == name;
        const auto front = pattern.substr(0, star);
        const auto back = pattern.substr(star + 1);
        return name.size() >= front.size() + back.size() && name.starts_with(front) &&
               name.ends_with(back);
    });
}

boost::system::result<ChatRequest, ChatRefusal> decode_chat_event(
    const SocketIoChatConfig& config, std::string_view args,
    std::span<const std::string> attachments, std::span<const std::string> joined) {
    return EventReader(config, joined).read(args, attachments);
}

boost::system::result<ChatIdentity, std::string> decode_chat_auth(std::string_view auth) {
    ChatIdentity identity;
    std::string problem;
    const auto text = [&](std::initializer_list<std::string_view> names) {
        std::optional<std::string> found;
        const auto value = member(auth, names);
        if (json_kind(value) == JsonKind::string) {
            found = unescape_json(value);
        } else if (!value.empty() && problem.empty()) {
            problem.append(quoted(*names.begin())).append(" must be a string, got ");
            problem.append(json_kind_name(json_kind(value)));
        }
        return found;
    };
    identity.name = text({"username", "name"});
    identity.room = text({"room"});
    identity.token = text({"token"});
    identity.pid = text({"pid"});
    identity.offset = text({"offset"});
    const auto recovery = member(auth, {"recovery"});
    if (json_kind(recovery) == JsonKind::boolean) identity.recovery = recovery == "true";
    if (!problem.empty()) return {boost::system::in_place_error, std::move(problem)};
    return identity;
}

}  // namespace parley::protocol
