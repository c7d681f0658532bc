// Any header values: answers keep to their statuses, and what is agreed to can be read back.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz_require.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::protocol {
namespace {

using parley::test::fuzz_require;

constexpr std::array<std::string_view, 2> spoken{"parley.v1", "echo"};

void check_agreement(const DeflateAgreement& agreement, const DeflateConfig& config,
                     std::string_view header) {
    fuzz_require(agreement.server_window_bits >= 9 &&
                     agreement.server_window_bits <= config.server_window_bits,
                 "the server's window keeps to its configuration");
    fuzz_require(agreement.client_window_bits >= 8 && agreement.client_window_bits <= 15,
                 "the client's window is one");
    const auto back = parse_deflate_answer(header);
    fuzz_require(back.has_value(), "the answer is well-formed");
    fuzz_require(back->server_window_bits == agreement.server_window_bits &&
                     back->client_window_bits == agreement.client_window_bits &&
                     back->server_no_context_takeover == agreement.server_no_context_takeover &&
                     back->client_no_context_takeover == agreement.client_no_context_takeover,
                 "the answer says what was agreed to");
}

// The input's lines, one a header value.
std::string_view next_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

void check_request(std::string_view input, std::uint8_t choice) {
    UpgradeRequest request;
    request.http_1_1 = (choice & 1) == 0;
    for (std::string_view* value :
         {&request.method, &request.upgrade, &request.connection, &request.key, &request.version,
          &request.protocols, &request.extensions}) {
        *value = next_line(input);
    }
    const DeflateConfig config{.enabled = (choice & 2) == 0,
                               .server_window_bits = 9 + (choice >> 4) % 7,
                               .server_no_context_takeover = (choice & 4) != 0,
                               .client_no_context_takeover = (choice & 8) != 0};
    const auto answer = answer_upgrade(request, spoken, config);
    if (answer.status != 101) {
        fuzz_require(answer.status == 400 || answer.status == 405 || answer.status == 426,
                     "a refusal has its status");
        fuzz_require(!answer.error.empty() && answer.accept.empty(), "a refusal says why");
        return;
    }
    fuzz_require(answer.error.empty() && answer.accept.size() == 28, "an answer has its accept");
    fuzz_require(answer.deflate.has_value() == !answer.extensions.empty(),
                 "an extension is agreed to and named, or neither");
    if (answer.deflate) check_agreement(*answer.deflate, config, answer.extensions);
}

}  // namespace
}  // namespace parley::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace parley::protocol;
    if (size < 1) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    check_request(input, data[0]);
    std::string error;
    const bool fine = check_upgrade_response(input, "dGhlIHNhbXBsZSBub25jZQ==", error);
    parley::test::fuzz_require(fine == error.empty(), "a refused answer says why");
    return 0;
}
