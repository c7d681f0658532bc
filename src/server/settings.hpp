// Settings: the one table of what can be configured. It drives the file, the environment, the
// flags and the printed default configuration, so that they can't disagree.
//
// Path:     ConfigSources, CommandLine, default-config → [Settings] → ServerConfig
// Runs on:  the main thread.
// Owned by: nobody; constants.
// Bounds:   each setting's range, in its row.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/server_config.hpp"

namespace parley::server {

// A field of the configuration, as a function that finds it.
template <class T>
using FieldOf = T& (*)(ServerConfig&);

struct FlagKind {
    FieldOf<bool> field;
};
template <class T>
struct CountKind {
    FieldOf<T> field;
    T min, max;
};
struct SizeKind {
    FieldOf<std::size_t> field;
    std::uint64_t min, max;
};
struct NumberKind {
    FieldOf<double> field;
    double min, max;
};
struct DurationKind {
    FieldOf<milliseconds> field;
    milliseconds min, max;
};
// What a text has to be, beside not too long; and what it is called where it is not that.
struct TextRule {
    bool (*holds)(std::string_view text) = nullptr;  // null: anything
    std::string_view expected = {};
    bool secret = false;  // it may hold a password: never said back
};
struct TextKind {
    FieldOf<std::string> field;
    std::size_t bytes_max;
    TextRule rule = {};
};
struct TextListKind {
    FieldOf<std::vector<std::string>> field;
    std::size_t items_max;
    TextRule rule;
};
struct OriginListKind {
    FieldOf<std::vector<std::string>> field;
};
struct NetworkListKind {
    FieldOf<std::vector<std::string>> field;
};
struct EndpointListKind {
    FieldOf<std::vector<Endpoint>> field;
    bool may_be_empty = false;
};
struct FileListKind {
    FieldOf<std::vector<std::string>> field;
    std::size_t files_max;
};
struct ClientAuthKind {
    FieldOf<transports::ClientAuth> field;
};
// An address, or none: `off`.
struct OptionalEndpointKind {
    FieldOf<std::optional<Endpoint>> field;
};
// A duration, or `adaptive`.
struct FlushDelayKind {
    FieldOf<core::FlushDelay> field;
};
struct LogLevelKind {
    FieldOf<transports::log::Level> field;
};
struct LogFormatKind {
    FieldOf<transports::log::Format> field;
};
struct IoChoiceKind {
    FieldOf<transports::IoChoice> field;
};
struct DurabilityKind {
    FieldOf<core::Durability> field;
};
using Kind = std::variant<FlagKind, CountKind<std::size_t>, CountKind<std::uint32_t>,
                          CountKind<int>, SizeKind, NumberKind, DurationKind, TextKind,
                          TextListKind, OriginListKind, NetworkListKind, EndpointListKind,
                          OptionalEndpointKind, FileListKind, ClientAuthKind, LogLevelKind,
                          LogFormatKind, IoChoiceKind, FlushDelayKind, DurabilityKind>;

struct Setting {
    std::string_view key;  // "limits.text_bytes": its section and its name
    Kind kind;
    std::string_view doc;  // one line
};

// In the order in which they are printed; a section's settings stand together.
[[nodiscard]] std::span<const Setting> all_settings();
// The section of Socket.IO in it.
[[nodiscard]] std::span<const Setting> socketio_settings();
// The sections of accounts and of tokens.
[[nodiscard]] std::span<const Setting> accounts_settings();
// That of files.
[[nodiscard]] std::span<const Setting> files_settings();
[[nodiscard]] const Setting* find_setting(std::string_view key);
// The known key with the fewest letters to change.
[[nodiscard]] std::string_view nearest_key(std::string_view key);

// Gives the setting its value: one word, or any number for a list. On failure nothing has changed
// and the answer says why: `"12 parsecs" is not a size (expected e.g. 65536, "64KiB")`.
[[nodiscard]] std::optional<std::string> assign(const Setting& setting, ServerConfig& config,
                                                std::span<const std::string> words);
// The value as the file has it.
[[nodiscard]] std::string toml_value(const Setting& setting, const ServerConfig& config);

[[nodiscard]] bool is_list(const Setting& setting);

// "limits.text_bytes" is PARLEY_LIMITS__TEXT_BYTES in the environment.
[[nodiscard]] std::string environment_name(std::string_view key);

// Longer than any path (Linux: PATH_MAX).
inline constexpr std::size_t file_name_bytes_max = 4096;

// "disconnect", "gap" or "latest".
[[nodiscard]] std::optional<core::OnLag> on_lag_from(std::string_view word);
[[nodiscard]] std::string_view name_of(core::OnLag on_lag);

// The most that a flush may be held.
inline constexpr milliseconds flush_delay_max{1'000};
// Reads "adaptive" or a duration up to that into `delay`; else the answer says what is wrong.
[[nodiscard]] std::optional<std::string> read_flush_delay(std::string_view word,
                                                          core::FlushDelay& delay);
[[nodiscard]] std::string format_flush_delay(const core::FlushDelay& delay);

// The setting that a rule's key, which begins with "keep_", takes the place of.
[[nodiscard]] std::string history_key(std::string_view rule_key);
// Reads one of those into the rule; else the answer says what is wrong.
[[nodiscard]] std::optional<std::string> read_keep(std::string_view rule_key,
                                                   const std::string& word, core::RoomRule& rule);

// A key of a later version, whose use is an error now rather than a surprise. `only` is the value
// that is true today and accepted, if there is one.
struct LaterSetting {
    std::string_view key;
    std::string_view only;
    std::string_view what;
};
[[nodiscard]] const LaterSetting* find_later(std::string_view key);
[[nodiscard]] const LaterSetting* find_later_variable(std::string_view name);

// How many letters have to be put in, taken out or replaced to get from one to the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace parley::server
