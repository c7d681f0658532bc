#include "transports/http_parse.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

// True where a request line ends with a version as HTTP writes it, whichever that is. Beast says
// bad_version for anything else that stands there, too.
bool names_a_version(std::string_view line) {
    line = line.substr(0, line.find("\r\n"));
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    constexpr std::string_view prefix = " HTTP/";
    const auto at = line.rfind(prefix);
    if (at == std::string_view::npos) return false;
    const std::string_view version = line.substr(at + prefix.size());
    return version.size() == 3 && digit(version[0]) && version[1] == '.' && digit(version[2]) &&
           std::count(line.begin(), line.end(), ' ') == 2;
}

// `line` begins where parsing stopped: for a bad version at the request line.
unsigned status_of(const boost::system::error_code& error, std::string_view line) {
    if (error == http::error::header_limit) return 431;
    if (error == http::error::body_limit) return 413;
    if (error == http::error::bad_version && names_a_version(line)) return 505;
    return 400;
}

std::string detail_of(unsigned status, const boost::system::error_code& error) {
    switch (status) {
        case 431:
            return "the request's head is larger than this server takes";
        case 413:
            return "the request's body is larger than this server takes";
        case 505:
            return "this server speaks HTTP/1.0 and HTTP/1.1";
        default:
            return "not an HTTP request: " + error.message();
    }
}

}  // namespace

HttpParser::HttpParser(std::size_t header_bytes_max, std::size_t body_bytes_max)
    : header_bytes_max_(header_bytes_max), body_bytes_max_(body_bytes_max) {
    reset();
}

void HttpParser::reset() {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(static_cast<std::uint32_t>(header_bytes_max_));
    parser_->body_limit(body_bytes_max_);
    begun_ = false;
    head_judged_ = false;
    expect_seen_ = false;
}

HttpParser::Status HttpParser::refuse(unsigned status, std::string detail) {
    refusal_ = {status, std::move(detail)};
    return Status::refused;
}

HttpParser::Status HttpParser::feed(std::span<char>& bytes) {
    // An empty line before a request is none of it (RFC 9112, 2.2).
    while (!begun_ && !bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n')) {
        bytes = bytes.subspan(1);
    }
    while (!bytes.empty()) {
        begun_ = true;
        boost::system::error_code error;
        const std::size_t taken =
            parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
        bytes = bytes.subspan(taken);
        if (error == http::error::need_more) return Status::need_more;
        if (error) {
            const unsigned status = status_of(error, {bytes.data(), bytes.size()});
            return refuse(status, detail_of(status, error));
        }
        if (!head_judged_ && parser_->is_header_done()) {
            head_judged_ = true;
            if (judge_head() == Status::refused) return Status::refused;
        }
        if (parser_->is_done()) return Status::complete;
        if (taken == 0) break;
    }
    return Status::need_more;
}

HttpParser::Status HttpParser::judge_head() {
    const HttpRequest& request = parser_->get();
    const auto hosts = request.count(http::field::host);
    if (hosts > 1) return refuse(400, "more than one Host header");
    if (hosts == 0 && request.version() == 11)
        return refuse(400, "a request without a Host header");
    if (request.count(http::field::transfer_encoding) != 0 && !parser_->chunked()) {
        return refuse(501, "the only transfer coding that this server knows is chunked");
    }
    if (request.version() == 10 && parser_->chunked()) {
        return refuse(400, "HTTP/1.0 has no transfer codings");
    }
    return Status::need_more;
}

bool HttpParser::take_expect_continue() {
    if (expect_seen_ || !head_judged_ || parser_->is_done()) return false;
    expect_seen_ = true;
    return boost::beast::iequals(parser_->get()[http::field::expect], "100-continue");
}

HttpTarget split_target(std::string_view target) noexcept {
    if (const auto scheme = target.find("://");
        !target.starts_with('/') && scheme != std::string_view::npos) {
        const auto authority_end = target.find_first_of("/?", scheme + 3);
        target = authority_end == std::string_view::npos ? "/" : target.substr(authority_end);
        if (target.starts_with('?')) return {"/", target.substr(1)};
    }
    if (!target.starts_with('/')) return {};
    const auto query = target.find('?');
    if (query == std::string_view::npos) return {target, {}};
    return {target.substr(0, query), target.substr(query + 1)};
}

}  // namespace parley::transports
