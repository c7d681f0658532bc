#include "loadtest/http_reader.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/none.hpp>

#include "protocol/cursor.hpp"

namespace parley::load {
namespace {

namespace http = boost::beast::http;
using Error = boost::beast::error_code;
using BeastView = boost::beast::string_view;

constexpr std::size_t body_bytes_kept = 4096;

}  // namespace

// Beast's parser, with the body handed on as it comes.
class HttpReader::Parser final : public http::basic_parser<false> {
public:
    explicit Parser(std::string& body) : body_(body) {
        eager(true);
        header_limit(head_bytes_max);
        body_limit(boost::none);  // a stream of events has no end; body_ is bounded by its reader
    }
    [[nodiscard]] unsigned status() const noexcept { return status_; }

private:
    void on_request_impl(http::verb, BeastView, BeastView, int, Error&) override {}
    void on_response_impl(int status, BeastView, int, Error&) override {
        status_ = static_cast<unsigned>(status);
    }
    void on_field_impl(http::field, BeastView, BeastView, Error&) override {}
    void on_header_impl(Error&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
    void on_chunk_header_impl(std::uint64_t, BeastView, Error&) override {}
    void on_finish_impl(Error&) override {}
    std::size_t on_body_impl(BeastView piece, Error& error) override { return take(piece, error); }
    std::size_t on_chunk_body_impl(std::uint64_t, BeastView piece, Error& error) override {
        return take(piece, error);
    }
    std::size_t take(BeastView piece, Error& error) {
        if (piece.size() > body_bytes_max - body_.size()) {
            error = http::error::body_limit;
            return 0;
        }
        body_.append(piece.data(), piece.size());
        return piece.size();
    }

    std::string& body_;
    unsigned status_ = 0;
};

HttpReader::HttpReader() = default;
HttpReader::~HttpReader() = default;

void HttpReader::begin() {
    parser_ = std::make_unique<Parser>(body_);
    status_ = 0;
    closes_ = false;
    drop_body();
}

void HttpReader::reset() {
    parser_.reset();
    kept_ = std::string();
    status_ = 0;
    closes_ = false;
    drop_body();
}

bool HttpReader::mid_answer() const noexcept {
    return parser_ != nullptr;
}

void HttpReader::drop_body() {
    if (body_.capacity() > body_bytes_kept) {
        body_ = std::string();
    } else {
        body_.clear();
    }
}

HttpReader::Step HttpReader::feed(std::string_view bytes) {
    if (bytes.empty()) return {Event::need_more, 0};
    if (!parser_) begin();
    if (kept_.empty()) {
        const Step step = take(bytes);
        if (step.event != Event::need_more) return step;
        kept_.assign(bytes.substr(step.consumed));
        return {Event::need_more, bytes.size()};
    }
    const std::size_t before = kept_.size();
    kept_.append(bytes);
    const Step step = take(kept_);
    if (step.event == Event::need_more) {
        kept_.erase(0, step.consumed);
        if (kept_.empty()) kept_ = std::string();
        return {Event::need_more, bytes.size()};
    }
    kept_ = std::string();
    return {step.event, step.consumed > before ? step.consumed - before : 0};
}

HttpReader::Step HttpReader::take(std::string_view bytes) {
    std::size_t consumed = 0;
    Error error;
    while (consumed < bytes.size() && !parser_->is_done() && !error) {
        consumed += parser_->put(
            boost::asio::const_buffer(bytes.data() + consumed, bytes.size() - consumed), error);
    }
    if (parser_->is_header_done()) {
        status_ = parser_->status();
        closes_ = !parser_->keep_alive();
    }
    if (error && error != http::error::need_more) {
        error_ = error.message();
        parser_.reset();
        return {Event::failed, consumed};
    }
    if (!parser_->is_done()) return {Event::need_more, consumed};
    parser_.reset();
    return {Event::complete, consumed};
}

void append_get(std::string& out, std::string_view path, const HttpRequest& request) {
    out.append("GET ").append(path).append(" HTTP/1.1\r\nHost: ").append(request.host);
    out.append("\r\nAccept: ").append(request.accept);
    if (!request.name.empty()) out.append("\r\nX-Parley-Name: ").append(request.name);
    out.append("\r\n\r\n");
}

void append_post(std::string& out, std::string_view path, std::string_view body,
                 const HttpRequest& request) {
    out.append("POST ").append(path).append(" HTTP/1.1\r\nHost: ").append(request.host);
    out.append("\r\nAccept: ").append(request.accept);
    if (!request.name.empty()) out.append("\r\nX-Parley-Name: ").append(request.name);
    out.append("\r\nContent-Type: ").append(request.content_type).append("\r\nContent-Length: ");
    protocol::append_decimal(out, body.size());
    out.append("\r\n\r\n").append(body);
}

}  // namespace parley::load
