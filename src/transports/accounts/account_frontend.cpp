// `/api/v1/accounts`, `/api/v1/session`, `/api/v1/account/`: registering, signing in and out,
// passwords and keys. What takes time is done by core::Accounts, elsewhere.
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/accounts.hpp"
#include "core/hub.hpp"
#include "core/session.hpp"
#include "core/visitor.hpp"
#include "transports/accounts/account_answers.hpp"
#include "transports/accounts/account_input.hpp"
#include "transports/accounts/account_routes.hpp"
#include "transports/credential.hpp"
#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"
#include "transports/http_negotiate.hpp"
#include "transports/rate_limit_headers.hpp"
#include "transports/rest/rest_answers.hpp"
#include "transports/rest/rest_calls.hpp"
#include "transports/rest/rest_input.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view keys_below = "/api/v1/account/keys/";

struct FoundAccountRoute {
    const AccountRoute* route = nullptr;
    std::string_view key{};
    std::string allowed{};  // methods of that path; empty: nothing is there
};

bool fits(const AccountRoute& route, std::string_view path) noexcept {
    if (route.call != AccountCall::revoke_key) return route.pattern == path;
    const std::string_view key = path.substr(std::min(path.size(), keys_below.size()));
    return path.starts_with(keys_below) && !key.empty() && key.find('/') == std::string_view::npos;
}

FoundAccountRoute find_account_route(http::verb method, std::string_view path) {
    if (method == http::verb::head) method = http::verb::get;
    FoundAccountRoute found;
    for (const AccountRoute& route : account_routes) {
        if (!fits(route, path)) continue;
        if (route.method == method) {
            return {&route, path.substr(std::min(path.size(), keys_below.size())), {}};
        }
        if (!found.allowed.empty()) found.allowed += ", ";
        found.allowed += std::string_view(http::to_string(route.method));
        if (route.method == http::verb::get) found.allowed += ", HEAD";
    }
    return found;
}

// What a request asks for, or the answer to it instead.
using Asked = std::variant<core::AccountRequest, HttpResponse>;

template <typename Read>
Asked asked_by(Read&& read) {
    if (read) return core::AccountRequest(std::move(*read));
    return problem(400, read.error());
}

Asked read_request(const Exchange& exchange, const FoundAccountRoute& found) {
    std::string_view json = "{}";
    std::variant<RestInput, HttpResponse> input;
    if (found.route->method == http::verb::post || found.route->method == http::verb::put) {
        input = read_rest_input(exchange.request, RestHeaders(exchange.request), exchange.query);
        if (auto* const refusal = std::get_if<HttpResponse>(&input)) return std::move(*refusal);
        json = std::get<RestInput>(input).json();
    }
    const core::UserPtr& user = exchange.identity.user;
    switch (found.route->call) {
        case AccountCall::enrol:
            return asked_by(read_register(json));
        case AccountCall::sign_in:
            return asked_by(read_sign_in(json));
        case AccountCall::change_password:
            return asked_by(read_change_password(json, user));
        case AccountCall::make_key:
            return asked_by(read_make_key(json, user));
        case AccountCall::list_keys:
            return core::AccountRequest(core::ListKeys{user});
        case AccountCall::revoke_key:
            return core::AccountRequest(core::RevokeKey{user, std::string(found.key)});
        case AccountCall::sign_out:
            return core::AccountRequest(core::SignOut{user});
        case AccountCall::who:
            return answer_identity(*user);
    }
    return problem(500, "the server failed");
}

class AccountFrontend final : public Frontend {
public:
    explicit AccountFrontend(Gate& gate) noexcept : gate_(&gate) {}

    bool owns(const HttpTarget& target) const noexcept override {
        return target.path == "/api/v1/accounts" || target.path == "/api/v1/session" ||
               target.path.starts_with("/api/v1/account/");
    }
    bool takes_tokens() const noexcept override { return true; }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        const FoundAccountRoute found =
            find_account_route(exchange.request.method(), exchange.path);
        auto response = refuse_unread(exchange, found);
        if (response) {
            response->headers.emplace_back("Cache-Control", "no-store");
        } else {
            response = call(exchange, found);
        }
        if (response && response->status >= 400) {
            gate_->shard().metrics().add(core::Metric::errors);
        }
        return response;
    }

