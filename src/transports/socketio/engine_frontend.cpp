#include "transports/socketio/engine_frontend.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <utility>

#include "core/hub.hpp"
#include "transports/credential.hpp"
#include "transports/gate.hpp"
#include "transports/http_connection.hpp"
#include "transports/http_move.hpp"
#include "transports/http_negotiate.hpp"
#include "transports/query_string.hpp"
#include "transports/socketio/engine_poll.hpp"
#include "transports/socketio/engine_refusal.hpp"
#include "transports/socketio/engine_socket.hpp"
#include "transports/websocket/websocket_connection.hpp"
#include "transports/websocket/websocket_upgrade.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

// Pages may send whatever headers their client is told to, and cookies, by which proxies in front of
// several servers know where a session is.
constexpr CorsRules cors_rules{"GET, POST, OPTIONS", {}, {}, true};

}  // namespace

// What is read of a request's query; the rest is the application's.
struct EngineFrontend::Query {
    explicit Query(std::string_view text) {
        QueryParameter parameter;
        while (next_parameter(text, parameter)) {
            if (parameter.name == "EIO") version = parameter.value;
            if (parameter.name == "transport") transport = parameter.value;
            if (parameter.name == "sid") sid = parameter.value;
        }
    }
    std::string_view version;
    std::string_view transport;
    std::string_view sid;
};

EngineFrontend::EngineFrontend(Gate& gate, std::string path, ConfigSource config,
                               std::unique_ptr<EngineApplication> application)
    : gate_(&gate),
      path_(std::move(path)),
      config_(std::move(config)),
      application_(std::move(application)),
      sessions_(gate, *application_),
      cors_(gate.config().allowed_origins, cors_rules) {
    config_changed();
}

void EngineFrontend::config_changed() {
    cors_ = Cors(gate_->config().allowed_origins, cors_rules);
    sessions_.config() = config_(*gate_);
    // In place: open connections decode by it.
    decoding_.message_bytes_max = sessions_.config().max_payload;
    decoding_.frame_bytes_max = decoding_.message_bytes_max;
    decoding_.fragments_max = gate_->config().fragments_max;
}

bool EngineFrontend::owns(const HttpTarget& target) const noexcept {
    return target.path == path_ ||
           target.path == std::string_view(path_).substr(0, path_.size() - 1);
}

std::optional<HttpResponse> EngineFrontend::handle(Exchange& exchange) {
    const HttpRequest& request = exchange.request;
    if (request.method() == http::verb::options) return method_not_allowed("GET, POST");
    const Query query(exchange.query);
    const bool to_socket = query.transport == "websocket";
    if (!to_socket && query.transport != "polling") {
        return refuse(EngineRefusal::unknown_transport);
    }
    if (!cors_.allows(request)) return refuse(EngineRefusal::forbidden);
    const bool socket = wants_websocket(request);
    if (query.sid.empty()) return open(exchange, query, socket);
    const auto shard = shard_of_secret_id(query.sid);
    if (shard && *shard != gate_->shard().index() && move_to_shard(*gate_, *shard, exchange)) {
        return std::nullopt;
    }
    EngineSession* const session = sessions_.find(query.sid);
    if (session == nullptr) return refuse(EngineRefusal::unknown_sid);
    if (to_socket != socket) return refuse(EngineRefusal::bad_request);
    if (socket) return take_socket(exchange, *session, false);
    if (request.method() == http::verb::get) return poll(exchange, *session);
    if (request.method() != http::verb::post ||
        media_type(request[http::field::content_type]) == "application/octet-stream") {
        return refuse(EngineRefusal::bad_request);
    }
    return session->post(exchange);
}

std::optional<HttpResponse> EngineFrontend::open(Exchange& exchange, const Query& query,
                                                 bool socket) {
    if (query.version != "4") return refuse(EngineRefusal::bad_version);
    if (exchange.request.method() != http::verb::get) return refuse(EngineRefusal::bad_method);
    if (socket != (query.transport == "websocket")) return refuse(EngineRefusal::bad_request);
    Credential shows;
    if (gate_->shard().hub().accounts() != nullptr) {
        auto shown = read_credential(*gate_, exchange.request, is_secure(*gate_, exchange.stream));
        if (auto* const refusal = std::get_if<HttpResponse>(&shown)) return std::move(*refusal);
        shows = std::move(std::get<Credential>(shown));
    }
    const auto address = exchange.peer.address();
    AdmissionTicket ticket;
    if (!socket) {
        const AdmissionRefusal refusal = gate_->admit_session(ticket, address);
        if (refusal != AdmissionRefusal::none) {
            return unavailable(gate_->retry_after(), row_of(refusal).detail);
        }
    }
    const EngineSession::Pointer session =
        sessions_.make({address.to_string(), std::string(exchange.query), std::move(shows.token),
                        shows.from == Credential::From::cookie});
    if (socket) return take_socket(exchange, *session, true);
    return session->open_polling(std::move(ticket));
}

std::optional<HttpResponse> EngineFrontend::poll(Exchange& exchange, EngineSession& session) {
    if (auto answer = session.poll()) return answer;
    open_engine_poll(*gate_, std::move(exchange.stream), exchange.hop, session,
                     {kept_head(exchange.request, exchange.path), std::nullopt,
                      std::string(exchange.following.data(), exchange.following.size())});
    return std::nullopt;
}

std::optional<HttpResponse> EngineFrontend::take_socket(Exchange& exchange, EngineSession& session,
                                                        bool carrying) {
    auto judged = agree_upgrade(exchange.request, {}, {.enabled = false}, 0);
    if (auto* refusal = std::get_if<HttpResponse>(&judged)) return std::move(*refusal);
    open_websocket(*gate_, std::move(exchange.stream), decoding_,
                   std::make_unique<EngineSocket>(session, carrying ? EngineSocket::Part::carrying
                                                                    : EngineSocket::Part::probing),
                   std::get<AgreedUpgrade>(judged).head, exchange.following);
    return std::nullopt;
}

}  // namespace parley::transports
