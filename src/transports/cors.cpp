#include "transports/cors.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS";
constexpr std::string_view request_headers =
    "Authorization, Cache-Control, Content-Type, Idempotency-Key, Last-Event-ID, X-Parley-Name";
constexpr std::string_view exposed_headers =
    "ETag, Location, RateLimit, RateLimit-Policy, Retry-After";
// No browser remembers a preflight for longer than two hours.
constexpr std::string_view max_age = "7200";

}  // namespace

bool Cors::covers(std::string_view path) noexcept {
    return path.starts_with("/api/");
}

bool Cors::allows(const HttpRequest& request) const {
    return origins_.allows(request[http::field::origin], request[http::field::host]);
}

bool Cors::is_preflight(const HttpRequest& request) {
    return request.method() == http::verb::options && request.count(http::field::origin) != 0 &&
           request.count(http::field::access_control_request_method) != 0;
}

HttpResponse Cors::preflight(const HttpRequest& request) const {
    HttpResponse response;
    if (allows(request)) {
        response.status = 204;
        response.headers.emplace_back("Access-Control-Allow-Origin", request[http::field::origin]);
        response.headers.emplace_back("Access-Control-Allow-Methods", methods);
        response.headers.emplace_back("Access-Control-Allow-Headers", request_headers);
        response.headers.emplace_back("Access-Control-Max-Age", max_age);
    } else {
        response = problem(403, "pages of this origin may not use this server");
    }
    response.headers.emplace_back(
        "Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    return response;
}

void Cors::add_to(HttpResponse& response, const HttpRequest& request) const {
    // Said to everybody: a cache must not hand one page the answer for another.
    response.headers.emplace_back("Vary", "Origin");
    const std::string_view origin = request[http::field::origin];
    if (origin.empty() || !allows(request)) return;
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    response.headers.emplace_back("Access-Control-Expose-Headers", exposed_headers);
}

void Cors::append(std::string& head, const HttpRequest& request) const {
    HttpResponse response;
    add_to(response, request);
    append_header_lines(head, response);
}

}  // namespace parley::transports
