// json_search: values found in the server's compact JSON by their names, without parsing it.
//
// Path:     Dialogue → [json_search] → Cursor, offsets, error codes
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   none needed. Of a name that occurs more than once the first counts: in a reply the
//           reply's own fields stand before the messages that it holds.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::load {

// How every message that Parley sends begins.
inline constexpr std::string_view message_start = R"({"type":"message")";

// The string behind `name`, which is written `"name":"`, up to its closing quote; empty where there
// is none. For values that hold nothing that JSON escapes.
[[nodiscard]] inline std::string_view find_json_string(std::string_view text,
                                                       std::string_view name) {
    const std::size_t at = text.find(name);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = text.substr(at + name.size());
    return rest.substr(0, rest.find('"'));
}

// The whole number behind the last `name`, which is written `"name":`.
[[nodiscard]] inline std::optional<std::uint64_t> find_last_json_number(std::string_view text,
                                                                        std::string_view name) {
    const std::size_t at = text.rfind(name);
    if (at == std::string_view::npos) return std::nullopt;
    std::uint64_t number = 0;
    const char* const first = text.data() + at + name.size();
    const auto result = std::from_chars(first, text.data() + text.size(), number);
    return result.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

}  // namespace parley::load
