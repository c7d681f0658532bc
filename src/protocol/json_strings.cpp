#include <cstdint>

#include "protocol/json_append.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/json_scan.hpp"

namespace parley::protocol {
namespace {

template <typename Out>
void append_escaped(Out& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out += "\\u00";
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 0x0F]);
}

template <typename Out>
void append_literal(Out& out, std::string_view utf8) {
    out.push_back('"');
    for (;;) {
        const auto run = json_plain_run(utf8);
        out.append(utf8.substr(0, run));
        if (run == utf8.size()) break;
        append_escaped(out, utf8[run]);
        utf8.remove_prefix(run + 1);
    }
    out.push_back('"');
}

template <typename Out>
void append_type_and_id(Out& out, std::string_view type, const CommandId& id) {
    out += R"({"type":")";
    out += type;
    out.push_back('"');
    if (const auto* number = std::get_if<std::int64_t>(&id)) {
        out += R"(,"id":)";
        if (*number < 0) out.push_back('-');
        const auto bits = static_cast<std::uint64_t>(*number);
        append_decimal(out, *number < 0 ? 0 - bits : bits);
    } else if (const auto* text = std::get_if<std::string>(&id)) {
        append_string(out, R"(,"id":)", *text);
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view utf8) {
    append_literal(out, utf8);
}
void append_json_string(TextWriter& out, std::string_view utf8) {
    append_literal(out, utf8);
}

void append_head(std::string& out, std::string_view type, const CommandId& id) {
    append_type_and_id(out, type, id);
}
void append_head(TextWriter& out, std::string_view type, const CommandId& id) {
    append_type_and_id(out, type, id);
}

}  // namespace parley::protocol
