// Binary in JSON: placeholders of attachments ⇄ `{"$binary":"<base64>"}`.
#include "protocol/engineio.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/socketio.hpp"
#include "protocol/socketio_chat.hpp"

namespace parley::protocol {
namespace {

constexpr std::string_view binary_key = "$binary";
constexpr std::string_view placeholder_key = "_placeholder";

bool is_key(std::string_view raw, std::string_view name) {
    if (raw == name) return true;
    return raw.find('\\') != std::string_view::npos && unescape_json_key(raw) == name;
}

// Writes a checked value without white space between its tokens, but for the objects that
// `replace(out, object)` has written in another way. Recurses as deep as check_json() allows.
template <typename Replace>
void rewrite(std::string& out, std::string_view value, Replace& replace) {
    const JsonKind kind = json_kind(value);
    if (kind == JsonKind::object && replace(out, value)) return;
    if (kind != JsonKind::object && kind != JsonKind::array) {
        out += value;
        return;
    }
    out.push_back(value.front());
    bool first = true;
    for (JsonItems items(value); items.next(); first = false) {
        if (!first) out.push_back(',');
        if (kind == JsonKind::object) out.append("\"").append(items.key()).append("\":");
        rewrite(out, items.value(), replace);
    }
    out.push_back(kind == JsonKind::object ? '}' : ']');
}

// What a `{"$binary":"<base64>"}` stands for; nothing for any other object.
std::optional<std::string> bytes_of(std::string_view object) {
    JsonItems items(object);
    if (!items.next() || !is_key(items.key(), binary_key)) return std::nullopt;
    const auto value = items.value();
    if (json_kind(value) != JsonKind::string || items.next()) return std::nullopt;
    // As a polling body has it, whose decoder is strict.
    std::string record = "b" + unescape_json(value);
    EnginePayload payload(record);
    EnginePacket packet;
    if (payload.next(packet) != EnginePayload::Step::packet || !packet.binary) return std::nullopt;
    std::string bytes(packet.data);
    if (payload.next(packet) != EnginePayload::Step::end) return std::nullopt;
    return bytes;
}

// Makes placeholders.
struct Extraction {
    std::vector<std::string>& attachments;
    std::size_t first;
    std::uint32_t attachments_max;
    bool refused = false;

    bool operator()(std::string& out, std::string_view object) {
        for (JsonItems items(object); items.next();) {
            // The peer would look for an attachment that there is not, and hang up.
            if (is_key(items.key(), placeholder_key)) refused = true;
        }
        auto bytes = bytes_of(object);
        if (!bytes) return false;
        if (attachments.size() - first == attachments_max) refused = true;
        if (refused) return false;
        append_placeholder(out, static_cast<std::uint32_t>(attachments.size()));
        attachments.push_back(std::move(*bytes));
        return true;
    }
};

}  // namespace

void append_with_attachments(std::string& out, std::vector<std::string>& attachments,
                             std::string_view json, std::uint32_t attachments_max) {
    // A key may be written with escapes.
    const bool none = json.find(binary_key) == std::string_view::npos &&
                      json.find("\\u") == std::string_view::npos;
    if (none || attachments_max == 0) {
        out += json;
        return;
    }
    const std::size_t written = out.size();
    Extraction extract{attachments, attachments.size(), attachments_max};
    rewrite(out, json, extract);
    if (!extract.refused) return;
    out.resize(written);
    attachments.resize(extract.first);
    out += json;
}

void append_with_binary(std::string& out, std::string_view json,
                        std::span<const std::string> attachments) {
    auto replace = [attachments](std::string& to, std::string_view object) {
        const auto number = attachments.empty() ? std::nullopt : placeholder_num(object);
        if (!number || *number >= attachments.size()) return false;
        std::string record;
        append_engine_binary_record(record, attachments[*number]);
        to.append(R"({"$binary":")").append(record, 1).append("\"}");
        return true;
    };
    rewrite(out, json, replace);
}

}  // namespace parley::protocol
