// Cors: which pages may use the HTTP interface, and the headers that tell their browsers so (WHATWG
// Fetch, 3.2).
//
// Path:     HttpConnection → [Cors] → HttpResponse
// Runs on:  any thread; a constant value.
// Owned by: Gate.
// Bounds:   the operator's list.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transports/frontend.hpp"
#include "transports/origin_policy.hpp"

namespace parley::transports {

// What pages may do.
struct CorsRules {
    std::string_view methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    // Empty: whichever a page asks for.
    std::string_view request_headers =
        "Authorization, Cache-Control, Content-Disposition, Content-Type, Idempotency-Key, "
        "If-None-Match, If-Range, Last-Event-ID, Range, X-Parley-Name";
    std::string_view exposed_headers =
        "Accept-Ranges, Content-Disposition, Content-Range, ETag, Location, RateLimit, "
        "RateLimit-Policy, Retry-After";  // may be empty
    // Their requests may carry cookies, those of pages that are named and not meant by "*": else any
    // page could act for whoever looks at it.
    bool credentials = false;
};

class Cors {
public:
    explicit Cors(const std::vector<std::string>& allowed_origins, const CorsRules& rules = {})
        : origins_(allowed_origins), rules_(rules) {}

    // True for what pages call: everything below /api/. HttpConnection sees to those answers by
    // itself; only who writes a head of its own calls append().
    [[nodiscard]] static bool covers(std::string_view path) noexcept;
    // True where the request comes from no page, or from one that may use this server.
    [[nodiscard]] bool allows(const HttpRequest& request) const;

    // True where the request comes from a page that the list means, not by "*", or from one of this
    // server: from one that may act by whoever's cookies it finds.
    [[nodiscard]] bool names(const HttpRequest& request) const;
    // The same for the list alone.
    [[nodiscard]] bool lists(const HttpRequest& request) const;

    // True for the question that a browser asks ahead of a page's request.
    [[nodiscard]] static bool is_preflight(const HttpRequest& request);
    // Its answer: 204 with what may be sent, or 403.
    [[nodiscard]] HttpResponse preflight(const HttpRequest& request) const;

    // Lets an allowed page read the answer.
    void add_to(HttpResponse& response, const HttpRequest& request) const;
    // The same as header lines, each with its line end.
    void append(std::string& head, const HttpRequest& request) const;

private:
    void add_origin(HttpResponse& response, const HttpRequest& request) const;

    OriginPolicy origins_;
    CorsRules rules_;
};

}  // namespace parley::transports