private:
    [[nodiscard]] std::optional<HttpResponse> refuse_unread(const Exchange& exchange,
                                                            const FoundAccountRoute& found) const;
    [[nodiscard]] std::optional<HttpResponse> call(Exchange& exchange,
                                                   const FoundAccountRoute& found);
    [[nodiscard]] HttpHeaders headers_for(const core::Visitor& visitor) const;

    Gate* gate_;
};

std::optional<HttpResponse> AccountFrontend::refuse_unread(const Exchange& exchange,
                                                           const FoundAccountRoute& found) const {
    if (found.route == nullptr) {
        if (found.allowed.empty()) return problem(404, "there is nothing at this path");
        return method_not_allowed(found.allowed);
    }
    if (!accepts_type(exchange.request[http::field::accept], "application/json")) {
        return not_acceptable("application/json");
    }
    if (gate_->shard().hub().accounts() == nullptr) {
        return problem(404, "this server keeps no accounts");
    }
    // A stale cookie is in nobody's way who signs in anew.
    if (!found.route->signed_in) return std::nullopt;
    if (auto refusal = refuse_identity(exchange)) return refusal;
    if (exchange.identity.user) return std::nullopt;
    return answer_error(core::make_error(core::errc::unauthorized));
}

std::optional<HttpResponse> AccountFrontend::call(Exchange& exchange,
                                                  const FoundAccountRoute& found) {
    const std::string address = exchange.peer.address().to_string();
    core::Visitor visitor(gate_->shard(), address);
    const auto done = [&](HttpResponse&& response) {
        return with_headers(std::move(response), headers_for(visitor));
    };
    if (const auto refused = visitor.admit_address()) return done(answer_error(*refused));
    if (exchange.identity.user) {
        visitor.sign_in(exchange.identity.user);
    } else {
        visitor.name_user(std::nullopt);
    }
    if (const auto refused = visitor.admit_user()) return done(answer_error(*refused));
    Asked asked = read_request(exchange, found);
    if (auto* const answer = std::get_if<HttpResponse>(&asked)) return done(std::move(*answer));
    core::Accounts* const accounts = gate_->shard().hub().accounts();
    if (accounts == nullptr || !accounts->has_store()) {
        return done(problem(404, "this server keeps no accounts"));
    }
    AccountAnswerStyle style;
    style.secure = is_secure(*gate_, exchange.stream);
    // Not for a page of anybody: it could sign its visitors in as whomever it likes.
    style.sets_cookie =
        exchange.request.count(http::field::origin) == 0 || gate_->cors().names(exchange.request);
    style.ends_cookie = found.route->call == AccountCall::sign_out;
    style.now = gate_->shard().now().wall;
    accounts->ask(gate_->shard(), std::move(std::get<core::AccountRequest>(asked)), address,
                  [later = exchange.answer_later(gate_->thread().executor()), style,
                   headers = headers_for(visitor),
                   &metrics = gate_->shard().metrics()](core::AccountAnswer&& answer) {
                      const auto open = later.lock();
                      if (!open) return;
                      HttpResponse response = answer_account(std::move(answer), style);
                      if (response.status >= 400) metrics.add(core::Metric::errors);
                      open->give(with_headers(std::move(response), HttpHeaders(headers)));
                  });
    return std::nullopt;
}

// Nothing here is anything to keep.
HttpHeaders AccountFrontend::headers_for(const core::Visitor& visitor) const {
    HttpResponse answer;
    answer.headers.emplace_back("Cache-Control", "no-store");
    const core::Shard& shard = gate_->shard();
    add_rate_limit(answer, visitor.buckets(), shard.config().limits, shard.now().mono);
    return std::move(answer.headers);
}

}  // namespace

std::unique_ptr<Frontend> make_account_frontend(Gate& gate) {
    return std::make_unique<AccountFrontend>(gate);
}

}  // namespace parley::transports
