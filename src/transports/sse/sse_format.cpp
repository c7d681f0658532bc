#include "transports/sse/sse_format.hpp"

#include <charconv>

#include "protocol/sse.hpp"

namespace parley::transports {
namespace {

using core::PublicationKind;

std::string_view name_of(PublicationKind kind) noexcept {
    switch (kind) {
        case PublicationKind::message:
            return "message";
        case PublicationKind::typing:
            return "typing";
        case PublicationKind::presence:
            return "presence";
        case PublicationKind::read:
            return "read";
        case PublicationKind::role:
            return "role";
    }
    return "message";
}

// A message names its room, which has no quotes, and then its cursor: the first one is its own.
std::string_view cursor_of_message(std::string_view json) noexcept {
    constexpr std::string_view field = "\"cursor\":\"";
    const auto at = json.find(field);
    if (at == std::string_view::npos) return {};
    json.remove_prefix(at + field.size());
    return json.substr(0, json.find('"'));
}

void encode_bare(const core::WireFormat&, const core::Publication& publication, std::string& out) {
    append_event(out, publication.kind(), publication.json());
}

void encode_chunked(const core::WireFormat& format, const core::Publication& publication,
                    std::string& out) {
    thread_local std::string event;
    event.clear();
    encode_bare(format, publication, event);
    append_chunk(out, event);
}

constexpr core::WireFormat chunked_format{2, &encode_chunked};
constexpr core::WireFormat bare_format{4, &encode_bare};

}  // namespace

constexpr core::TransportTraits sse_chunked{"sse", &chunked_format};
constexpr core::TransportTraits sse_bare{"sse", &bare_format};

void append_event(std::string& out, PublicationKind kind, std::string_view json) {
    protocol::append_sse(
        out, kind == PublicationKind::message ? cursor_of_message(json) : std::string_view(),
        name_of(kind), json);
}

void append_chunk(std::string& out, std::string_view payload) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, payload.size(), 16);
    out.append(digits, end.ptr).append("\r\n").append(payload).append("\r\n");
}

}  // namespace parley::transports
