#include "transports/http_parse.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <optional>
#include <utility>

#include "protocol/header_list.hpp"
#include "protocol/http_bytes.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;
using protocol::equal_any_case;
using protocol::HttpChunkDecoder;
using protocol::HttpHeadCheck;

std::string_view view(std::span<const char> bytes) {
    return {bytes.data(), bytes.size()};
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, protocol::is_http<protocol::token_byte>);
}

// The authority of a target in absolute-form; nothing for another scheme than HTTP's.
std::optional<std::string_view> authority_of(std::string_view target) {
    const auto scheme_end = target.find("://");
    if (scheme_end == std::string_view::npos) return std::nullopt;
    const std::string_view scheme = target.substr(0, scheme_end);
    constexpr std::array<std::string_view, 4> schemes{"http", "https", "ws", "wss"};
    if (std::ranges::none_of(schemes, [scheme](auto s) { return equal_any_case(s, scheme); })) {
        return std::nullopt;
    }
    const std::string_view rest = target.substr(scheme_end + 3);
    return rest.substr(0, rest.find_first_of("/?"));
}

}  // namespace

// The fields that a head is judged by, found in one pass: a look-up by name compares names.
struct HttpParser::JudgedFields {
    struct Field {
        std::size_t count = 0;
        std::string_view first{};
    };

    explicit JudgedFields(const HttpRequest& request) {
        for (const auto& each : request) {
            Field* const field = of(each.name());
            if (field != nullptr && field->count++ == 0) field->first = each.value();
        }
    }

    Field host, content_length, transfer_encoding, expect;

private:
    Field* of(http::field name) noexcept {
        switch (name) {
            case http::field::host:
                return &host;
            case http::field::content_length:
                return &content_length;
            case http::field::transfer_encoding:
                return &transfer_encoding;
            case http::field::expect:
                return &expect;
            default:
                return nullptr;
        }
    }
};

const HttpRequest& HttpParser::request() const noexcept {
    static const HttpRequest none;
    return parsed_ ? parsed_->parser.get() : none;
}

void HttpParser::reset() noexcept {
    parsed_.reset();
    refusal_ = {};
    check_ = {};
    chunks_ = {};
    checked_ = 0;
    part_ = Part::head;
    begun_ = false;
    body_ = {};
    expects_continue_ = false;
}

HttpParser::Status HttpParser::refuse(unsigned status, std::string detail) {
    refusal_ = {status, std::move(detail)};
    return Status::refused;
}

HttpParser::Status HttpParser::feed(std::span<char>& bytes) {
    auto status = Status::need_more;
    Part part = part_;
    do {
        part = part_;
        switch (part) {
            case Part::head:
                status = take_head(bytes);
                break;
            case Part::sized_body:
                status = take_sized_body(bytes);
                break;
            case Part::streamed_body:
                status = take_streamed_body(bytes);
                break;
            case Part::chunks:
                status = take_chunks(bytes);
                break;
            case Part::trailer:
                status = take_trailer(bytes);
                break;
            case Part::end:
                return Status::complete;
        }
    } while (status == Status::need_more && part != part_);
    return status;
}

HttpParser::Status HttpParser::take_head(std::span<char>& bytes) {
    // An empty line before a request is none of it (RFC 9112, 2.2).
    while (!begun_ && view(bytes).starts_with("\r\n")) bytes = bytes.subspan(2);
    if (!begun_ && (bytes.empty() || view(bytes) == "\r")) return Status::need_more;
    begun_ = true;
    const auto step = check_.feed(view(bytes).substr(checked_), limits_.head);
    checked_ += step.consumed;
    if (step.status == HttpHeadCheck::Status::refused) {
        return refuse(check_.status(), std::string(check_.error()));
    }
    if (step.status == HttpHeadCheck::Status::need_more) return Status::need_more;

    parsed_ = std::make_unique_for_overwrite<Parsed>();
    parser().eager(true);
    parser().header_limit(static_cast<std::uint32_t>(checked_ + 1));
    parser().body_limit(boost::none);
    boost::system::error_code error;
    parser().put(boost::asio::const_buffer(bytes.data(), checked_), error);
    bytes = bytes.subspan(checked_);
    body_ =
        limits_.body_of == nullptr ? limits_.body : limits_.body_of(limits_.asked, parser().get());
    if (error && error != http::error::need_more) {
        return refuse(400, "not an HTTP request: " + error.message());
    }
    if (judge_length() == Status::refused) return Status::refused;
    if (judge_head() == Status::refused) return Status::refused;
    return body_.streams ? Status::streams : Status::need_more;
}

// How much a body may have depends on whose request it is.
HttpParser::Status HttpParser::judge_length() {
    if (body_.streams || parser().content_length().value_or(0) <= body_.bytes) {
        return Status::need_more;
    }
    return refuse(413, "the request's body is larger than this server takes");
}

HttpParser::Status HttpParser::take_sized_body(std::span<char>& bytes) {
    while (!parser().is_done()) {
        if (bytes.empty()) return Status::need_more;
        boost::system::error_code error;
        const std::size_t taken =
            parser().put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
        bytes = bytes.subspan(taken);
        if (error && error != http::error::need_more) {
            return refuse(400, "not an HTTP request: " + error.message());
        }
    }
    part_ = Part::end;
    return Status::complete;
}

