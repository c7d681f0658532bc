#include "loadtest/target.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

namespace parley::load {
namespace {

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

// Nothing where an escape is unknown or cut off.
std::optional<std::string> unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out.push_back(text[i]);
            continue;
        }
        if (++i == text.size()) return std::nullopt;
        switch (text[i]) {
            case 'n':
                out.push_back('\n');
                break;
            case 'r':
                out.push_back('\r');
                break;
            case 't':
                out.push_back('\t');
                break;
            case '\\':
                out.push_back('\\');
                break;
            case 'x': {
                if (i + 2 >= text.size()) return std::nullopt;
                const auto high = hex_digit(text[i + 1]);
                const auto low = hex_digit(text[i + 2]);
                if (!high || !low) return std::nullopt;
                out.push_back(static_cast<char>(*high * 16 + *low));
                i += 2;
                break;
            }
            default:
                return std::nullopt;
        }
    }
    return out;
}

// Takes one line's key and value into the target. Returns what is wrong; empty: nothing.
std::string take_pair(Target& target, std::string_view key, std::string_view raw) {
    auto value = unescape(raw);
    if (!value) return "unknown escape; known are \\n \\r \\t \\\\ and \\xHH";
    if (std::string wrong = groups_problem(*value); !wrong.empty()) return wrong;
    if (key == "name") {
        target.name = std::move(*value);
    } else if (key == "path") {
        if (!value->starts_with('/')) return "a path begins with '/'";
        target.path = std::move(*value);
    } else if (key == "subprotocol") {
        target.subprotocol = std::move(*value);
    } else if (key == "send" || key == "expect") {
        if (value->empty()) return "'" + std::string(key) + "' needs a text";
        const auto kind = key == "send" ? Target::Step::Kind::send : Target::Step::Kind::expect;
        target.steps.push_back({kind, std::move(*value)});
    } else if (key == "publish") {
        if (value->find("{payload}") == std::string::npos) return "'publish' needs {payload}";
        target.acknowledged = value->find("{ack}") != std::string::npos;
        target.publish = std::move(*value);
    } else if (key == "publish_http") {
        if (!value->starts_with('/')) return "a path begins with '/'";
        target.publish_http = std::move(*value);
    } else if (key == "frames") {
        if (*value != "text" && *value != "binary") return "'frames' is text or binary";
        target.binary = *value == "binary";
    } else if (key == "delivery") {
        target.delivery = std::move(*value);
    } else if (key == "reply") {
        const std::size_t arrow = value->find("=>");
        if (arrow == std::string::npos || arrow == 0) return "'reply' is written X=>Y";
        target.replies.push_back({value->substr(0, arrow), value->substr(arrow + 2)});
    } else if (key == "echo") {
        if (*value != "yes" && *value != "no") return "'echo' is yes or no";
        target.echo = *value == "yes";
    } else {
        return "unknown key '" + std::string(key) +
               "'; known are name, path, subprotocol, frames, send, expect, publish, publish_http, "
               "delivery, reply, echo";
    }
    return {};
}

}  // namespace

Target parley_target(std::string_view url_path) {
    Target target;
    target.name = "parley.v1";
    target.path = url_path;
    target.path += url_path.find('?') == std::string_view::npos ? '?' : '&';
    target.path += "name=u{id}&room={room}";
    target.subprotocol = "parley.v1";
    target.steps = {{Target::Step::Kind::expect, R"("type":"joined")"}};
    target.publish = R"({"type":"send","room":"{room}","text":"{payload}"})";
    target.numbered = true;
    return target;
}

Target parley_socketio_target(std::string_view url_path) {
    Target target;
    target.name = "Socket.IO";
    target.path = url_path;
    target.steps = {{Target::Step::Kind::send, R"(40{"username":"u{id}","room":"{room}"})"},
                    {Target::Step::Kind::expect, "40{"},
                    {Target::Step::Kind::expect, R"(42["message_history",)"}};
    target.publish = R"(42{ack}["message",{"room":"{room}","text":"{payload}"}])";
    target.acknowledged = true;
    target.delivery = R"(42["message",)";
    target.numbered = true;
    return target;
}

Checked<Target> parse_target(std::string_view text, std::string_view file) {
    Target target;
    target.name = file;
    std::size_t line_number = 0;
    while (!text.empty()) {
        ++line_number;
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        const std::size_t equals = line.find('=');
        std::string wrong = "expected key=value";
        if (equals != std::string_view::npos) {
            wrong = take_pair(target, line.substr(0, equals), line.substr(equals + 1));
        }
        if (!wrong.empty()) {
            return Problem{std::string(file) + ":" + std::to_string(line_number) + ": " + wrong};
        }
    }
    return target;
}

Checked<Target> load_target(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Problem{file + ": cannot be read"};
    std::string text(target_file_bytes_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad() || text.empty()) return Problem{file + ": cannot be read, or is empty"};
    if (text.size() > target_file_bytes_max) {
        return Problem{file + ": is larger than " + std::to_string(target_file_bytes_max) +
                       " bytes: not a target file"};
    }
    return parse_target(text, file);
}

}  // namespace parley::load
