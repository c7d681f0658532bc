#include "transports/cors.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

// No browser remembers a preflight for longer than two hours.
constexpr std::string_view max_age = "7200";

}  // namespace

bool Cors::covers(std::string_view path) noexcept {
    return path.starts_with("/api/");
}

bool Cors::allows(const HttpRequest& request) const {
    const std::string_view origin = request[http::field::origin];
    // Most requests have none, and need no look-up of Host.
    return origin.empty() || origins_.allows(origin, request[http::field::host]);
}

bool Cors::names(const HttpRequest& request) const {
    return origins_.names(request[http::field::origin], request[http::field::host]);
}

bool Cors::lists(const HttpRequest& request) const {
    return origins_.lists(request[http::field::origin]);
}

bool Cors::is_preflight(const HttpRequest& request) {
    return request.method() == http::verb::options && request.count(http::field::origin) != 0 &&
           request.count(http::field::access_control_request_method) != 0;
}

HttpResponse Cors::preflight(const HttpRequest& request) const {
    HttpResponse response;
    if (allows(request)) {
        response.status = 204;
        add_origin(response, request);
        response.headers.emplace_back("Access-Control-Allow-Methods", rules_.methods);
        const std::string_view headers =
            rules_.request_headers.empty()
                ? std::string_view(request[http::field::access_control_request_headers])
                : rules_.request_headers;
        if (!headers.empty()) {
            response.headers.emplace_back("Access-Control-Allow-Headers", headers);
        }
        response.headers.emplace_back("Access-Control-Max-Age", max_age);
    } else {
        response = problem(403, "pages of this origin may not use this server");
    }
    response.headers.emplace_back(
        "Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    return response;
}

void Cors::add_origin(HttpResponse& response, const HttpRequest& request) const {
    const std::string_view origin = request[http::field::origin];
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    if (rules_.credentials && origins_.names(origin, request[http::field::host])) {
        response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
    }
}

void Cors::add_to(HttpResponse& response, const HttpRequest& request) const {
    // Said to everybody: a cache must not hand one page the answer for another.
    response.headers.emplace_back("Vary", "Origin");
    const std::string_view origin = request[http::field::origin];
    if (origin.empty() || !allows(request)) return;
    add_origin(response, request);
    if (!rules_.exposed_headers.empty()) {
        response.headers.emplace_back("Access-Control-Expose-Headers", rules_.exposed_headers);
    }
}

void Cors::append(std::string& head, const HttpRequest& request) const {
    HttpResponse response;
    add_to(response, request);
    append_header_lines(head, response);
}

}  // namespace parley::transports
