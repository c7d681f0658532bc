#include "protocol/json_fields.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/utf8.hpp"

namespace parley::protocol {
namespace {

constexpr std::size_t field_count = static_cast<std::size_t>(Field::end_);

// In the order of Field. Sorted by length, so that a name is compared with few others.
constexpr std::array<std::string_view, field_count> names = {
    "id",         "at",          "to",          "by",           "key",           "for",
    "may",        "type",        "name",        "room",         "text",          "data",
    "from",       "user",        "code",        "more",         "edit",          "role",
    "kind",       "read",        "last",        "token",        "since",         "limit",
    "event",      "count",       "rooms",       "topic",        "until",         "roles",
    "before",     "active",      "offset",      "cursor",       "action",        "limits",
    "server",     "edited",      "reason",      "direct",       "unread",        "history",
    "session",    "members",     "message",     "deleted",      "username",      "presence",
    "messages",   "features",    "recovered",   "temporary",    "signed_in",     "text_bytes",
    "file_bytes", "last_offset", "unavailable", "heartbeat_ms", "message_bytes", "retry_after_ms"};

constexpr std::size_t name_length_max = names.back().size();

// first_of_length[n] is the first name of n bytes or more.
constexpr auto first_of_length = [] {
    std::array<std::size_t, name_length_max + 2> first{};
    for (std::size_t length = 0; length < first.size(); ++length) {
        while (first[length] < names.size() && names[first[length]].size() < length) {
            ++first[length];
        }
    }
    return first;
}();

static_assert(std::is_sorted(names.begin(), names.end(),
                             [](auto a, auto b) { return a.size() < b.size(); }));

std::optional<Field> find_exact(std::string_view key) {
    if (key.size() > name_length_max) return std::nullopt;
    for (auto i = first_of_length[key.size()]; i < first_of_length[key.size() + 1]; ++i) {
        if (names[i].front() == key.front() && names[i] == key) return static_cast<Field>(i);
    }
    return std::nullopt;
}

// Nothing when the number has a fraction or an exponent, or does not fit.
template <typename Integer>
std::optional<Integer> parse_integer(std::string_view digits) {
    Integer value{};
    const auto* end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, value);
    if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
    return value;
}

constexpr std::size_t quoted_bytes_max = 40;

}  // namespace

std::string_view field_name(Field field) noexcept {
    return names[static_cast<std::size_t>(field)];
}

std::optional<Field> find_field(std::string_view raw_key) {
    const auto found = find_exact(raw_key);
    // An escape is six bytes at most for each byte of a name.
    if (found || raw_key.size() > 6 * name_length_max) return found;
    if (raw_key.find('\\') == std::string_view::npos) return std::nullopt;
    return find_exact(unescape_json_key(raw_key));
}

std::string quoted(std::string_view text) {
    const auto shown = whole_characters(text, quoted_bytes_max);
    std::string out;
    append_json_string(out, shown);
    if (shown.size() < text.size()) out.insert(out.size() - 1, "...");
    return out;
}

std::optional<CommandId> parse_command_id(std::string_view value) {
    if (json_kind(value) == JsonKind::number) {
        if (const auto number = parse_integer<std::int64_t>(value)) return *number;
    } else if (json_kind(value) == JsonKind::string) {
        // Unescaping never makes a text longer, but may make it six times shorter.
        if (value.size() > 6 * command_id_bytes_max + 2) return std::nullopt;
        if (auto text = unescape_json(value); text.size() <= command_id_bytes_max) return text;
    }
    return std::nullopt;
}

JsonFields::JsonFields(std::string_view object, std::string& problem, std::string_view path)
    : problem_(problem), path_(path) {
    for (JsonItems items(object); items.next();) {
        if (const auto field = find_field(items.key())) {
            values_[static_cast<std::size_t>(*field)] = items.value();
        }
    }
}

void JsonFields::fail(std::string message) {
    if (problem_.empty()) problem_ = std::move(message);
}

void JsonFields::refuse(Field field, std::string_view expected, std::string_view got) {
    if (failed()) return;
    problem_ = '"';
    problem_.append(path_).append(field_name(field));
    if (kind(field) == JsonKind::absent) {
        problem_.append("\" is missing: expected ").append(expected);
    } else {
        problem_.append("\" must be ").append(expected).append(", got ").append(got);
    }
}

