// JsonScan: a JSON text walked by position, without a tree.
//
// Path:     json_codec → [JsonScan]
// Runs on:  any thread; pure functions and views into the caller's text.
// Owned by: nobody; everything here points into a text that must outlive it.
// Bounds:   check_json() bounds nesting by json_depth_max; nothing here recurses or allocates but
//           the strings that are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol {

enum class JsonKind : std::uint8_t { absent, null, boolean, number, string, array, object };

// What a value is, by its first byte. An empty text is `absent`.
[[nodiscard]] JsonKind json_kind(std::string_view value) noexcept;
// "a string", "an array" ..., for messages; "nothing" for an absent value.
[[nodiscard]] std::string_view json_kind_name(JsonKind kind) noexcept;

[[nodiscard]] constexpr bool is_json_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
[[nodiscard]] std::string_view trim_json_space(std::string_view text) noexcept;

// How many bytes stand before the first quote, backslash or control character: those that a literal
// has as they are.
[[nodiscard]] std::size_t json_plain_run(std::string_view text) noexcept;

// The index after the closing quote of the literal that opens at `at`; npos where it is not closed.
[[nodiscard]] std::size_t json_string_end(std::string_view text, std::size_t at) noexcept;

// Nothing when the text is exactly one JSON value (RFC 8259) with valid UTF-8 and bounded nesting,
// else what is wrong and at which byte.
[[nodiscard]] std::optional<std::string> check_json(std::string_view text);

// Steps through the members of an object or the elements of an array, the text of one value at a
// time. Over text that check_json() passed it sees every member; over any other text it stops where
// it can't go on, and never reads outside it.
class JsonItems {
public:
    // `container` begins with its `{` or `[`; any other text has no items.
    explicit JsonItems(std::string_view container) noexcept;

    // Moves to the next item; false at the end, or where the text can't be followed.
    [[nodiscard]] bool next() noexcept;
    // The member's name as it is written, without its quotes; empty in an array.
    [[nodiscard]] std::string_view key() const noexcept { return key_; }
    // The value as it is written; only ever a whole one.
    [[nodiscard]] std::string_view value() const noexcept { return value_; }

private:
    bool stop() noexcept;
    void skip_space() noexcept;
    // One character after optional space; false where another stands there.
    [[nodiscard]] bool take(char expected) noexcept;

    std::string_view text_;
    std::size_t at_ = 0;
    char close_ = '\0';
    bool first_ = true;
    std::string_view key_;
    std::string_view value_;
};

// The characters that a string literal stands for. `literal` has its quotes and has passed
// check_json().
[[nodiscard]] std::string unescape_json(std::string_view literal);

// The characters of JsonItems::key(). Of text that was not checked, whatever a broken escape makes.
[[nodiscard]] std::string unescape_json_key(std::string_view raw_key);

// The same value without the white space between its tokens; numbers and strings stay as they are
// written. `value` has passed check_json().
[[nodiscard]] std::string compact_json(std::string_view value);

}  // namespace parley::protocol
