// log: what happened, as one line of text or of JSON on standard error.
//
// Path:     server, transports → [log] → standard error
// Runs on:  any thread; set_up() before the first of them starts.
// Owned by: the process: one logger.
// Bounds:   one line a call, whatever the values hold; nothing is queued.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace parley::transports::log {

enum class Level : std::uint8_t { debug, info, warn, error, off };
enum class Format : std::uint8_t { text, json };

// One named value of a line. Text is only borrowed: it must outlive the call, which a temporary in
// the argument list does.
struct Field {
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

    Field(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
    Field(std::string_view field_key, const char* text)
        : key(field_key), value(std::string_view(text)) {}
    Field(std::string_view field_key, const std::string& text)
        : key(field_key), value(std::string_view(text)) {}
    Field(std::string_view field_key, bool flag) : key(field_key), value(flag) {}
    Field(std::string_view field_key, std::floating_point auto number)
        : key(field_key), value(static_cast<double>(number)) {}
    Field(std::string_view field_key, std::signed_integral auto number)
        : key(field_key), value(static_cast<std::int64_t>(number)) {}
    Field(std::string_view field_key, std::unsigned_integral auto number)
        : key(field_key), value(static_cast<std::uint64_t>(number)) {}

    std::string_view key;
    Value value;
};
using Fields = std::initializer_list<Field>;

// Chooses how lines look and which of them appear; the logger then writes to standard error. Lines
// that are written through spdlog itself come out in the same format.
void set_up(Level level, Format format);
// Any thread, at any time.
void set_level(Level level);

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warn(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

[[nodiscard]] std::string_view name_of(Level level);
[[nodiscard]] std::optional<Level> level_from(std::string_view name);
[[nodiscard]] std::string_view name_of(Format format);
[[nodiscard]] std::optional<Format> format_from(std::string_view name);

// What follows the time and the level of a line. Text: `message key=value`, a value in quotes where
// it holds anything but plain characters. JSON: `"msg":"…","key":value`, without the braces. Bytes
// that are not UTF-8 come out as `?`, so that every line is.
[[nodiscard]] std::string render(Format format, std::string_view message, Fields fields);

}  // namespace parley::transports::log
