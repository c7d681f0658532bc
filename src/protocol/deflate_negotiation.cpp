// The permessage-deflate half of websocket_handshake.hpp (RFC 7692, section 7.1).
#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/header_list.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::protocol {
namespace {

constexpr std::string_view extension_name = "permessage-deflate";
constexpr int window_bits_min = 8;
constexpr int window_bits_max = 15;
// zlib can't compress raw deflate with a window of 256 bytes.
constexpr int compressor_bits_min = 9;

// One element of Sec-WebSocket-Extensions as it was written. Bits of 0: named without a value.
struct DeflateParameters {
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    std::optional<int> server_window_bits;
    std::optional<int> client_window_bits;
};

// 8 to 15 in decimal without leading zeros (RFC 7692, 7.1.2), perhaps in quotes; else nothing.
std::optional<int> parse_window_bits(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
    }
    if (value.empty() || value.front() == '0') return std::nullopt;
    int bits = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
    const bool whole = error == std::errc{} && end == value.data() + value.size();
    if (!whole || bits < window_bits_min || bits > window_bits_max) return std::nullopt;
    return bits;
}

// False where the parameter is unknown, repeated or has a wrong value.
bool take_parameter(std::string_view parameter, DeflateParameters& into) {
    const auto equals = parameter.find('=');
    const bool has_value = equals != std::string_view::npos;
    const std::string_view name = trim(parameter.substr(0, equals));
    const std::string_view value = has_value ? trim(parameter.substr(equals + 1)) : "";
    const auto take_flag = [has_value](bool& flag) {
        return !has_value && !std::exchange(flag, true);
    };
    if (equal_any_case(name, "server_no_context_takeover")) {
        return take_flag(into.server_no_context_takeover);
    }
    if (equal_any_case(name, "client_no_context_takeover")) {
        return take_flag(into.client_no_context_takeover);
    }
    const bool of_server = equal_any_case(name, "server_max_window_bits");
    if (!of_server && !equal_any_case(name, "client_max_window_bits")) return false;
    std::optional<int>& bits = of_server ? into.server_window_bits : into.client_window_bits;
    if (bits) return false;
    bits = has_value ? parse_window_bits(value) : std::optional(0);
    return bits && (has_value || !of_server);
}

// Nothing where the element isn't permessage-deflate or isn't well-formed.
std::optional<DeflateParameters> parse_element(std::string_view element) {
    std::string_view item;
    if (!next_item(element, ';', item) || !equal_any_case(item, extension_name)) return {};
    DeflateParameters parameters;
    while (next_item(element, ';', item)) {
        if (!take_parameter(item, parameters)) return {};
    }
    return parameters;
}

void append_window_bits(std::string& out, std::string_view name, int bits) {
    out.append("; ").append(name).append("=").append(std::to_string(bits));
}

}  // namespace

std::optional<DeflateAgreement> negotiate_deflate(std::string_view offers,
                                                  const DeflateConfig& config) {
    if (!config.enabled) return std::nullopt;
    std::string_view element;
    while (next_item(offers, ',', element)) {
        const auto offer = parse_element(element);
        if (!offer) continue;
        DeflateAgreement agreement;
        agreement.server_window_bits = std::min(
            config.server_window_bits, offer->server_window_bits.value_or(window_bits_max));
        if (agreement.server_window_bits < compressor_bits_min) continue;
        agreement.server_window_bits_asked = offer->server_window_bits.has_value();
        const int client_bits = offer->client_window_bits.value_or(0);
        agreement.client_window_bits = client_bits != 0 ? client_bits : window_bits_max;
        agreement.server_no_context_takeover =
            config.server_no_context_takeover || offer->server_no_context_takeover;
        agreement.client_no_context_takeover =
            config.client_no_context_takeover || offer->client_no_context_takeover;
        return agreement;
    }
    return std::nullopt;
}

std::string deflate_extension_header(const DeflateAgreement& agreement) {
    std::string out(extension_name);
    if (agreement.server_no_context_takeover) out += "; server_no_context_takeover";
    if (agreement.client_no_context_takeover) out += "; client_no_context_takeover";
    if (agreement.server_window_bits_asked || agreement.server_window_bits < window_bits_max) {
        append_window_bits(out, "server_max_window_bits", agreement.server_window_bits);
    }
    // A bound that was only a hint in the offer holds for the client when it is in the answer.
    if (agreement.client_window_bits < window_bits_max) {
        append_window_bits(out, "client_max_window_bits", agreement.client_window_bits);
    }
    return out;
}

std::optional<DeflateAgreement> parse_deflate_answer(std::string_view extensions) {
    std::string_view element;
    if (!next_item(extensions, ',', element) || !extensions.empty()) return std::nullopt;
    const auto answer = parse_element(element);
    // In an answer a bound always has its value (RFC 7692, 7.1.2.2).
    if (!answer || answer->client_window_bits == 0) return std::nullopt;
    return DeflateAgreement{
        .server_no_context_takeover = answer->server_no_context_takeover,
        .client_no_context_takeover = answer->client_no_context_takeover,
        .server_window_bits = answer->server_window_bits.value_or(window_bits_max),
        .client_window_bits = answer->client_window_bits.value_or(window_bits_max),
        .server_window_bits_asked = answer->server_window_bits.has_value(),
    };
}

}  // namespace parley::protocol
