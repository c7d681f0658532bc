#include "conformance/echo_frontends.hpp"

#include <boost/beast/http/field.hpp>

#include "core/hub.hpp"
#include "protocol/deflate.hpp"
#include "transports/gate.hpp"
#include "transports/websocket/websocket_connection.hpp"
#include "transports/websocket/websocket_upgrade.hpp"

namespace parley::conformance {
namespace {

namespace http = boost::beast::http;
using transports::Exchange;
using transports::Gate;
using transports::HttpResponse;
using transports::HttpTarget;
using transports::WebSocketLink;

constexpr int window_bits_min = 8;
constexpr int window_bits_max = 15;

// Without context takeover a compressor serves every connection with the same window.
std::string_view deflate(int window_bits, std::string_view message) {
    thread_local std::array<std::optional<protocol::Deflater>, window_bits_max + 1> deflaters;
    thread_local std::string out;
    auto& deflater = deflaters[static_cast<std::size_t>(window_bits)];
    if (!deflater) deflater.emplace(window_bits);
    out.clear();
    deflater->compress(out, message);
    return out;
}

class EchoHandler final : public transports::WebSocketHandler {
public:
    explicit EchoHandler(const std::optional<protocol::DeflateAgreement>& agreed)
        : deflate_bits_(agreed ? agreed->server_window_bits : 0) {}

    void on_open(WebSocketLink& link) override { link_ = &link; }
    void on_message(protocol::Opcode opcode, std::string_view payload) override {
        if (deflate_bits_ == 0) return link_->send(opcode, payload);
        link_->send(opcode, deflate(deflate_bits_, payload), true);
    }
    // Its answers wait in the connection, which reads no further while any of them is unsent.
    bool ready() const noexcept override { return true; }
    void on_writable() override {}
    void on_drain() override {}
    void on_closed(const core::CloseReason&) noexcept override {}

private:
    WebSocketLink* link_ = nullptr;
    int deflate_bits_;  // 0: not agreed
};

class EchoFrontend final : public transports::Frontend {
public:
    explicit EchoFrontend(Gate& gate) : gate_(&gate) {
        deflate_.enabled = gate.config().deflate;
        for (int bits = 0; bits <= window_bits_max; ++bits) {
            auto& config = decoding_[static_cast<std::size_t>(bits)];
            config.message_bytes_max = gate.shard().config().limits.message_bytes;
            config.frame_bytes_max = config.message_bytes_max;
            config.fragments_max = gate.config().fragments_max;
            config.deflate = bits >= window_bits_min;
            if (config.deflate) config.inflate_window_bits = bits;
        }
    }

    bool owns(const HttpTarget& target) const noexcept override {
        return target.path == "/" || target.path == "/wsecho";
    }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        if (!transports::wants_websocket(exchange.request)) {
            return transports::problem(426, "this path is spoken to over WebSocket");
        }
        auto judged = transports::agree_upgrade(exchange.request, {}, deflate_, 0);
        if (auto* refusal = std::get_if<HttpResponse>(&judged)) return std::move(*refusal);
        const auto& agreed = std::get<transports::AgreedUpgrade>(judged);
        const int bits = agreed.deflate ? agreed.deflate->client_window_bits : 0;
        transports::open_websocket(
            *gate_, std::move(exchange.stream), decoding_[static_cast<std::size_t>(bits)],
            std::make_unique<EchoHandler>(agreed.deflate), agreed.head, exchange.following);
        return std::nullopt;
    }

private:
    Gate* gate_;
    protocol::DeflateConfig deflate_;
    // By the window of the client's compressor; 0: without deflate.
    std::array<protocol::WebSocketDecoderConfig, window_bits_max + 1> decoding_;
};

class HelloFrontend final : public transports::Frontend {
public:
    bool owns(const HttpTarget& target) const noexcept override { return target.path == "/hello"; }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        HttpResponse response;
        response.body = exchange.request.body();
        const std::string_view type = exchange.request[http::field::content_type];
        if (!type.empty()) response.headers.emplace_back("Content-Type", type);
        return response;
    }
};

}  // namespace

std::unique_ptr<transports::Frontend> make_echo_frontend(Gate& gate) {
    return std::make_unique<EchoFrontend>(gate);
}

std::unique_ptr<transports::Frontend> make_hello_frontend(Gate&) {
    return std::make_unique<HelloFrontend>();
}

}  // namespace parley::conformance
