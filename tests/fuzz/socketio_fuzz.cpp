// A Socket.IO packet has one meaning or none, and every placeholder in it names an attachment.
// The input's lines are messages: text, or binary where one begins with `b`.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz_require.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/socketio.hpp"

namespace parley::protocol {
namespace {

using test::fuzz_require;

constexpr SocketDecoder::Limits limits{10, 4096};

void check_placeholders(std::string_view value, std::size_t attachments, int depth) {
    if (const auto num = placeholder_num(value)) {
        fuzz_require(*num < attachments, "a placeholder names an attachment");
    }
    fuzz_require(depth <= 32, "nesting is bounded");
    for (JsonItems items(value); items.next();) {
        check_placeholders(items.value(), attachments, depth + 1);
    }
}

void check_packet(const SocketDecoder& decoder) {
    const SocketPacket& packet = decoder.packet();
    fuzz_require(packet.attachments == decoder.attachments().size(), "all attachments are there");
    fuzz_require(packet.attachments <= limits.attachments_max, "attachments are bounded");
    fuzz_require(packet.id.value_or(0) <= socket_id_max, "ids are bounded");
    fuzz_require(packet.name_space.starts_with('/'), "a namespace begins with a slash");
    fuzz_require(packet.name_space.size() <= namespace_bytes_max, "a namespace is bounded");
    std::string text;
    append_socket_packet(text, packet);
    const auto again = decode_socket_packet(text, limits.attachments_max);
    fuzz_require(again.has_value(), "what is written is read");
    fuzz_require(again->type == packet.type && again->id == packet.id &&
                     again->name_space == packet.name_space && again->json == packet.json &&
                     again->attachments == packet.attachments,
                 "what is written is read as it was");
    if (packet.type == SocketType::binary_event || packet.type == SocketType::binary_ack) {
        check_placeholders(packet.json, packet.attachments, 0);
    }
    if (packet.type == SocketType::event) {
        fuzz_require(event_name(packet.json) != "connect", "no reserved name");
    }
}

}  // namespace
}  // namespace parley::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace parley::protocol;
    std::string_view input(reinterpret_cast<const char*>(data), size);
    SocketDecoder decoder(limits);
    while (!input.empty()) {
        const auto line = input.substr(0, input.find('\n'));
        input.remove_prefix(line.size() < input.size() ? line.size() + 1 : line.size());
        const std::string text(line);  // a decoder's packet may point into it
        const auto step =
            line.starts_with('b') ? decoder.feed_binary(line.substr(1)) : decoder.feed_text(text);
        if (step == SocketDecoder::Step::failed) break;
        if (step == SocketDecoder::Step::packet) check_packet(decoder);
    }
    return 0;
}
