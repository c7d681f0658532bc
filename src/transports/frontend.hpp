// Frontend: one way to talk to the server: which requests are its own, and what becomes of them.
//
// Path:     HttpConnection → [Frontend] → an answer, or a connection of its own kind
// Runs on:  its shard.
// Owned by: Gate, one of each kind.
// Bounds:   a request comes bounded by http.header_bytes and http.body_bytes.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/user.hpp"
#include "protocol/message.hpp"
#include "transports/any_stream.hpp"
#include "transports/http_body.hpp"
#include "transports/http_response.hpp"
#include "transports/later_answer.hpp"

namespace parley::transports {

class Cors;
class Gate;

// The fields of a request have their memory from its parser: it may be copied out of there, not moved.
using RequestAllocator = std::pmr::polymorphic_allocator<char>;
using HttpRequest = boost::beast::http::request<boost::beast::http::string_body,
                                                boost::beast::http::basic_fields<RequestAllocator>>;

// The target of a request, in its parts.
struct HttpTarget {
    std::string_view path;   // not decoded
    std::string_view query;  // behind the `?`, not decoded; empty without one
};

// Who makes a request, where its frontend takes tokens.
struct Identity {
    core::UserPtr user{};                      // null: nobody in particular
    std::optional<protocol::Error> refused{};  // why the token that was shown is none, for good
    bool by_cookie = false;
    bool secure = false;      // cookies are for TLS
    bool known_here = false;  // there is somebody who knows about tokens
};

// One request and what came with it. Valid within Frontend::handle() only.
struct Exchange {
    const HttpRequest& request;
    std::string_view path;                       // of the target, not decoded
    std::string_view query;                      // behind the `?`, not decoded; empty without one
    const boost::asio::ip::tcp::endpoint& peer;  // who asks, past trusted proxies
    const boost::asio::ip::tcp::endpoint& hop;   // who is at the stream's other end
    AnyStream& stream;          // a frontend that takes the connection over moves it out …
    std::span<char> following;  // … and goes on with these bytes, which followed the request
    Identity identity{};
    std::shared_ptr<LaterAnswer> later{};  // where the answer is to come later

    // For a frontend whose answer takes a question to another shard: handle() then gives nothing
    // back, and the connection waits, for http.answer_timeout at most. Nobody may be there any more
    // to be answered when the time has come: hence weak.
    [[nodiscard]] std::weak_ptr<LaterAnswer> answer_later(Executor executor) {
        later = std::make_shared<LaterAnswer>(executor);
        return later;
    }
};

// What becomes of a request's body that is not held whole.
struct BodyIntake {
    std::optional<HttpResponse> refusal;  // the answer, without a look at the body
    std::shared_ptr<BodySink> sink;       // or who takes it, and answers
};

class Frontend {
public:
    Frontend() = default;
    virtual ~Frontend() = default;
    Frontend(const Frontend&) = delete;
    Frontend& operator=(const Frontend&) = delete;

    // True where requests for that target are its own.
    [[nodiscard]] virtual bool owns(const HttpTarget& target) const noexcept = 0;
    // Answers, or gives nothing back: it has taken the connection over, or answers later
    // (Exchange::answer_later()). `HEAD` is answered like `GET`; the connection leaves the body out.
    [[nodiscard]] virtual std::optional<HttpResponse> handle(Exchange& exchange) = 0;
    // True where the body of that request of its own is taken as it comes, however long: receive() is
    // asked instead of handle(), when the head has been read. Constant for the same request.
    [[nodiscard]] virtual bool streams(const HttpRequest& /*request*/,
                                       const HttpTarget& /*target*/) const noexcept {
        return false;
    }
    [[nodiscard]] virtual BodyIntake receive(Exchange& /*exchange*/) { return {}; }
    // The longest body of a request of its own; nothing: http.body_bytes.
    [[nodiscard]] virtual std::optional<std::size_t> body_bytes_max() const noexcept { return {}; }
    // True where whoever shows a token is to be known when handle() is called (Exchange::identity).
    [[nodiscard]] virtual bool takes_tokens() const noexcept { return false; }
    // Which pages may read what lies outside /api/ and is its own; null: no other than this server's.
    // Preflights are answered and answers marked by it, refusing is the frontend's own.
    [[nodiscard]] virtual const Cors* cors() const noexcept { return nullptr; }
    // The configuration of the gate or its shard has changed: what was derived from it is stale.
    virtual void config_changed() {}
};

// A line of the table of frontends.
struct FrontendEntry {
    std::string_view name;
    std::unique_ptr<Frontend> (*make)(Gate& gate);
};

}  // namespace parley::transports
