#include "auth/jwks_fetch.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <stdexcept>
#include <utility>

#include "auth/jwt_keys.hpp"

namespace parley::auth {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t head_bytes_max = 16 * 1024;

// RFC 9110, 7.2: the port where it is not the scheme's own.
std::string host_header(const HttpUrl& url) {
    std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
    if (url.port != (url.tls ? "443" : "80")) host += ":" + url.port;
    return host;
}

// One exchange, step by step; each step's failure ends it.
template <typename Stream>
class Exchange {
public:
    template <typename... Arguments>
    Exchange(asio::io_context& io, const HttpUrl& url, Arguments&&... arguments)
        : resolver_(io), stream_(io, std::forward<Arguments>(arguments)...), url_(url) {
        request_ = {http::verb::get, url.target, 11};
        request_.set(http::field::host, host_header(url));
        request_.set(http::field::accept, "application/jwk-set+json, application/json");
        request_.set(http::field::user_agent, "parleyd");
        parser_.body_limit(jwks_bytes_max);
        parser_.header_limit(head_bytes_max);
    }

    void start() {
        resolver_.async_resolve(url_.host, url_.port, [this](const error_code& error, auto found) {
            if (failed("looking up the host", error)) return;
            beast::get_lowest_layer(stream_).async_connect(
                found, [this](const error_code& refused, const tcp::endpoint&) {
                    if (!failed("connecting", refused)) connected();
                });
        });
    }

    [[nodiscard]] Stream& stream() noexcept { return stream_; }
    // What came of it: throws where nothing did.
    [[nodiscard]] std::string take() {
        if (!problem_.empty()) throw std::runtime_error(problem_);
        if (!done_) throw std::runtime_error("no answer in time");
        if (parser_.get().result_int() != 200) {
            throw std::runtime_error("answered " + std::to_string(parser_.get().result_int()) +
                                     " (expected 200)");
        }
        return std::move(parser_.get().body());
    }

private:
    bool failed(const char* doing, const error_code& error) {
        if (!error) return false;
        problem_ = std::string(doing) + ": " + error.message();
        return true;
    }
    void connected() {
        if constexpr (requires { stream_.next_layer(); }) {
            stream_.async_handshake(asio::ssl::stream_base::client,
                                    [this](const error_code& error) {
                                        if (!failed("the TLS handshake", error)) ask();
                                    });
        } else {
            ask();
        }
    }
    void ask() {
        http::async_write(stream_, request_, [this](const error_code& error, std::size_t) {
            if (failed("asking", error)) return;
            http::async_read(stream_, buffer_, parser_,
                             [this](const error_code& lost, std::size_t) {
                                 if (!failed("reading the answer", lost)) done_ = true;
                             });
        });
    }

    tcp::resolver resolver_;
    Stream stream_;
    const HttpUrl& url_;
    http::request<http::empty_body> request_;
    http::response_parser<http::string_body> parser_;
    beast::flat_buffer buffer_;
    std::string problem_;
    bool done_ = false;
};

// Runs it to its end, or to that of the time.
template <typename Stream>
std::string complete(asio::io_context& io, Exchange<Stream>& exchange,
                     std::chrono::milliseconds timeout, const std::atomic<bool>& stopping) {
    constexpr std::chrono::milliseconds look{50};
    exchange.start();
    for (auto left = timeout; left > left.zero() && !io.stopped(); left -= look) {
        // The partner is JwksKeeper::stop(); nothing else is read because of it.
        if (stopping.load(std::memory_order_relaxed)) break;
        io.run_for(std::min(left, look));
    }
    return exchange.take();
}

}  // namespace

std::optional<HttpUrl> parse_http_url(std::string_view text) {
    HttpUrl url;
    if (text.starts_with("https://")) {
        url.tls = true;
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
    } else {
        return std::nullopt;
    }
    const auto slash = std::min(text.find('/'), text.size());
    std::string_view authority = text.substr(0, slash);
    url.target = slash == text.size() ? "/" : std::string(text.substr(slash));
    // Behind the bracket of an IPv6 address.
    const auto colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
    url.port = url.tls ? "443" : "80";
    if (colon != std::string_view::npos) {
        url.port = authority.substr(colon + 1);
        authority = authority.substr(0, colon);
    }
    if (authority.starts_with('[') && authority.ends_with(']')) {
        authority = authority.substr(1, authority.size() - 2);
    }
    url.host = authority;
    const bool odd = url.host.empty() || url.port.empty() ||
                     url.host.find_first_of("@ \t\r\n?#") != std::string::npos ||
                     url.port.find_first_not_of("0123456789") != std::string::npos ||
                     url.target.find_first_of(" \t\r\n#") != std::string::npos;
    if (odd) return std::nullopt;
    return url;
}

std::string fetch(const HttpUrl& url, const std::string& ca_file, std::chrono::milliseconds timeout,
                  const std::atomic<bool>& stopping) {
    asio::io_context io(1);
    if (!url.tls) {
        Exchange<beast::tcp_stream> exchange(io, url);
        return complete(io, exchange, timeout, stopping);
    }
    asio::ssl::context tls(asio::ssl::context::tls_client);
    if (ca_file.empty()) {
        tls.set_default_verify_paths();
    } else {
        tls.load_verify_file(ca_file);
    }
    tls.set_verify_mode(asio::ssl::verify_peer);
    Exchange<beast::ssl_stream<beast::tcp_stream>> exchange(io, url, tls);
    auto& stream = exchange.stream();
    // What SSL_set_tlsext_host_name() is, but for its cast.
    std::string host = url.host;
    SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             host.data());
    stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
    return complete(io, exchange, timeout, stopping);
}

}  // namespace parley::auth
