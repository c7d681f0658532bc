// JsonFields: the members of one JSON object that the protocol has names for, read by type.
//
// Path:     json_codec → [JsonFields] → Command, ServerMessage
// Runs on:  any thread; a value on a decoder's stack.
// Owned by: one call of a decoder. Points into the text that it was made from.
// Bounds:   one view for each name of the protocol, however many members the object has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/json_codec.hpp"
#include "protocol/json_scan.hpp"

namespace parley::protocol {

// Every name that an object of the protocol may have, shorter names first (json_fields.cpp).
enum class Field : std::uint8_t {
    id,
    at,
    to,
    by,
    key,
    for_,
    may,
    type,
    name,
    room,
    text,
    data,
    from,
    user,
    code,
    more,
    edit,
    role,
    kind,
    read,
    last,
    token,
    since,
    limit,
    event,
    count,
    rooms,
    topic,
    until,
    roles,
    before,
    active,
    offset,
    cursor,
    action,
    limits,
    server,
    edited,
    reason,
    direct,
    unread,
    history,
    session,
    members,
    message,
    deleted,
    username,
    presence,
    messages,
    features,
    recovered,
    temporary,
    signed_in,
    text_bytes,
    file_bytes,
    last_offset,
    unavailable,
    heartbeat_ms,
    message_bytes,
    retry_after_ms,
    end_
};

[[nodiscard]] std::string_view field_name(Field field) noexcept;
// Nothing for a name that the protocol doesn't know.
[[nodiscard]] std::optional<Field> find_field(std::string_view raw_key);

// The text between quotes, shortened where it is long: for messages only.
[[nodiscard]] std::string quoted(std::string_view text);

// The id that a value is: an integer of 64 bits, or a string of at most command_id_bytes_max.
// Nothing for any other value. `value` has passed check_json().
[[nodiscard]] std::optional<CommandId> parse_command_id(std::string_view value);

struct IntegerRange {
    std::uint64_t min = 0;
    std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

// Reads fields by the type that the protocol gives them. The first thing that is wrong is kept in
// `problem`, which the readers of nested objects share; what is read after it is a default, so that
// a decoder reads all its fields and asks once. A member that occurs twice has its last value. In
// an optional field, null is the same as no field.
class JsonFields {
public:
    static constexpr auto unbounded = std::string_view::npos;

    // `object` has passed check_json() and begins with its brace; `path` comes before names in
    // messages ("from.").
    JsonFields(std::string_view object, std::string& problem, std::string_view path = {});

    [[nodiscard]] bool failed() const noexcept { return !problem_.empty(); }
    // Keeps the message unless an earlier one is kept already.
    void fail(std::string message);

    // Gives a field a value from elsewhere, whatever the object says. `value` is JSON, and stays.
    void set(Field field, std::string_view value) noexcept {
        values_[static_cast<std::size_t>(field)] = value;
    }
    // Reads a field by another name too, where it is not there by its own.
    void also_called(Field field, Field other_name) noexcept {
        if (!has(field)) set(field, raw(other_name));
    }

    // The value as it is written; empty when there is none.
    [[nodiscard]] std::string_view raw(Field field) const noexcept {
        return values_[static_cast<std::size_t>(field)];
    }
    [[nodiscard]] JsonKind kind(Field field) const noexcept { return json_kind(raw(field)); }
    // True when the field is there and not null.
    [[nodiscard]] bool has(Field field) const noexcept;

    // The fields of an object inside this one, which report to the same `problem`.
    [[nodiscard]] JsonFields inner(std::string_view object, std::string_view path) const {
        return {object, problem_, path};
    }

    // Integers are exact over their whole range; a fraction or an exponent is refused.
    [[nodiscard]] CommandId command_id();
    [[nodiscard]] std::string string(Field field, std::size_t bytes_max = unbounded);
    [[nodiscard]] std::string string_or_empty(Field field, std::size_t bytes_max = unbounded);
    [[nodiscard]] std::optional<std::string> optional_string(Field field);
    [[nodiscard]] std::uint64_t integer(Field field, IntegerRange range = {});
    [[nodiscard]] std::uint32_t integer_or(Field field, IntegerRange range, std::uint32_t absent);
    [[nodiscard]] bool boolean(Field field);
    [[nodiscard]] bool boolean_or(Field field, bool absent);
    [[nodiscard]] Cursor cursor(Field field);
    [[nodiscard]] std::optional<Cursor> optional_cursor(Field field);
    // Exactly one of `text` and `data`; `owner` is what needs it, for the message.
    [[nodiscard]] Body body(std::string_view owner);
    // The text of a nested object or array; `{}` or `[]` once something is wrong.
    [[nodiscard]] std::string_view object(Field field);
    [[nodiscard]] std::string_view array(Field field);

private:
    [[nodiscard]] bool expect(Field field, JsonKind kind, std::string_view expected);
    void refuse(Field field, std::string_view expected, std::string_view got);

    std::array<std::string_view, static_cast<std::size_t>(Field::end_)> values_{};
    std::string& problem_;
    std::string_view path_;
};

}  // namespace parley::protocol