// Not by way of Beast's parser, which makes room for all of it at once.
HttpParser::Status HttpParser::take_streamed_body(std::span<char>& bytes) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(streamed_left_, bytes.size()));
    parser().get().body().append(bytes.data(), count);
    bytes = bytes.subspan(count);
    streamed_left_ -= count;
    if (streamed_left_ > 0) return Status::need_more;
    part_ = Part::end;
    return Status::complete;
}

std::string HttpParser::take_body() noexcept {
    return parsed_ ? std::exchange(parser().get().body(), {}) : std::string();
}

HttpParser::Status HttpParser::take_chunks(std::span<char>& bytes) {
    std::string& body = parser().get().body();
    while (!bytes.empty()) {
        const auto step = chunks_.feed(view(bytes));
        if (step.status == HttpChunkDecoder::Status::refused) {
            return refuse(400, std::string(chunks_.error()));
        }
        if (!body_.streams && body.size() + step.data.size() + chunks_.left() > body_.bytes) {
            return refuse(413, "the request's body is larger than this server takes");
        }
        body.append(step.data);
        bytes = bytes.subspan(step.consumed);
        if (step.status == HttpChunkDecoder::Status::complete) {
            check_.expect_trailer();
            part_ = Part::trailer;
            return Status::need_more;
        }
    }
    return Status::need_more;
}

// What stands behind a body is dropped: taken for headers it would be said by somebody who can't say
// it any more (RFC 9110, 6.5.1).
HttpParser::Status HttpParser::take_trailer(std::span<char>& bytes) {
    const auto step = check_.feed(view(bytes), limits_.head);
    bytes = bytes.subspan(step.consumed);
    if (step.status == HttpHeadCheck::Status::refused) {
        return refuse(check_.status(), std::string(check_.error()));
    }
    if (step.status == HttpHeadCheck::Status::need_more) return Status::need_more;
    part_ = Part::end;
    return Status::complete;
}

HttpParser::Status HttpParser::judge_head() {
    const HttpRequest& request = parser().get();
    const JudgedFields fields(request);
    if (fields.host.count > 1) return refuse(400, "more than one Host header");
    if (fields.host.count == 0 && request.version() == 11) {
        return refuse(400, "a request without a Host header");
    }
    if (!protocol::is_host_and_port(fields.host.first)) {
        return refuse(400, "a Host header that names no host");
    }
    if (judge_framing(fields) == Status::refused) return Status::refused;
    const std::string expect(fields.expect.first);  // copied: the next step may rewrite Host
    if (judge_target() == Status::refused) return Status::refused;
    if (!expect.empty() && request.version() == 11) {
        if (!equal_any_case(expect, "100-continue")) {
            return refuse(417, "the only expectation that this server knows is 100-continue");
        }
        expects_continue_ = true;
    }
    part_ = parser().chunked() ? Part::chunks
            : body_.streams    ? Part::streamed_body
                               : Part::sized_body;
    streamed_left_ = parser().content_length().value_or(0);
    return Status::need_more;
}

// Where the body ends: whatever two readers could see differently is refused (RFC 9112, 6.3 and
// 11.2).
HttpParser::Status HttpParser::judge_framing(const JudgedFields& fields) {
    const JudgedFields::Field& length = fields.content_length;
    const JudgedFields::Field& coding = fields.transfer_encoding;
    if (length.count > 1) return refuse(400, "more than one Content-Length");
    if (length.count == 1 && !protocol::is_content_length(length.first)) {
        return refuse(400, "a Content-Length that is no number");
    }
    if (coding.count == 0) return Status::need_more;
    if (length.count > 0) return refuse(400, "a Content-Length beside a Transfer-Encoding");
    if (parser().get().version() == 10) return refuse(400, "HTTP/1.0 has no transfer codings");
    if (coding.count == 1 && equal_any_case(coding.first, "chunked")) return Status::need_more;
    // One that is well-formed and unknown has a status of its own (RFC 9112, 6.1).
    const unsigned status = coding.count == 1 && is_token(coding.first) ? 501 : 400;
    return refuse(status, "the only transfer coding that this server knows is chunked");
}

// A path, a whole URL as for a proxy, or `*` for OPTIONS (RFC 9112, 3.2).
HttpParser::Status HttpParser::judge_target() {
    HttpRequest& request = parser().get();
    const std::string_view target = request.target();
    if (target.starts_with('/')) return Status::need_more;
    if (target == "*" && request.method() == http::verb::options) return Status::need_more;
    const auto authority = authority_of(target);
    if (!authority) return refuse(400, "the request's target is no path");
    if (authority->empty() || !protocol::is_host_and_port(*authority)) {
        return refuse(400, "a target whose authority names no host");
    }
    // It replaces whatever Host says (RFC 9112, 3.2.2). Copied: the target is in the same storage.
    request.set(http::field::host, std::string(*authority));
    return Status::need_more;
}

bool HttpParser::take_expect_continue() {
    return part_ != Part::end && std::exchange(expects_continue_, false);
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
