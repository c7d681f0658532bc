#include "protocol/json_scan.hpp"

#include <algorithm>

#include "protocol/byte_run.hpp"

namespace parley::protocol {
namespace {

constexpr auto npos = std::string_view::npos;

// Counts brackets without telling `[` from `{`: what was checked before is balanced, and what was
// not needs no more than a place to go on.
std::size_t skip_container(std::string_view text, std::size_t at) noexcept {
    std::size_t depth = 0;
    while (at < text.size()) {
        switch (text[at]) {
            case '"':
                at = json_string_end(text, at);
                if (at == npos) return npos;
                continue;
            case '{':
            case '[':
                ++depth;
                break;
            case '}':
            case ']':
                if (--depth == 0) return at + 1;
                break;
            default:
                break;
        }
        ++at;
    }
    return npos;
}

// A number or a word ends where something else begins: at the end of the text it may be cut short,
// and is not taken.
std::size_t skip_scalar(std::string_view text, std::size_t at) noexcept {
    const auto end = text.find_first_of(",]} \n\r\t", at);
    return end == at ? npos : end;
}

std::size_t skip_value(std::string_view text, std::size_t at) noexcept {
    if (at >= text.size()) return npos;
    switch (text[at]) {
        case '"':
            return json_string_end(text, at);
        case '{':
        case '[':
            return skip_container(text, at);
        default:
            return skip_scalar(text, at);
    }
}

// The four hexadecimal digits at `at`; fewer where the text ends.
std::uint32_t hex_value(std::string_view raw, std::size_t at) noexcept {
    std::uint32_t value = 0;
    for (const char c : raw.substr(std::min(at, raw.size()), 4)) {
        const auto digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    return value;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | code_point >> 6);
        put(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        put(0xE0 | code_point >> 12);
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    } else {
        put(0xF0 | code_point >> 18);
        put(0x80 | (code_point >> 12 & 0x3F));
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    }
}

// Decodes the \u escape at `at`, a surrogate pair as one; returns the index after it.
std::size_t append_unicode_escape(std::string& out, std::string_view raw, std::size_t at) {
    auto code_point = hex_value(raw, at + 2);
    at += 6;
    if (code_point >= 0xD800 && code_point < 0xDC00) {
        const auto low = hex_value(raw, at + 2);
        code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
        at += 6;
    }
    append_utf8(out, code_point);
    return at;
}

char simple_escape(char letter) noexcept {
    switch (letter) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return letter;  // a quote, a backslash or a slash
    }
}

// Every escape is at least its backslash and one more byte, which json_string_end() saw to; what the
// escape says is garbage where the text was not checked, but still inside it.
void unescape_into(std::string& out, std::string_view raw) {
    for (std::size_t at = 0; at < raw.size();) {
        const auto escape = raw.find('\\', at);
        out.append(raw.substr(at, escape - at));
        if (escape == npos) return;
        if (raw[escape + 1] == 'u') {
            at = append_unicode_escape(out, raw, escape);
        } else {
            out.push_back(simple_escape(raw[escape + 1]));
            at = escape + 2;
        }
    }
}

}  // namespace

std::size_t json_plain_run(std::string_view text) noexcept {
    return byte_run(text, [](auto c) { return (c < 0x20) | (c == '"') | (c == '\\'); });
}

std::size_t json_string_end(std::string_view text, std::size_t at) noexcept {
    for (++at; at < text.size();) {
        at += json_plain_run(text.substr(at));
        if (at >= text.size()) return npos;
        if (text[at] == '"') return at + 1;
        at += text[at] == '\\' ? 2U : 1U;
    }
    return npos;
}

JsonKind json_kind(std::string_view value) noexcept {
    if (value.empty()) return JsonKind::absent;
    switch (value.front()) {
        case 'n':
            return JsonKind::null;
        case 't':
        case 'f':
            return JsonKind::boolean;
        case '"':
            return JsonKind::string;
        case '[':
            return JsonKind::array;
        case '{':
            return JsonKind::object;
        default:
            return JsonKind::number;
    }
}

std::string_view json_kind_name(JsonKind kind) noexcept {
    switch (kind) {
        case JsonKind::absent:
            return "nothing";
        case JsonKind::null:
            return "null";
        case JsonKind::boolean:
            return "a boolean";
        case JsonKind::number:
            return "a number";
        case JsonKind::string:
            return "a string";
        case JsonKind::array:
            return "an array";
        case JsonKind::object:
            return "an object";
    }
    return "nothing";
}

std::string_view trim_json_space(std::string_view text) noexcept {
    while (!text.empty() && is_json_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_json_space(text.back())) text.remove_suffix(1);
    return text;
}

JsonItems::JsonItems(std::string_view container) noexcept : text_(container) {
    if (text_.empty() || (text_.front() != '{' && text_.front() != '[')) return;
    close_ = text_.front() == '{' ? '}' : ']';
    at_ = 1;
}

bool JsonItems::stop() noexcept {
    close_ = '\0';
    return false;
}

void JsonItems::skip_space() noexcept {
    while (at_ < text_.size() && is_json_space(text_[at_])) ++at_;
}

bool JsonItems::take(char expected) noexcept {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != expected) return false;
    ++at_;
    return true;
}

bool JsonItems::next() noexcept {
    if (close_ == '\0' || take(close_)) return stop();
    if (!first_ && !take(',')) return stop();
    first_ = false;
    skip_space();
    if (close_ == '}') {
        if (at_ >= text_.size() || text_[at_] != '"') return stop();
        const auto end = json_string_end(text_, at_);
        if (end == npos) return stop();
        key_ = text_.substr(at_ + 1, end - at_ - 2);
        at_ = end;
        if (!take(':')) return stop();
        skip_space();
    }
    const auto end = skip_value(text_, at_);
    if (end == npos) return stop();
    value_ = text_.substr(at_, end - at_);
    at_ = end;
    return true;
}

std::string unescape_json(std::string_view literal) {
    std::string out;
    const auto raw = literal.substr(1, literal.size() - 2);
    out.reserve(raw.size());
    unescape_into(out, raw);
    return out;
}

std::string unescape_json_key(std::string_view raw_key) {
    std::string key;
    unescape_into(key, raw_key);
    return key;
}

std::string compact_json(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    for (std::size_t at = 0; at < value.size();) {
        if (is_json_space(value[at])) {
            ++at;
            continue;
        }
        const auto end = value[at] == '"' ? json_string_end(value, at) : at + 1;
        out.append(value.substr(at, end - at));
        at = end;
    }
    return out;
}

}  // namespace parley::protocol
