// Credential: the token that a request shows, by a header or by a cookie, and how it is judged.
//
// Path:     HttpConnection, EngineFrontend → [Credential] → core::Accounts
// Runs on:  the shard that took the request.
// Owned by: the request.
// Bounds:   a request comes bounded by http.header_bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/accounts.hpp"
#include "core/visitor.hpp"
#include "transports/frontend.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

class Gate;

struct Credential {
    enum class From : std::uint8_t { nowhere, bearer, cookie };
    From from = From::nowhere;
    std::string token;
};

// The name of the cookie that a session is kept in: over TLS, or where a proxy speaks it for us, one
// that browsers take from this host and over TLS alone (RFC 6265bis, 4.1.3.2).
[[nodiscard]] std::string_view session_cookie_name(bool secure) noexcept;
// Whether cookies of that request's answer are for TLS.
[[nodiscard]] bool is_secure(const Gate& gate, const AnyStream& stream) noexcept;

// What a request shows: `Authorization: Bearer` before the cookie. A browser sends the cookie along
// whoever's page asks: it counts for this server's pages and for those that http.allowed_origins
// names, and what may change something has to say that it comes from one (Origin, or
// Sec-Fetch-Site: same-origin): 403 otherwise.
[[nodiscard]] std::variant<Credential, HttpResponse> read_credential(const Gate& gate,
                                                                     const HttpRequest& request,
                                                                     bool secure);

// `Set-Cookie` with that session for `max_age`, or one that ends it.
[[nodiscard]] std::string session_cookie(std::string_view token, std::chrono::seconds max_age,
                                         bool secure);
[[nodiscard]] std::string ended_session_cookie(bool secure);

// 401 for a request whose token is refused, or 503 for the moment; a cookie that is good for nothing
// is ended with it.
[[nodiscard]] HttpResponse refuse_token(const protocol::Error& error, Credential::From from,
                                        bool secure);
// What stands in the way of a frontend that takes tokens: nothing, or the answer to a request whose
// token was refused, or that has another `Authorization` than a frontend can know of.
[[nodiscard]] std::optional<HttpResponse> refuse_identity(const Exchange& exchange);

// Makes the visitor whoever they show or say that they are; the refusal where they may not be.
[[nodiscard]] std::optional<HttpResponse> name_visitor(core::Visitor& visitor, const core::Hub& hub,
                                                       const Identity& identity,
                                                       const std::optional<std::string>& name);

}  // namespace parley::transports
