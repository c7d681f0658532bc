// Any body of a REST request: whatever decodes comes back equal from the client's encoding, can be
// shown on a plain chat page, and a refusal can be answered.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "fuzz/fuzz_require.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/rest_codec.hpp"

namespace parley::protocol {
namespace {

using parley::test::fuzz_require;

// Those that a route of the REST interface names.
constexpr std::array<std::string_view, 6> types{"send",   "history", "members",
                                                "typing", "read",    "join"};

void check_refusal(const DecodeError& error) {
    fuzz_require(!error.message.empty(), "a refusal says why");
    fuzz_require(error.message.size() < 300, "a refusal is short");
    std::string text;
    append_json_string(text, error.message);
    fuzz_require(!check_json(text), "a refusal can be answered");
}

void check_send(const RestCommand& command) {
    const auto* const send = std::get_if<Send>(&command.command);
    if (send == nullptr) return;
    std::string encoded;
    append_rest_send(encoded, *send, command.name.value_or(""));
    const auto again = decode_rest_command("send", {send->room}, encoded, RestDialect::parley);
    fuzz_require(again.has_value(), "a send comes back");
    fuzz_require(std::get<Send>(again->command) == *send, "a send comes back as it was");
    fuzz_require(again->name.value_or("") == command.name.value_or(""), "and its name");

    const Cursor cursor{*Epoch::parse("e"), 1};
    std::string message;
    append_message(message, {send->room,
                             cursor,
                             {"1", command.name.value_or("a")},
                             send->body,
                             send->event,
                             "2026-11-22T12:00:00.000Z"});
    const std::array<std::string_view, 1> messages{message};
    std::string page;
    append_chat_page(page, {send->room, cursor, {}, false}, true, messages);
    fuzz_require(!check_json(page), "a plain chat page is JSON");
    page.clear();
    append_rest_page(page, {send->room, cursor, {}, false}, true, messages);
    fuzz_require(!check_json(page), "a page is JSON");
}

}  // namespace
}  // namespace parley::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace parley::protocol;
    if (size < 1) return 0;
    // The first byte is the route.
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto dialect = (data[0] & 1U) != 0 ? RestDialect::plain_chat : RestDialect::parley;
    const std::string_view type = types[(data[0] >> 1U) % types.size()];
    const auto command = decode_rest_command(type, {"lobby"}, text, dialect);
    if (command) {
        check_send(*command);
    } else {
        check_refusal(command.error());
    }
    if (const auto ack = decode_rest_ack(text)) {
        std::string encoded;
        append_rest_ack(encoded, *ack);
        const auto again = decode_rest_ack(encoded);
        parley::test::fuzz_require(again && *again == *ack, "an ack comes back");
    } else {
        check_refusal(ack.error());
    }
    return 0;
}
