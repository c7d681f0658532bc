// The lists that HTTP header values hold: `a, b; c="d, e"` (RFC 9110, 5.6).
//
// Path:     HTTP → websocket_handshake → [header_list]
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   the value's length; nothing is copied.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace parley::protocol {

[[nodiscard]] constexpr char ascii_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Of ASCII alone, as in names of hosts and headers.
[[nodiscard]] inline std::string in_lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = ascii_lower(c);
    return lower;
}

[[nodiscard]] constexpr bool equal_any_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, ascii_lower, ascii_lower);
}

// Without the blanks and tabs around it.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

// Takes what stands before the next separator off the front of `rest`, trimmed; separators within
// "quotes" do not count. False where nothing is left.
[[nodiscard]] constexpr bool next_item(std::string_view& rest, char separator,
                                       std::string_view& item) noexcept {
    if (rest.empty()) return false;
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size() && (quoted || rest[end] != separator); ++end) {
        if (rest[end] == '"') quoted = !quoted;
        if (quoted && rest[end] == '\\') ++end;
    }
    end = std::min(end, rest.size());
    item = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return true;
}

// True where a comma list names the token, in any case.
[[nodiscard]] constexpr bool list_names(std::string_view list, std::string_view token) noexcept {
    std::string_view item;
    while (next_item(list, ',', item)) {
        if (equal_any_case(item, token)) return true;
    }
    return false;
}

}  // namespace parley::protocol
