#include "protocol/socketio.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "protocol/json_append.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/utf8.hpp"

namespace parley::protocol {
namespace {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr bool is_binary(SocketType type) {
    return type == SocketType::binary_event || type == SocketType::binary_ack;
}

constexpr bool is_event(SocketType type) {
    return type == SocketType::event || type == SocketType::binary_event;
}

constexpr bool is_ack(SocketType type) {
    return type == SocketType::ack || type == SocketType::binary_ack;
}

// Takes the digits off the front of `text`. Nothing where there are none, one too many zeros, or
// the number is above `max`; `text` is then as it was.
std::optional<std::uint64_t> take_number(std::string_view& text, std::uint64_t max) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
    std::uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc{} || number > max) return std::nullopt;
    text.remove_prefix(digits.size());
    return number;
}

// Each part takes its own off the front of `text`, and says what is wrong with it.
using Problem = std::optional<std::string>;

Problem take_attachments(std::string_view& text, SocketPacket& packet, std::uint32_t most) {
    const auto count = take_number(text, most);
    if (!count || !text.starts_with('-')) {
        return "a binary packet begins with how many attachments follow, 0 to " +
               std::to_string(most) + ", and a dash";
    }
    text.remove_prefix(1);
    packet.attachments = static_cast<std::uint32_t>(*count);
    return std::nullopt;
}

Problem take_namespace(std::string_view& text, SocketPacket& packet) {
    if (!text.starts_with('/')) return std::nullopt;
    const auto comma = text.find(',');
    const auto name = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    packet.name_space = name.substr(0, name.find('?'));
    if (packet.name_space.size() > namespace_bytes_max) {
        return "a namespace of more than " + std::to_string(namespace_bytes_max) + " bytes";
    }
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    if (std::any_of(name.begin(), name.end(), is_control) || !is_valid_utf8(name)) {
        return "a namespace must be UTF-8 without control characters";
    }
    return std::nullopt;
}

Problem take_id(std::string_view& text, SocketPacket& packet) {
    if (!text.empty() && is_digit(text.front())) {
        packet.id = take_number(text, socket_id_max);
        if (!packet.id) return "an id must be a number below 2^53, without leading zeros";
        if (!is_event(packet.type) && !is_ack(packet.type)) {
            return "only an event and an acknowledgement have an id";
        }
    } else if (is_ack(packet.type)) {
        return "an acknowledgement needs the id of its event";
    }
    return std::nullopt;
}

// What the objects around a place of a text have said so far.
struct Level {
    bool object = false;
    bool placeholder = false;
    std::string_view num;

    void take_member(std::string_view key, std::string_view value) {
        if (key == "_placeholder") placeholder = value.starts_with("true");
        if (key == "num") num = value;
    }
};

// The number that a member's value begins with, when it is a whole one.
std::optional<std::uint64_t> whole_number(std::string_view value) {
    const auto number = take_number(value, std::numeric_limits<std::uint32_t>::max());
    // What ends a value, so that neither 1.5 nor 1e3 is a 1.
    const bool ends = value.empty() || is_json_space(value.front()) || value.front() == ',' ||
                      value.front() == '}';
    return ends ? number : std::nullopt;
}

bool names_attachment(const Level& level, std::uint32_t attachments) {
    const auto num = whole_number(level.num);
    return num && *num < attachments;
}

// Whether every placeholder, however deep, names an attachment, and there are no more of them than
// attachments: clients make one for each, and many of one would be many times its bytes. One pass,
// whose memory is the depth that check_json() allows; what is decided when an object ends is decided
// by the last of its members with a name, as clients read them.
bool placeholders_in_range(std::string_view json, std::uint32_t attachments) {
    std::array<Level, json_depth_max + 1> levels;
    std::size_t depth = 0;
    std::uint32_t named = 0;
    bool key_next = false;
    for (std::size_t at = 0; at < json.size();) {
        Level& level = levels[depth];
        switch (json[at]) {
            case '"': {
                const auto end = json_string_end(json, at);
                const auto raw = json.substr(at + 1, end - at - 2);
                at = end;
                if (!std::exchange(key_next, false)) continue;
                at = std::min(json.find(':', at), json.size() - 1) + 1;
                while (at < json.size() && is_json_space(json[at])) ++at;
                level.take_member(unescape_json_key(raw), json.substr(at));
                continue;
            }
            case '{':
            case '[':
                levels[++depth] = Level{json[at] == '{', false, {}};
                key_next = json[at] == '{';
                break;
            case '}':
            case ']':
                if (level.placeholder &&
                    (!names_attachment(level, attachments) || ++named > attachments)) {
                    return false;
                }
                --depth;
                key_next = false;
                break;
            case ',':
                key_next = level.object;
                break;
            default:
                break;
        }
        ++at;
    }
    return true;
}

