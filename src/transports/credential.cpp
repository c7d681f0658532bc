#include "transports/credential.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <chrono>

#include "core/hub.hpp"
#include "protocol/header_list.hpp"
#include "transports/gate.hpp"
#include "transports/rest/rest_answers.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;
using boost::beast::iequals;

constexpr std::string_view plain_cookie = "parley_session";
constexpr std::string_view secure_cookie = "__Host-parley_session";

// The token of `Bearer …` (RFC 6750, 2.1); empty for another scheme.
std::string_view bearer_in(std::string_view header) {
    constexpr std::string_view scheme = "Bearer";
    if (header.size() <= scheme.size() || !iequals(header.substr(0, scheme.size()), scheme) ||
        header[scheme.size()] != ' ') {
        return {};
    }
    return protocol::trim(header.substr(scheme.size()));
}

// The first cookie of that name, of all that came (RFC 6265, 5.4).
std::string_view cookie_in(const HttpRequest& request, std::string_view name) {
    const auto [first, last] = request.equal_range(http::field::cookie);
    for (auto field = first; field != last; ++field) {
        std::string_view rest = field->value();
        while (!rest.empty()) {
            const auto end = std::min(rest.find(';'), rest.size());
            const std::string_view pair = protocol::trim(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
            const auto equals = pair.find('=');
            if (equals == name.size() && pair.substr(0, equals) == name) {
                return pair.substr(equals + 1);
            }
        }
    }
    return {};
}

bool changes_nothing(const HttpRequest& request) {
    // A WebSocket is opened by a GET, and says what it likes afterwards.
    return (request.method() == http::verb::get || request.method() == http::verb::head ||
            request.method() == http::verb::options) &&
           request.count(http::field::upgrade) == 0;
}

// Whether the page that had the browser send the request is one that may act by its cookie.
bool comes_from_ours(const Gate& gate, const HttpRequest& request, bool secure) {
    const std::string_view origin = request[http::field::origin];
    // A page that came without TLS may be anybody's on the way, whatever host it says.
    constexpr std::string_view plain = "http://";
    if (secure && iequals(origin.substr(0, plain.size()), plain)) return gate.cors().lists(request);
    if (!origin.empty()) return gate.cors().names(request);
    return request["Sec-Fetch-Site"] == "same-origin";
}

}  // namespace

std::string_view session_cookie_name(bool secure) noexcept {
    return secure ? secure_cookie : plain_cookie;
}

bool is_secure(const Gate& gate, const AnyStream& stream) noexcept {
    return gate.config().secure_cookies || std::holds_alternative<TlsStream>(stream);
}

std::variant<Credential, HttpResponse> read_credential(const Gate& gate, const HttpRequest& request,
                                                       bool secure) {
    const auto header = request.find(http::field::authorization);
    if (header != request.end()) {
        const std::string_view token = bearer_in(header->value());
        if (token.empty()) return Credential{};
        return Credential{Credential::From::bearer, std::string(token)};
    }
    const std::string_view cookie = cookie_in(request, session_cookie_name(secure));
    if (cookie.empty()) return Credential{};
    if (comes_from_ours(gate, request, secure)) {
        return Credential{Credential::From::cookie, std::string(cookie)};
    }
    // Of another page it counts for nothing; without a page it may read.
    if (changes_nothing(request)) {
        if (request.count(http::field::origin) != 0) return Credential{};
        return Credential{Credential::From::cookie, std::string(cookie)};
    }
    if (request.count(http::field::upgrade) != 0 && request.count(http::field::origin) != 0) {
        return Credential{};  // a page of "*" is a guest
    }
    return problem(403,
                   "by cookie this takes an Origin of this server, or Sec-Fetch-Site: same-origin; "
                   "programs send Authorization: Bearer");
}

std::string session_cookie(std::string_view token, std::chrono::seconds max_age, bool secure) {
    std::string cookie(session_cookie_name(secure));
    cookie.append("=").append(token).append("; Path=/; Max-Age=");
    cookie += std::to_string(max_age.count());
    cookie += "; HttpOnly; SameSite=Lax";
    if (secure) cookie += "; Secure";
    return cookie;
}

std::string ended_session_cookie(bool secure) {
    return session_cookie({}, std::chrono::seconds(0), secure);
}

HttpResponse refuse_token(const protocol::Error& error, Credential::From from, bool secure) {
    HttpResponse response = answer_error(error);
    if (response.status != 401) return response;
    std::erase_if(response.headers,
                  [](const auto& header) { return header.first == "WWW-Authenticate"; });
    response.headers.emplace_back("WWW-Authenticate",
                                  R"(Bearer realm="parley", error="invalid_token")");
    if (from == Credential::From::cookie) {
        response.headers.emplace_back("Set-Cookie", ended_session_cookie(secure));
    }
    return response;
}

std::optional<HttpResponse> refuse_identity(const Exchange& exchange) {
    const Identity& identity = exchange.identity;
    if (identity.refused) {
        return refuse_token(
            *identity.refused,
            identity.by_cookie ? Credential::From::cookie : Credential::From::bearer,
            identity.secure);
    }
    if (identity.user || exchange.request.count(http::field::authorization) == 0) {
        return std::nullopt;
    }
    if (!identity.known_here) return no_accounts();
    HttpResponse response = problem(401, "Authorization is taken as Bearer and a token only");
    response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="parley")");
    return response;
}

std::optional<HttpResponse> name_visitor(core::Visitor& visitor, const core::Hub& hub,
                                         const Identity& identity,
                                         const std::optional<std::string>& name) {
    if (!identity.user) {
        visitor.name_user(name);
        const auto taken = name ? hub.refuse_anonymous(*name) : std::nullopt;
        return taken ? std::optional(answer_error(*taken)) : std::nullopt;
    }
    visitor.sign_in(identity.user);
    if (!name || *name == identity.user->who.name) return std::nullopt;
    return problem(403, "you are signed in as " + identity.user->who.name + ": leave out the name");
}

}  // namespace parley::transports
