// Any bytes at all: a stream means the same however it is cut, and the limits hold.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz_require.hpp"
#include "protocol/utf8.hpp"
#include "protocol/websocket_events.hpp"

namespace parley::protocol {
namespace {

using parley::test::fuzz_require;
using test::SeenEvent;
using Event = WebSocketDecoder::Event;

constexpr std::size_t message_bytes_max = 600;

// The first byte of the input configures the decoder.
WebSocketDecoderConfig config_of(std::uint8_t choice) {
    return {.role = (choice & 1) != 0 ? WebSocketRole::server : WebSocketRole::client,
            .message_bytes_max = message_bytes_max,
            .frame_bytes_max = 300,
            .fragments_max = 5,
            .deflate = (choice & 2) != 0,
            .inflate_window_bits = 8 + ((choice >> 3) & 7),
            .inflate_context_takeover = (choice & 4) != 0};
}

void check_event(const SeenEvent& seen) {
    const bool text =
        seen.event == Event::close || (seen.event == Event::message && seen.opcode == Opcode::text);
    fuzz_require(!text || is_valid_utf8(seen.payload), "text is UTF-8");
    if (seen.event == Event::message) {
        fuzz_require(seen.payload.size() <= message_bytes_max, "a message keeps to its bound");
        fuzz_require(seen.opcode == Opcode::text || seen.opcode == Opcode::binary,
                     "a message is text or binary");
    } else {
        fuzz_require(seen.payload.size() <= 125, "a control frame keeps to its bound");
    }
    if (seen.event == Event::close) {
        fuzz_require(seen.code == 1005 || is_valid_close_code(seen.code), "a close code is valid");
    }
    if (seen.event == Event::failed) {
        fuzz_require(seen.code == 1002 || (seen.code >= 1007 && seen.code <= 1009),
                     "a failure has its code");
        fuzz_require(!seen.error.empty() && seen.payload.empty(), "a failure says why");
    }
}

}  // namespace
}  // namespace parley::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace parley::protocol;
    using parley::test::fuzz_require;
    if (size < 2) return 0;
    const WebSocketDecoderConfig config = config_of(data[0]);
    const std::uint8_t cuts = data[1];
    const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);

    const auto whole = test::decode_whole(config, stream);
    for (const auto& seen : whole) check_event(seen);
    const auto bytewise = test::decode_in_pieces(config, stream, [](std::size_t) { return 1; });
    fuzz_require(bytewise == whole, "byte by byte as in one piece");
    const auto pieces = test::decode_in_pieces(config, stream, [cuts](std::size_t left) {
        return 1 + (left * 31 + cuts) % (1U + cuts % 64);
    });
    fuzz_require(pieces == whole, "in pieces as in one");
    return 0;
}
