#include "transports/http_response.hpp"

#include <algorithm>
#include <array>

#include "core/errc.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/text_writer.hpp"
#include "transports/http_body.hpp"

namespace parley::transports {
namespace {

struct StatusRow {
    unsigned status;
    std::string_view text;
    core::errc code;  // for the statuses that are errors
};

constexpr std::array status_rows{
    StatusRow{200, "OK", core::errc::internal},
    StatusRow{201, "Created", core::errc::internal},
    StatusRow{202, "Accepted", core::errc::internal},
    StatusRow{204, "No Content", core::errc::internal},
    StatusRow{206, "Partial Content", core::errc::internal},
    StatusRow{304, "Not Modified", core::errc::internal},
    StatusRow{400, "Bad Request", core::errc::bad_request},
    StatusRow{401, "Unauthorized", core::errc::unauthorized},
    StatusRow{403, "Forbidden", core::errc::forbidden},
    StatusRow{404, "Not Found", core::errc::not_found},
    StatusRow{405, "Method Not Allowed", core::errc::bad_request},
    StatusRow{406, "Not Acceptable", core::errc::bad_request},
    StatusRow{408, "Request Timeout", core::errc::bad_request},
    StatusRow{409, "Conflict", core::errc::conflict},
    StatusRow{410, "Gone", core::errc::not_found},
    StatusRow{411, "Length Required", core::errc::bad_request},
    StatusRow{413, "Content Too Large", core::errc::too_large},
    StatusRow{414, "URI Too Long", core::errc::too_large},
    StatusRow{415, "Unsupported Media Type", core::errc::bad_request},
    StatusRow{416, "Range Not Satisfiable", core::errc::bad_request},
    StatusRow{417, "Expectation Failed", core::errc::bad_request},
    StatusRow{426, "Upgrade Required", core::errc::bad_request},
    StatusRow{429, "Too Many Requests", core::errc::rate_limited},
    StatusRow{431, "Request Header Fields Too Large", core::errc::too_large},
    StatusRow{500, "Internal Server Error", core::errc::internal},
    StatusRow{501, "Not Implemented", core::errc::bad_request},
    StatusRow{503, "Service Unavailable", core::errc::unavailable},
    StatusRow{505, "HTTP Version Not Supported", core::errc::bad_request},
};

// Room for what most heads come to, so that they are not moved while they grow.
constexpr std::size_t head_bytes_usual = 512;

const StatusRow& row_of(unsigned status) noexcept {
    const auto row = std::find_if(status_rows.begin(), status_rows.end(),
                                  [status](const StatusRow& r) { return r.status == status; });
    constexpr StatusRow internal{500, "Internal Server Error", core::errc::internal};
    static constexpr StatusRow unknown = internal;
    return row == status_rows.end() ? unknown : *row;
}

template <typename Out>
void append_header(Out& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

template <typename Out>
void append_headers(Out& out, const HttpResponse& response) {
    for (const auto& [name, value] : response.headers) append_header(out, name, value);
}

}  // namespace

std::uint64_t HttpResponse::length() const noexcept {
    return source ? source->length() : content().size();
}

std::string_view status_text(unsigned status) noexcept {
    return row_of(status).text;
}

void append_header_lines(std::string& out, const HttpResponse& response) {
    append_headers(out, response);
}

void append_head(std::string& text, const HttpResponse& response, const HttpAnswerStyle& style) {
    protocol::TextWriter out(text, head_bytes_usual);
    out.append(style.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ");
    out.append_decimal(response.status);
    out.append(" ").append(status_text(response.status)).append("\r\n");
    append_header(out, "Date", style.date);
    if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
    // Neither may have a body, and a length would be one of something else (RFC 9110, 8.6).
    if (response.status != 204 && response.status != 304) {
        out.append("Content-Length: ");
        out.append_decimal(response.length());
        out.append("\r\n");
    }
    append_headers(out, response);
    if (response.close) {
        append_header(out, "Connection", "close");
    } else if (style.version == 10) {
        append_header(out, "Connection", "keep-alive");
    }
    out.append("\r\n");
}

HttpResponse json_answer(unsigned status) {
    HttpResponse response;
    response.status = status;
    response.content_type = "application/json";
    return response;
}

HttpResponse problem(unsigned status, std::string_view detail) {
    const StatusRow& row = row_of(status);
    HttpResponse response;
    response.status = status;
    response.content_type = "application/problem+json";
    std::string& body = response.body;
    body = "{\"type\":\"about:blank\",\"title\":";
    protocol::append_json_string(body, row.text);
    body += ",\"status\":";
    protocol::append_decimal(body, status);
    body += ",\"code\":";
    protocol::append_json_string(body, core::row_of(row.code).name);
    body += ",\"detail\":";
    protocol::append_json_string(body, detail);
    body += "}";
    return response;
}

HttpResponse method_not_allowed(std::string_view allowed) {
    HttpResponse response = problem(405, "this is answered to " + std::string(allowed) + " only");
    response.headers.emplace_back("Allow", allowed);
    return response;
}

HttpResponse not_acceptable(std::string_view offered) {
    return problem(406, "this is there as " + std::string(offered) + " only");
}

HttpResponse length_required() {
    return problem(411, "a body comes with a Content-Length or in chunks");
}

HttpResponse unsupported_media_type(std::string_view understood) {
    HttpResponse response =
        problem(415, "a body is understood as " + std::string(understood) + " only");
    // What would have been understood (RFC 9110, 15.5.16).
    response.headers.emplace_back("Accept", understood);
    return response;
}

HttpResponse too_many_requests(core::Duration retry_after, std::string_view detail) {
    HttpResponse response = problem(429, detail);
    add_retry_after(response, retry_after);
    return response;
}

HttpResponse unavailable(core::Duration retry_after, std::string_view detail) {
    HttpResponse response = problem(503, detail);
    add_retry_after(response, retry_after);
    return response;
}

void add_retry_after(HttpResponse& response, core::Duration retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(retry_after).count();
    response.headers.emplace_back("Retry-After",
                                  std::to_string(std::max<std::int64_t>(1, seconds)));
}

HttpResponse answer_overdue() {
    return unavailable(std::chrono::seconds(1),
                       "another part of the server did not answer in time");
}

HttpResponse no_accounts() {
    HttpResponse response =
        problem(401, "this server has no accounts: leave out the Authorization header");
    response.headers.emplace_back("WWW-Authenticate",
                                  R"(Bearer realm="parley", error="invalid_token")");
    return response;
}

}  // namespace parley::transports
