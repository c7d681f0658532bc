// HttpParser: bytes to one request, with what HTTP forbids and Beast lets pass.
//
// Path:     HttpConnection → [HttpParser] → HttpRequest
// Runs on:  its shard; no socket, no clock.
// Owned by: HttpConnection.
// Bounds:   http.header_bytes, http.body_bytes.
#pragma once

#include <boost/beast/http/parser.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "transports/frontend.hpp"

namespace parley::transports {

class HttpParser {
public:
    enum class Status { need_more, complete, refused };
    // The status and the detail of a refusal.
    struct Refusal {
        unsigned status;
        std::string detail;
    };

    HttpParser(std::size_t header_bytes_max, std::size_t body_bytes_max);

    // Takes bytes off the front of `bytes`; what it leaves is to be offered again, together with
    // what comes next. After complete the rest belongs to the next request.
    [[nodiscard]] Status feed(std::span<char>& bytes);

    [[nodiscard]] const HttpRequest& request() const { return parser_->get(); }
    [[nodiscard]] const Refusal& refusal() const noexcept { return refusal_; }
    [[nodiscard]] bool keep_alive() const { return parser_->keep_alive(); }
    // True once any byte of the request has come.
    [[nodiscard]] bool begun() const noexcept { return begun_; }
    [[nodiscard]] bool head_done() const { return parser_->is_header_done(); }
    // True once: the client waits for `100 Continue` before it sends the body.
    [[nodiscard]] bool take_expect_continue();
    // Ready for the next request.
    void reset();

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    Status refuse(unsigned status, std::string detail);
    // What may be judged once the head is whole.
    Status judge_head();

    std::size_t header_bytes_max_;
    std::size_t body_bytes_max_;
    std::optional<Parser> parser_;
    Refusal refusal_{};
    bool begun_ = false;
    bool head_judged_ = false;
    bool expect_seen_ = false;
};

// The parts of a request's target: origin-form, or absolute-form with its scheme and authority
// taken off (RFC 9112, 3.2). The path is empty for any other form.
[[nodiscard]] HttpTarget split_target(std::string_view target) noexcept;

}  // namespace parley::transports
