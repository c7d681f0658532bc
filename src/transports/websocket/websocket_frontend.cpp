// `/ws`: upgrades to parley.v1.
#include <boost/beast/http/field.hpp>

#include "core/hub.hpp"
#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"
#include "transports/origin_policy.hpp"
#include "transports/websocket/parley_v1.hpp"
#include "transports/websocket/websocket_connection.hpp"
#include "transports/websocket/websocket_format.hpp"
#include "transports/websocket/websocket_upgrade.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

constexpr std::array<std::string_view, 1> subprotocols{"parley.v1"};

// Deflated frames are shared by all connections that agreed to deflate, and are made with the whole
// window: a client that asks the server for less gets its frames uncompressed.
constexpr int shared_window_bits = 15;

protocol::WebSocketDecoderConfig decoding(const Gate& gate, bool deflate) {
    protocol::WebSocketDecoderConfig config;
    config.message_bytes_max = gate.shard().config().limits.message_bytes;
    config.frame_bytes_max = config.message_bytes_max;
    config.fragments_max = gate.config().fragments_max;
    config.deflate = deflate;
    return config;
}

class WebSocketFrontend final : public Frontend {
public:
    explicit WebSocketFrontend(Gate& gate)
        : gate_(&gate),
          origins_(gate.config().allowed_origins),
          plain_(decoding(gate, false)),
          deflated_(decoding(gate, true)) {
        deflate_.enabled = gate.config().deflate;
        set_deflate(gate.config().deflate_level, gate.config().deflate_min_bytes);
        // The first digest has OpenSSL load itself, which takes milliseconds and two megabytes: now,
        // and not while the first peer waits.
        static_cast<void>(protocol::accept_for_key({}));
    }

    bool owns(const HttpTarget& target) const noexcept override { return target.path == "/ws"; }

    bool takes_tokens() const noexcept override { return true; }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        const HttpRequest& request = exchange.request;
        if (request.method() != http::verb::get) return method_not_allowed("GET");
        if (!wants_websocket(request)) {
            HttpResponse response = problem(426, "this path is spoken to over WebSocket");
            response.headers.emplace_back("Upgrade", "websocket");
            return response;
        }
        if (!origins_.allows(request[http::field::origin], request[http::field::host])) {
            return problem(403, "pages of this origin may not open a connection here");
        }
        auto opening = read_opening(exchange.query);
        if (!opening) return problem(400, "the query is not percent-encoded UTF-8");
        opening->peer.address = exchange.peer.address().to_string();
        opening->peer.user = exchange.identity.user;
        // A cookie is what the browser sends along: one that is none makes a guest.
        if (!exchange.identity.by_cookie) opening->refused = exchange.identity.refused;
        auto judged = agree_upgrade(request, subprotocols, deflate_, shared_window_bits);
        if (auto* refusal = std::get_if<HttpResponse>(&judged)) return std::move(*refusal);
        const auto& agreed = std::get<AgreedUpgrade>(judged);
        const bool deflate = agreed.deflate.has_value();
        open_websocket(*gate_, std::move(exchange.stream), deflate ? deflated_ : plain_,
                       std::make_unique<ParleyV1>(*gate_, std::move(*opening), deflate),
                       agreed.head, exchange.following);
        return std::nullopt;
    }

    void config_changed() override {
        origins_ = OriginPolicy(gate_->config().allowed_origins);
        // In place: open connections decode by it.
        plain_ = decoding(*gate_, false);
        deflated_ = decoding(*gate_, true);
    }

private:
    Gate* gate_;
    OriginPolicy origins_;
    protocol::DeflateConfig deflate_;
    protocol::WebSocketDecoderConfig plain_;
    protocol::WebSocketDecoderConfig deflated_;
};

}  // namespace

std::unique_ptr<Frontend> make_websocket_frontend(Gate& gate) {
    return std::make_unique<WebSocketFrontend>(gate);
}

}  // namespace parley::transports
