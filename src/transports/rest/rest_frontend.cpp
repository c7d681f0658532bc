// `/api/`: REST (protocol.md, sections 4, 4.1 and 4.3).
#include <algorithm>
#include <array>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <string>
#include <utility>

#include "core/hub.hpp"
#include "core/session.hpp"
#include "core/visitor.hpp"
#include "transports/credential.hpp"
#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"
#include "transports/http_negotiate.hpp"
#include "transports/query_string.hpp"
#include "transports/rate_limit_headers.hpp"
#include "transports/rest/rest_answers.hpp"
#include "transports/rest/rest_input.hpp"
#include "transports/rest/rest_routes.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

// The route of a request, and what its path names.
struct Found {
    const RestRoute* route = nullptr;
    RouteNames names{};
    std::string allowed{};  // methods of that path; empty: nothing is there
};

Found find_route(http::verb method, std::string_view path) {
    if (method == http::verb::head) method = http::verb::get;
    for (const RestRoute& route : rest_routes) {
        if (route.method != method) continue;
        auto names = match_route(route.pattern, path);
        if (!names) continue;
        const bool names_one = route.pattern.find('{') != std::string_view::npos;
        if (!names_one) names->room = plain_chat_room;
        return {&route, *names, {}};
    }
    Found found;
    for (const RestRoute& route : rest_routes) {
        if (!match_route(route.pattern, path)) continue;
        if (!found.allowed.empty()) found.allowed += ", ";
        found.allowed += std::string_view(http::to_string(route.method));
        if (route.method == http::verb::get) found.allowed += ", HEAD";
    }
    return found;
}

// What can be said without knowing who asks, or what.
std::optional<HttpResponse> refuse_unread(const RestHeaders& headers, const Found& found) {
    if (found.route == nullptr) {
        if (found.allowed.empty()) return problem(404, "there is nothing at this path");
        return method_not_allowed(found.allowed);
    }
    if (!accepts_type(headers.accept, "application/json")) {
        return not_acceptable("application/json");
    }
    return std::nullopt;
}

// Nothing here is anything to keep, and some of it, like a 404, would be kept unless told.
HttpHeaders::value_type not_stored() {
    return {"Cache-Control", "no-store"};
}

// The name that a request gives outside of its body.
std::optional<std::string> name_beside_body(std::string_view query, const RestHeaders& headers) {
    if (auto name = find_parameter(query, "name")) return name;
    if (!headers.name) return std::nullopt;
    return std::string(*headers.name);
}

// The key of a command is what the header says, if it says one.
std::optional<HttpResponse> take_key(const RestHeaders& headers, std::string& key) {
    if (const auto said = idempotency_key(headers.idempotency_key); !said.empty()) key = said;
    if (key.size() <= protocol::send_key_bytes_max) return std::nullopt;
    return problem(400, "an Idempotency-Key has at most " +
                            std::to_string(protocol::send_key_bytes_max) + " bytes, got " +
                            std::to_string(key.size()));
}

// A segment of a path: there a `+` is one.
std::optional<std::string> decode_path_text(std::string_view text) {
    std::string plain;
    for (const char c : text) plain.append(c == '+' ? "%2B" : std::string(1, c));
    return decode_query_text(plain);
}

// Decodes a request's command, and the name that goes with it; what is wrong with it otherwise.
std::optional<HttpResponse> decode(const Exchange& exchange, const RestHeaders& headers,
                                   const Found& found, protocol::RestCommand& out) {
    auto input = read_rest_input(exchange.request, headers, exchange.query);
    if (auto* const refusal = std::get_if<HttpResponse>(&input)) return std::move(*refusal);
    const auto room = decode_query_text(found.names.room);
    if (!room) return problem(400, "the room's name is not percent-encoded UTF-8");
    const auto user = decode_path_text(found.names.user);
    if (!user) return problem(400, "the user's name is not percent-encoded UTF-8");
    // Who deletes what somebody is says what they are to be.
    const bool ends = found.route->method == http::verb::delete_;
    const protocol::RestPath path{
        *room, *user, found.names.offset,
        ends ? protocol::name_of(protocol::Role::none) : std::string_view()};
    auto decoded = protocol::decode_rest_command(
        found.route->command, path, std::get<RestInput>(input).json(), found.route->dialect);
    if (!decoded) return problem(400, decoded.error().message);
    if (decoded->name) out.name = std::move(decoded->name);
    out.command = std::move(decoded->command);
    const auto refused = std::visit(
        [&headers](auto& command) -> std::optional<HttpResponse> {
            if constexpr (requires { command.key; }) return take_key(headers, command.key);
            return std::nullopt;
        },
        out.command);
    return refused;
}

