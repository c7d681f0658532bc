#include "transports/websocket/websocket_upgrade.hpp"

#include <boost/beast/http/field.hpp>

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

// The values of a header that may be repeated, joined as RFC 9110, 5.3 has it. Points into the
// request where there is one only.
std::string_view joined(const HttpRequest& request, http::field name, std::string& storage) {
    const auto [first, last] = request.equal_range(name);
    if (first == last) return {};
    if (std::next(first) == last) return first->value();
    for (auto field = first; field != last; ++field) {
        if (!storage.empty()) storage += ", ";
        storage += field->value();
    }
    return storage;
}

// The headers of one upgrade request, with what had to be joined.
struct UpgradeHeaders {
    explicit UpgradeHeaders(const HttpRequest& request) {
        values.method = request.method_string();
        values.http_1_1 = request.version() == 11;
        values.upgrade = joined(request, http::field::upgrade, storage[0]);
        values.connection = joined(request, http::field::connection, storage[1]);
        values.key = joined(request, http::field::sec_websocket_key, storage[2]);
        values.version = joined(request, http::field::sec_websocket_version, storage[3]);
        values.protocols = joined(request, http::field::sec_websocket_protocol, storage[4]);
        values.extensions = joined(request, http::field::sec_websocket_extensions, storage[5]);
    }
    UpgradeHeaders(const UpgradeHeaders&) = delete;
    UpgradeHeaders& operator=(const UpgradeHeaders&) = delete;

    std::array<std::string, 6> storage;
    protocol::UpgradeRequest values;
};

HttpResponse refusal(const protocol::UpgradeAnswer& answer) {
    HttpResponse response = problem(answer.status, answer.error);
    // RFC 6455, 4.4 and RFC 9110, 15.5.22: what would have been accepted.
    if (answer.status == 426) {
        response.headers.emplace_back("Upgrade", "websocket");
        response.headers.emplace_back("Sec-WebSocket-Version", "13");
    }
    if (answer.status == 405) response.headers.emplace_back("Allow", "GET");
    return response;
}

}  // namespace

bool wants_websocket(const HttpRequest& request) {
    if (request.count(http::field::upgrade) == 0) return false;
    return protocol::wants_websocket(UpgradeHeaders(request).values);
}

std::variant<AgreedUpgrade, HttpResponse> agree_upgrade(
    const HttpRequest& request, std::span<const std::string_view> subprotocols,
    const protocol::DeflateConfig& deflate, int server_window_bits_min) {
    const UpgradeHeaders headers(request);
    protocol::UpgradeAnswer answer =
        protocol::answer_upgrade(headers.values, subprotocols, deflate);
    if (answer.status != 101) return refusal(answer);
    if (answer.deflate && answer.deflate->server_window_bits < server_window_bits_min) {
        answer.deflate.reset();
        answer.extensions.clear();
    }
    AgreedUpgrade agreed{{}, answer.deflate};
    agreed.head =
        "HTTP/1.1 101 Switching Protocols\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
    agreed.head += answer.accept;
    if (!answer.subprotocol.empty()) {
        agreed.head.append("\r\nSec-WebSocket-Protocol: ").append(answer.subprotocol);
    }
    if (!answer.extensions.empty()) {
        agreed.head.append("\r\nSec-WebSocket-Extensions: ").append(answer.extensions);
    }
    agreed.head += "\r\n\r\n";
    return agreed;
}

}  // namespace parley::transports
