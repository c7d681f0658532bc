// JsonAppend: the pieces that every encoder of the protocol is written with.
//
// Path:     Command, ServerMessage → [JsonAppend] → text
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   none of its own; each appends what it is given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/json_codec.hpp"
#include "protocol/text_writer.hpp"

namespace parley::protocol {

// The same as for a std::string, which `Out` is below where it is not a TextWriter.
void append_json_string(TextWriter& out, std::string_view utf8);

// Each `name` is the member's name with all the punctuation around it: `,"room":`.
template <typename Out>
void append_string(Out& out, std::string_view name, std::string_view value) {
    out += name;
    append_json_string(out, value);
}

template <typename Out>
void append_number(Out& out, std::string_view name, std::uint64_t value) {
    out += name;
    append_decimal(out, value);
}

template <typename Out>
void append_boolean(Out& out, std::string_view name, bool value) {
    out += name;
    out += value ? "true" : "false";
}

// An epoch is letters and digits: nothing in a cursor needs an escape.
template <typename Out>
void append_cursor(Out& out, std::string_view name, const Cursor& cursor) {
    out += name;
    out.push_back('"');
    append_cursor(out, cursor);
    out.push_back('"');
}

template <typename Out>
void append_body(Out& out, const Body& body) {
    if (body.kind == Body::Kind::text) {
        append_string(out, ",\"text\":", body.content);
    } else {
        out += ",\"data\":";
        out += body.content;
    }
}

template <typename Out>
void append_user(Out& out, std::string_view name, const User& user) {
    out += name;
    append_string(out, "{\"id\":", user.id);
    append_string(out, ",\"name\":", user.name);
    out.push_back('}');
}

// `name` and the elements between brackets, each by `append_one`.
template <typename Elements, typename AppendOne>
void append_array(std::string& out, std::string_view name, const Elements& elements,
                  AppendOne append_one) {
    out += name;
    out.push_back('[');
    bool first = true;
    for (const auto& element : elements) {
        if (!first) out.push_back(',');
        first = false;
        append_one(out, element);
    }
    out.push_back(']');
}

inline void append_users(std::string& out, const std::vector<User>& users) {
    append_array(out, ",\"members\":", users,
                 [](std::string& to, const User& user) { append_user(to, {}, user); });
}

// `{"type":"..."` and the id, where there is one; the rest of the object follows.
void append_head(std::string& out, std::string_view type, const CommandId& id);
void append_head(TextWriter& out, std::string_view type, const CommandId& id);

}  // namespace parley::protocol