Problem check_args(const SocketPacket& packet) {
    if (json_kind(packet.json) != JsonKind::array) {
        return is_ack(packet.type) ? "an acknowledgement carries an array"
                                   : "an event carries an array";
    }
    if (is_event(packet.type)) {
        JsonItems items(packet.json);
        const auto kind = items.next() ? json_kind(items.value()) : JsonKind::absent;
        if (kind != JsonKind::string && kind != JsonKind::number) {
            return "an event begins with its name, a string or a number";
        }
        const auto name = event_name(packet.json);
        if (is_raised_by_clients(name)) {
            return "the event name '" + name + "' is reserved";
        }
    }
    if (is_binary(packet.type) && !placeholders_in_range(packet.json, packet.attachments)) {
        return "a placeholder must name one of the packet's attachments by a whole number";
    }
    return std::nullopt;
}

Problem check_payload(const SocketPacket& packet) {
    const auto kind = json_kind(packet.json);
    switch (packet.type) {
        case SocketType::connect:
            if (kind == JsonKind::absent || kind == JsonKind::object) return std::nullopt;
            return "CONNECT carries an object or nothing";
        case SocketType::disconnect:
            if (kind == JsonKind::absent) return std::nullopt;
            return "DISCONNECT carries nothing";
        case SocketType::connect_error:
            if (kind == JsonKind::object || kind == JsonKind::string) return std::nullopt;
            return "CONNECT_ERROR carries an object or a string";
        case SocketType::event:
        case SocketType::ack:
        case SocketType::binary_event:
        case SocketType::binary_ack:
            return check_args(packet);
    }
    return std::nullopt;
}

// The text of one packet whose attachments, if any, are known by their number alone.
Problem decode_into(SocketPacket& packet, std::string_view text, std::uint32_t attachments_max) {
    if (text.empty() || text.front() < '0' || text.front() > '6') {
        return "a packet begins with its type, 0 to 6";
    }
    packet.type = static_cast<SocketType>(text.front() - '0');
    text.remove_prefix(1);
    if (is_binary(packet.type)) {
        if (auto problem = take_attachments(text, packet, attachments_max)) return problem;
    }
    if (auto problem = take_namespace(text, packet)) return problem;
    if (auto problem = take_id(text, packet)) return problem;
    if (!text.empty()) {
        if (auto problem = check_json(text)) return "JSON: " + *problem;
    }
    packet.json = trim_json_space(text);
    return check_payload(packet);
}

}  // namespace

bool is_raised_by_clients(std::string_view event) noexcept {
    constexpr std::array<std::string_view, 6> names{
        "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"};
    return std::ranges::find(names, event) != names.end();
}

boost::system::result<SocketPacket, std::string> decode_socket_packet(
    std::string_view text, std::uint32_t attachments_max) {
    SocketPacket packet;
    if (auto problem = decode_into(packet, text, attachments_max)) return *std::move(problem);
    return packet;
}

void append_socket_packet(std::string& out, const SocketPacket& packet) {
    out.push_back(static_cast<char>('0' + static_cast<int>(packet.type)));
    if (is_binary(packet.type)) {
        append_decimal(out, packet.attachments);
        out.push_back('-');
    }
    if (packet.name_space != "/") {
        out += packet.name_space;
        out.push_back(',');
    }
    if (packet.id) append_decimal(out, *packet.id);
    out += packet.json;
}

std::string event_name(std::string_view args) {
    JsonItems items(args);
    if (!items.next()) return {};
    const auto first = items.value();
    return json_kind(first) == JsonKind::string ? unescape_json(first) : std::string(first);
}

std::optional<std::uint32_t> placeholder_num(std::string_view value) {
    if (json_kind(value) != JsonKind::object) return std::nullopt;
    Level level;
    for (JsonItems items(value); items.next();) {
        level.take_member(unescape_json_key(items.key()), items.value());
    }
    if (!level.placeholder) return std::nullopt;
    const auto num = whole_number(level.num);
    return num ? std::optional(static_cast<std::uint32_t>(*num)) : std::nullopt;
}

void append_placeholder(std::string& out, std::uint32_t num) {
    append_number(out, R"({"_placeholder":true,"num":)", num);
    out.push_back('}');
}

}  // namespace parley::protocol