// The address as text, the same as to_string() has it: that goes through snprintf(), which is too
// dear for once a request.
std::string text_of(const boost::asio::ip::address& address) {
    if (!address.is_v4()) return address.to_string();
    std::string out;
    for (const unsigned char byte : address.to_v4().to_bytes()) {
        if (!out.empty()) out.push_back('.');
        protocol::append_decimal(out, byte);
    }
    return out;
}

class RestFrontend final : public Frontend {
public:
    explicit RestFrontend(Gate& gate) noexcept : gate_(&gate) {}

    bool owns(const HttpTarget& target) const noexcept override {
        return target.path.starts_with("/api/");
    }

    bool takes_tokens() const noexcept override { return true; }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        const Found found = find_route(exchange.request.method(), exchange.path);
        const RestHeaders headers(exchange.request);
        auto response = refuse_unread(headers, found);
        if (!response && (headers.has_credentials || exchange.identity.by_cookie)) {
            response = refuse_identity(exchange);
        }
        if (response) {
            response->headers.push_back(not_stored());
        } else {
            response = call(exchange, headers, found);
        }
        if (response && response->status >= 400) {
            gate_->shard().metrics().add(core::Metric::errors);
        }
        return response;
    }

private:
    [[nodiscard]] std::optional<HttpResponse> call(Exchange& exchange, const RestHeaders& headers,
                                                   const Found& found);
    // The headers that every answer to that request has.
    [[nodiscard]] HttpHeaders headers_for(const core::Visitor& visitor, bool limited) const;

    Gate* gate_;
};

std::optional<HttpResponse> RestFrontend::call(Exchange& exchange, const RestHeaders& headers,
                                               const Found& found) {
    const RestRoute& route = *found.route;
    const core::LimitsConfig& limits = gate_->shard().config().limits;
    core::Visitor visitor(gate_->shard(), text_of(exchange.peer.address()));
    const auto refuse = [&](const protocol::Error& error) {
        return with_headers(answer_error(error), headers_for(visitor, route.limited));
    };
    if (route.limited) {
        if (const auto refused = visitor.admit_address()) return refuse(*refused);
    }
    // Decoded and named first, counted second, told what is wrong with it last: a request that is
    // wrong costs a token as well.
    std::optional<HttpResponse> wrong;
    protocol::RestCommand command{name_beside_body(exchange.query, headers), protocol::Ping{}};
    if (!route.command.empty()) wrong = decode(exchange, headers, found, command);
    if (command.name) {
        const auto reason = core::refuse_name(*command.name, limits.name_bytes);
        if (reason && !wrong) wrong = problem(400, *reason);
        if (reason) command.name.reset();
    }
    auto not_theirs = name_visitor(visitor, gate_->shard().hub(), exchange.identity, command.name);
    if (!wrong) wrong = std::move(not_theirs);
    if (route.limited) {
        if (const auto refused = visitor.admit_user()) return refuse(*refused);
    }
    if (wrong) return with_headers(std::move(*wrong), headers_for(visitor, route.limited));
    if (route.limited && route.command.empty() && visitor.user()->grant() != nullptr) {
        const auto refused = core::refuse_overview(*visitor.user());
        if (refused) return refuse(*refused);
    }
    // Who has no session has joined no room, and needs not to.
    core::Session rules(limits, visitor.user());
    core::Action action = rules.on(std::move(command.command), {true, 0});
    if (const auto* const refused = std::get_if<core::Refuse>(&action)) {
        return refuse(refused->error);
    }
    RestCall made{*gate_, exchange, visitor.user(), std::move(action),
                  headers_for(visitor, route.limited)};
    return route.handle(made);
}

HttpHeaders RestFrontend::headers_for(const core::Visitor& visitor, bool limited) const {
    HttpResponse answer;
    answer.headers.reserve(6);  // what others add is in it
    answer.headers.push_back(not_stored());
    if (limited) {
        const core::Shard& shard = gate_->shard();
        add_rate_limit(answer, visitor.buckets(), shard.config().limits, shard.now().mono);
    }
    return std::move(answer.headers);
}

}  // namespace

std::unique_ptr<Frontend> make_rest_frontend(Gate& gate) {
    return std::make_unique<RestFrontend>(gate);
}

}  // namespace parley::transports
