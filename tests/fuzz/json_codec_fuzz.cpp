// Any text: whatever decodes comes back equal from its own encoding, and a refusal can be answered.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/json_codec.hpp"
#include "protocol/json_scan.hpp"

namespace {

using namespace parley::protocol;

void require(bool holds, const char* law) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", law);
    std::abort();
}

// What is sent back must be JSON whatever was received.
void check_refusal(const DecodeError& error) {
    require(!error.message.empty(), "a refusal says why");
    require(error.message.size() < 300, "a refusal is short");
    std::string text;
    append_server_frame(text, {error.id, Error{"bad_request", error.message, false, {}}});
    require(decode_server_frame(text).has_value(), "a refusal can be answered");
}

void check_peek(std::string_view text, const Decoded<CommandFrame>& decoded) {
    const auto peek = peek_command(text);
    if (!decoded.has_value()) return;
    require(peek.id == decoded->id, "peek and decode agree on the id");
    std::string encoded;
    append_command(encoded, *decoded);
    require(peek.type.empty() || peek.type == peek_command(encoded).type,
            "peek and decode agree on the type");
}

void check_strings(std::string_view text) {
    std::string literal;
    append_json_string(literal, text);
    if (check_json(literal)) return;  // the input was not UTF-8
    require(unescape_json(literal) == text, "a string comes back from its literal");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_strings(text);
    const auto command = decode_command(text);
    check_peek(text, command);
    if (command.has_value()) {
        std::string encoded;
        append_command(encoded, *command);
        const auto again = decode_command(encoded);
        require(again.has_value() && *again == *command, "a command comes back");
    } else {
        check_refusal(command.error());
    }
    if (const auto frame = decode_server_frame(text); frame.has_value()) {
        std::string encoded;
        append_server_frame(encoded, *frame);
        const auto again = decode_server_frame(encoded);
        require(again.has_value(), "a server frame comes back");
        std::string twice;
        append_server_frame(twice, *again);
        require(twice == encoded, "a server frame is encoded the same twice");
    } else {
        check_refusal(frame.error());
    }
    return 0;
}
