#include "transports/http_exchange.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <exception>
#include <string_view>
#include <utility>

#include "core/hub.hpp"
#include "core/visitor.hpp"
#include "transports/credential.hpp"
#include "transports/gate.hpp"
#include "transports/http_compress.hpp"
#include "transports/http_parse.hpp"
#include "transports/log.hpp"
#include "transports/rest/rest_answers.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;

constexpr std::string_view health_path = "/healthz";

// What may change nothing, and what a page's browser asks by itself.
bool is_harmless(http::verb method) noexcept {
    return method == http::verb::get || method == http::verb::head || method == http::verb::options;
}

// Which pages may use what is there; null: this server's own.
const Cors* cors_of(Gate& gate, const Destination& to) {
    if (Cors::covers(to.target.path)) return &gate.cors();
    return to.frontend == nullptr ? nullptr : to.frontend->cors();
}

// What is settled before a frontend is asked.
std::optional<HttpResponse> answer_ahead(Gate& gate, const HttpRequest& request,
                                         const Destination& to) {
    if (to.target.path.empty()) {
        // OPTIONS *: nothing else gets past the parser without a path.
        HttpResponse response;
        response.status = 204;
        response.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        return response;
    }
    const Cors* const cors = cors_of(gate, to);
    if (cors != nullptr && Cors::is_preflight(request)) return cors->preflight(request);
    if (Cors::covers(to.target.path) && !is_harmless(request.method()) &&
        !gate.cors().allows(request)) {
        return problem(403, "pages of this origin may not use this server");
    }
    return std::nullopt;
}

// A frontend's word on which methods there are is the answer to OPTIONS.
void turn_into_options(HttpResponse& response) {
    if (response.status != 405) return;
    HttpResponse options;
    options.status = 204;
    for (auto& [name, value] : response.headers) {
        if (name == "Allow") options.headers.emplace_back(name, value + ", OPTIONS");
    }
    response = std::move(options);
}

}  // namespace

Destination destination_of(const Gate& gate, const HttpRequest& request) {
    const HttpTarget target = split_target(request.target());
    return {target, gate.frontend_for(target)};
}

bool shows_token(const Gate& gate, const HttpRequest& request) {
    return gate.shard().hub().accounts() != nullptr &&
           (request.count(http::field::authorization) != 0 ||
            request.count(http::field::cookie) != 0);
}

IdentityOutcome ask_identity(Gate& gate, const HttpRequest& request, const Destination& to,
                             const tcp::endpoint& hop, const AnyStream& stream) {
    IdentityOutcome outcome;
    if (to.frontend == nullptr || !to.frontend->takes_tokens() ||
        request.method() == http::verb::options) {
        return outcome;
    }
    core::Shard& shard = gate.shard();
    outcome.identity.known_here = true;
    outcome.identity.secure = is_secure(gate, stream);
    auto read = read_credential(gate, request, outcome.identity.secure);
    if (auto* const refusal = std::get_if<HttpResponse>(&read)) {
        outcome.refusal = std::move(*refusal);
        return outcome;
    }
    const auto& credential = std::get<Credential>(read);
    if (credential.from == Credential::From::nowhere) return outcome;
    outcome.identity.by_cookie = credential.from == Credential::From::cookie;
    core::Accounts& accounts = *shard.hub().accounts();
    if (const auto known = accounts.recall(credential.token, shard.now().wall)) {
        take_identity(outcome, *known);
        return outcome;
    }
    core::Visitor unknown(shard, gate.proxies().client_of(hop, request).address().to_string());
    if (const auto refused = unknown.admit_unknown()) {
        outcome.refusal = answer_error(*refused);
        return outcome;
    }
    outcome.later = std::make_shared<LaterIdentity>(gate.thread().executor());
    accounts.identify(shard, credential.token,
                      [later = std::weak_ptr(outcome.later)](core::Identified&& answer) {
                          const auto open = later.lock();
                          if (!open) return;
                          open->known = std::move(answer);
                          open->give({});
                      });
    return outcome;
}

void take_identity(IdentityOutcome& outcome, const core::Identified& answer) {
    if (answer) {
        outcome.identity.user = *answer;
    } else if (answer.error().temporary) {
        outcome.refusal = answer_error(answer.error());
    } else {
        outcome.identity.refused = answer.error();
    }
}

HttpOutcome ask_frontend(Gate& gate, const HttpRequest& request, const Destination& to,
                         const tcp::endpoint& hop, AnyStream& stream, std::span<char> following,
                         Identity identity) {
    const HttpTarget& target = to.target;
    try {
        if (auto response = answer_ahead(gate, request, to)) return {std::move(response), {}};
        if (to.frontend == nullptr) return {problem(404, "there is nothing at this path"), {}};
        const tcp::endpoint peer = gate.proxies().client_of(hop, request);
        Exchange exchange{request, target.path, target.query, peer,
                          hop,     stream,      following,    std::move(identity)};
        std::optional<HttpResponse> response = to.frontend->handle(exchange);
        if (!response) return {std::nullopt, std::move(exchange.later)};
        if (request.method() == http::verb::options) turn_into_options(*response);
        return {std::move(response), {}};
    } catch (const std::exception& error) {
        log::error("request failed", {{"path", target.path}, {"error", error.what()}});
        HttpResponse response = problem(500, "the server failed");
        response.close = true;
        return {std::move(response), {}};
    }
}

HttpBodyRule body_rule(const Gate& gate, const HttpRequest& request, const Destination& to) {
    if (to.frontend == nullptr) return {gate.config().body_bytes};
    return {to.frontend->body_bytes_max().value_or(gate.config().body_bytes),
            to.frontend->streams(request, to.target)};
}

BodyIntake ask_receiver(Gate& gate, const HttpRequest& request, const Destination& to,
                        const tcp::endpoint& hop, AnyStream& stream, Identity identity) {
    const HttpTarget& target = to.target;
    try {
        if (auto response = answer_ahead(gate, request, to)) return {std::move(response), {}};
        const tcp::endpoint peer = gate.proxies().client_of(hop, request);
        Exchange exchange{request, target.path, target.query, peer,
                          hop,     stream,      {},           std::move(identity)};
        return to.frontend->receive(exchange);
    } catch (const std::exception& error) {
        log::error("request failed", {{"path", target.path}, {"error", error.what()}});
        return {problem(500, "the server failed"), {}};
    }
}

HttpOutcome refuse_newcomer(Gate& gate, AdmissionRefusal refusal, const HttpRequest& request,
                            const Destination& to, const tcp::endpoint& hop, AnyStream& stream) {
    HttpOutcome outcome;
    if (to.target.path == health_path) {
        outcome = ask_frontend(gate, request, to, hop, stream, {});
    } else {
        outcome.response = unavailable(gate.retry_after(), row_of(refusal).detail);
    }
    outcome.response->close = true;
    return outcome;
}

void complete_answer(Gate& gate, const HttpRequest& request, const Destination& to,
                     HttpResponse& response) {
    const Cors* const cors = cors_of(gate, to);
    if (cors != nullptr && !Cors::is_preflight(request)) cors->add_to(response, request);
    if (gate.config().gzip &&
        compress_answer(response, request[http::field::accept_encoding], gate.gzip())) {
        gate.shard().metrics().add(core::Metric::http_compressed);
    }
    if (response.status >= 400 && response.status < 500) {
        gate.shard().metrics().add(core::Metric::http_refused);
        log::debug("request refused", {{"status", response.status}});
    }
}

}  // namespace parley::transports