bool JsonFields::expect(Field field, JsonKind expected_kind, std::string_view expected) {
    if (kind(field) == expected_kind) return true;
    refuse(field, expected, json_kind_name(kind(field)));
    return false;
}

bool JsonFields::has(Field field) const noexcept {
    return kind(field) != JsonKind::absent && kind(field) != JsonKind::null;
}

CommandId JsonFields::command_id() {
    if (!has(Field::id)) return {};
    if (auto id = parse_command_id(raw(Field::id))) return *std::move(id);
    std::string got(json_kind_name(kind(Field::id)));
    if (kind(Field::id) == JsonKind::number) got = raw(Field::id).substr(0, quoted_bytes_max);
    if (kind(Field::id) == JsonKind::string) got = "a longer one";
    refuse(Field::id,
           "an integer or a string of at most " + std::to_string(command_id_bytes_max) + " bytes",
           got);
    return {};
}

std::string JsonFields::string(Field field, std::size_t bytes_max) {
    if (!expect(field, JsonKind::string, "a string")) return {};
    auto value = unescape_json(raw(field));
    if (value.size() > bytes_max) {
        refuse(field, "a string of at most " + std::to_string(bytes_max) + " bytes",
               "one of " + std::to_string(value.size()));
        return {};
    }
    return value;
}

std::string JsonFields::string_or_empty(Field field, std::size_t bytes_max) {
    return has(field) ? string(field, bytes_max) : std::string{};
}

std::optional<std::string> JsonFields::optional_string(Field field) {
    if (!has(field)) return std::nullopt;
    return string(field);
}

std::uint64_t JsonFields::integer(Field field, IntegerRange range) {
    const auto value =
        kind(field) == JsonKind::number ? parse_integer<std::uint64_t>(raw(field)) : std::nullopt;
    if (value && *value >= range.min && *value <= range.max) return *value;
    if (failed()) return range.min;
    auto expected = "an integer from " + std::to_string(range.min);
    expected += range.max == IntegerRange{}.max ? " up" : " to " + std::to_string(range.max);
    refuse(field, expected,
           kind(field) == JsonKind::number ? raw(field).substr(0, quoted_bytes_max)
                                           : json_kind_name(kind(field)));
    return range.min;
}

std::uint32_t JsonFields::integer_or(Field field, IntegerRange range, std::uint32_t absent) {
    return has(field) ? static_cast<std::uint32_t>(integer(field, range)) : absent;
}

bool JsonFields::boolean(Field field) {
    return expect(field, JsonKind::boolean, "true or false") && raw(field) == "true";
}

bool JsonFields::boolean_or(Field field, bool absent) {
    return has(field) ? boolean(field) : absent;
}

Cursor JsonFields::cursor(Field field) {
    constexpr std::string_view expected = "a cursor like \"epoch:offset\"";
    if (!expect(field, JsonKind::string, expected)) return {};
    const auto text = unescape_json(raw(field));
    const auto cursor = Cursor::parse(text);
    if (!cursor) refuse(field, expected, quoted(text));
    return cursor.value_or(Cursor{});
}

std::optional<Cursor> JsonFields::optional_cursor(Field field) {
    if (!has(field)) return std::nullopt;
    return cursor(field);
}

Body JsonFields::body(std::string_view owner) {
    const bool has_data = kind(Field::data) != JsonKind::absent;
    if (has(Field::text) == has_data) {
        fail(std::string(owner) + " needs exactly one of \"text\" and \"data\", got " +
             (has_data ? "both" : "neither"));
        return {};
    }
    if (has_data) return {Body::Kind::data, compact_json(raw(Field::data))};
    return {Body::Kind::text, string(Field::text)};
}

std::string_view JsonFields::object(Field field) {
    return expect(field, JsonKind::object, "an object") ? raw(field) : "{}";
}

std::string_view JsonFields::array(Field field) {
    return expect(field, JsonKind::array, "an array") ? raw(field) : "[]";
}

}  // namespace parley::protocol
