#include "protocol/content_disposition.hpp"

#include <algorithm>
#include <cstdint>

#include "protocol/header_list.hpp"
#include "protocol/http_bytes.hpp"
#include "protocol/utf8.hpp"

namespace parley::protocol {
namespace {

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Percent-decoded; nothing where a `%` has no two digits behind it.
std::optional<std::string> decode_percent(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

// charset'language'value (RFC 8187, 3.2); nothing for another charset than UTF-8.
std::optional<std::string> decode_extended(std::string_view value) {
    const auto first = value.find('\'');
    const auto second = first == std::string_view::npos ? first : value.find('\'', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    if (!equal_any_case(value.substr(0, first), "utf-8")) return std::nullopt;
    auto decoded = decode_percent(value.substr(second + 1));
    return decoded && is_valid_utf8(*decoded) ? decoded : std::nullopt;
}

// A token or what a quoted string says.
std::string unquoted(std::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
    std::string out;
    for (std::size_t i = 1; i + 1 < value.size(); ++i) {
        // What browsers send stands as it is, backslashes of old paths among it (RFC 7578, 4.2).
        const bool escape = value[i] == '\\' && i + 2 < value.size() &&
                            (value[i + 1] == '"' || value[i + 1] == '\\');
        if (escape) ++i;
        out.push_back(value[i]);
    }
    return out;
}

// One character of valid UTF-8 and its length.
struct Character {
    std::uint32_t value;
    std::size_t bytes;
};
Character first_character(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) {
        return std::uint32_t{static_cast<unsigned char>(text[i])};
    };
    if (byte(0) < 0x80) return {byte(0), 1};
    if (byte(0) < 0xE0) return {(byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU), 2};
    if (byte(0) < 0xF0) {
        return {(byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU), 3};
    }
    return {0x10000, 4};
}

// Control characters, line and paragraph ends, and what turns the direction of writing: by that a
// "gpj.exe" is shown as an "exe.jpg".
bool is_unwanted(std::uint32_t c) noexcept {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

std::string_view without_edges(std::string_view text) noexcept {
    const auto is_edge = [](char c) { return c == ' ' || c == '.'; };
    while (!text.empty() && is_edge(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_edge(text.back())) text.remove_suffix(1);
    return text;
}

std::string shortened(std::string_view name) {
    constexpr std::size_t ending_bytes_max = 16;
    if (name.size() <= kept_file_name_bytes_max) return std::string(name);
    const auto dot = name.rfind('.');
    const std::string_view ending =
        dot != std::string_view::npos && name.size() - dot <= ending_bytes_max ? name.substr(dot)
                                                                               : "";
    std::string out(whole_characters(name, kept_file_name_bytes_max - ending.size()));
    return out.append(ending);
}

}  // namespace

std::optional<ContentDisposition> parse_content_disposition(std::string_view header) {
    std::string_view item;
    if (!next_item(header, ';', item)) return std::nullopt;
    if (item.empty() || !std::ranges::all_of(item, is_http<token_byte>)) return std::nullopt;
    ContentDisposition out;
    std::ranges::transform(item, std::back_inserter(out.type), ascii_lower);
    std::optional<std::string> extended;
    while (next_item(header, ';', item)) {
        const auto equals = item.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view name = trim(item.substr(0, equals));
        const std::string_view value = trim(item.substr(equals + 1));
        if (equal_any_case(name, "name")) out.name = unquoted(value);
        if (equal_any_case(name, "filename")) out.filename = unquoted(value);
        if (equal_any_case(name, "filename*")) extended = decode_extended(value);
    }
    if (extended) out.filename = std::move(extended);
    return out;
}

std::string clean_file_name(std::string_view sent) {
    std::string name;
    if (is_valid_utf8(sent)) {
        // Only now may it be cut up: a part of an overlong form is never a slash.
        const auto folder_end = sent.find_last_of("/\\");
        if (folder_end != std::string_view::npos) sent.remove_prefix(folder_end + 1);
        while (!sent.empty()) {
            const Character character = first_character(sent);
            if (!is_unwanted(character.value)) name.append(sent.substr(0, character.bytes));
            sent.remove_prefix(character.bytes);
        }
    }
    name = shortened(without_edges(name));
    // The cut may have left an edge.
    const std::string_view kept = without_edges(name);
    return kept.empty() ? "file" : std::string(kept);
}

void append_content_disposition(std::string& out, bool shown_inline, std::string_view name) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    // RFC 8187, 3.2.1: what stands for itself.
    const auto is_plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c != '\0' && std::string_view("!#$&+-.^_`|~").find(c) != std::string_view::npos);
    };
    out.append(shown_inline ? "inline" : "attachment").append("; filename=\"");
    bool exact = true;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        const bool same = byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\' && c != '%';
        // One mark for each character, however many bytes it has.
        if (same) {
            out.push_back(c);
        } else if ((byte & 0xC0U) != 0x80U) {
            out.push_back('_');
        }
        exact = exact && same;
    }
    out.push_back('"');
    if (exact) return;
    out.append("; filename*=UTF-8''");
    for (const char c : name) {
        if (is_plain(c)) {
            out.push_back(c);
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out.push_back('%');
        out.push_back(digits[byte >> 4U]);
        out.push_back(digits[byte & 0x0FU]);
    }
}

}  // namespace parley::protocol
