// HttpResponse: an answer over HTTP/1.1, and how it looks on the wire.
//
// Path:     Frontend → [HttpResponse] → HttpConnection
// Runs on:  any thread; plain values.
// Owned by: passed by value.
// Bounds:   none of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"

namespace parley::transports {

class BodySource;

struct HttpResponse {
    unsigned status = 200;
    std::string_view content_type;  // a constant; empty: no body
    std::string body;
    std::string_view fixed_body;  // sent instead of `body` where that is empty; it lives for good
    std::string_view fixed_gzip;  // fixed_body compressed, where that was done once and for all
    std::vector<std::pair<std::string_view, std::string>> headers;  // names are constants
    bool close = false;                                             // ends the connection
    std::shared_ptr<BodySource> source;  // of the body, where it is not held here
    // Called, where set, when the connection was lost before all of it was written.
    std::function<void()> undelivered;

    [[nodiscard]] std::string_view content() const noexcept {
        return body.empty() ? fixed_body : body;
    }
    // Bytes of the body, wherever they are.
    [[nodiscard]] std::uint64_t length() const noexcept;
};

// How the request was made, as far as the answer depends on it.
struct HttpAnswerStyle {
    unsigned version = 11;    // 10 or 11
    std::string_view date{};  // of the `Date` header
};

// Appends the status line, the headers and the empty line.
void append_head(std::string& out, const HttpResponse& response, const HttpAnswerStyle& style);

// Appends the answer's own headers alone, each with its line end.
void append_header_lines(std::string& out, const HttpResponse& response);

// An answer of JSON; its body is still to be written.
[[nodiscard]] HttpResponse json_answer(unsigned status = 200);
// An error as application/problem+json (RFC 9457), with the `code` that the protocol has for it.
[[nodiscard]] HttpResponse problem(unsigned status, std::string_view detail);
// 405 with what is allowed instead.
[[nodiscard]] HttpResponse method_not_allowed(std::string_view allowed);
// 406: `offered` is the comma list of media types that there are (see accepts_type()).
[[nodiscard]] HttpResponse not_acceptable(std::string_view offered);
// 411: for a body that must say how long it is, or that it comes in chunks.
[[nodiscard]] HttpResponse length_required();
// 415: `understood` is the comma list of media types that would have been read.
[[nodiscard]] HttpResponse unsupported_media_type(std::string_view understood);
// 429 and 503, with `Retry-After`.
[[nodiscard]] HttpResponse too_many_requests(core::Duration retry_after, std::string_view detail);
[[nodiscard]] HttpResponse unavailable(core::Duration retry_after, std::string_view detail);

// `Retry-After` in whole seconds, rounded up, at least one (RFC 9110, 10.2.3).
void add_retry_after(HttpResponse& response, core::Duration retry_after);

// "Not Found" for 404.
[[nodiscard]] std::string_view status_text(unsigned status) noexcept;

// For a request that another shard has left without an answer for http.answer_timeout.
[[nodiscard]] HttpResponse answer_overdue();
// For a request with credentials: there are no accounts that they could be of.
[[nodiscard]] HttpResponse no_accounts();

}  // namespace parley::transports
