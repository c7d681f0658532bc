// The placeholders of a target's texts, and the groups that are preceded by their length.
#include <algorithm>
#include <array>

#include "loadtest/target.hpp"
#include "protocol/cursor.hpp"

namespace parley::load {
namespace {

struct Group {
    std::string_view opening;
    void (*append_length)(std::string& out, std::size_t length);
};

void append_u16(std::string& out, std::size_t length) {
    out.push_back(static_cast<char>(length >> 8 & 0xff));
    out.push_back(static_cast<char>(length & 0xff));
}

void append_varint(std::string& out, std::size_t length) {
    for (; length >= 0x80; length >>= 7) out.push_back(static_cast<char>((length & 0x7f) | 0x80));
    out.push_back(static_cast<char>(length));
}

constexpr std::array<Group, 2> groups{{{"{u16:", &append_u16}, {"{varint:", &append_varint}}};

const Group* group_at(std::string_view text) {
    const auto* const found =
        std::find_if(groups.begin(), groups.end(),
                     [text](const Group& group) { return text.starts_with(group.opening); });
    return found == groups.end() ? nullptr : found;
}

// Of the brace that closes the one which `text` begins with; npos where there is none.
std::size_t closing_brace(std::string_view text) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '{') ++depth;
        if (text[i] == '}' && --depth == 0) return i;
    }
    return std::string_view::npos;
}

// Fills the placeholder that `text` begins with. Returns its length; 0: it is none.
std::size_t fill_placeholder(std::string& out, std::string_view text, const Placeholders& values) {
    const auto is = [text](std::string_view name) {
        return text.starts_with(name) ? name.size() : 0;
    };
    if (const std::size_t size = is("{room}")) return out.append(values.room), size;
    if (const std::size_t size = is("{payload}")) return out.append(values.payload), size;
    if (const std::size_t size = is("{id}")) return protocol::append_decimal(out, values.id), size;
    if (const std::size_t size = is("{ack}"))
        return protocol::append_decimal(out, values.ack), size;
    if (const std::size_t size = is("{payload_bytes}")) {
        return protocol::append_decimal(out, values.payload.size()), size;
    }
    return 0;
}

}  // namespace

void append_filled(std::string& out, std::string_view text, const Placeholders& values) {
    while (!text.empty()) {
        const std::size_t brace = text.find('{');
        out.append(text.substr(0, brace));
        if (brace == std::string_view::npos) return;
        text.remove_prefix(brace);
        if (const std::size_t size = fill_placeholder(out, text, values)) {
            text.remove_prefix(size);
            continue;
        }
        const Group* const group = group_at(text);
        const std::size_t end = group == nullptr ? std::string_view::npos : closing_brace(text);
        if (end == std::string_view::npos) {
            out.push_back('{');
            text.remove_prefix(1);
            continue;
        }
        std::string inner;
        append_filled(inner, text.substr(group->opening.size(), end - group->opening.size()),
                      values);
        group->append_length(out, inner.size());
        out.append(inner);
        text.remove_prefix(end + 1);
    }
}

std::string groups_problem(std::string_view text) {
    for (; !text.empty(); text.remove_prefix(1)) {
        const Group* const group = group_at(text);
        if (group == nullptr) continue;
        const std::size_t end = closing_brace(text);
        const std::string name(group->opening);
        if (end == std::string_view::npos) return "'" + name + "' is not closed: expected a '}'";
        const bool holds_payload = text.substr(0, end).find("{payload}") != std::string_view::npos;
        if (group->append_length == &append_u16 && holds_payload) {
            return "a payload may be longer than '{u16:' counts: expected '{varint:'";
        }
    }
    return {};
}

}  // namespace parley::load
