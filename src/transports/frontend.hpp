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
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "transports/any_stream.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

class Gate;

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

// One request and what came with it. Valid within Frontend::handle() only.
struct Exchange {
    const HttpRequest& request;
    std::string_view path;   // of the target, not decoded
    std::string_view query;  // behind the `?`, not decoded; empty without one
    const boost::asio::ip::tcp::endpoint& peer;
    AnyStream& stream;          // a frontend that takes the connection over moves it out …
    std::span<char> following;  // … and goes on with these bytes, which followed the request
};

class Frontend {
public:
    Frontend() = default;
    virtual ~Frontend() = default;
    Frontend(const Frontend&) = delete;
    Frontend& operator=(const Frontend&) = delete;

    // True where requests for that path are its own.
    [[nodiscard]] virtual bool owns(std::string_view path) const noexcept = 0;
    // Answers, or takes the connection over and gives nothing back. `HEAD` is answered like `GET`;
    // the connection leaves the body out.
    [[nodiscard]] virtual std::optional<HttpResponse> handle(Exchange& exchange) = 0;
    // The configuration of the gate or its shard has changed: what was derived from it is stale.
    virtual void config_changed() {}
};

// A line of the table of frontends.
struct FrontendEntry {
    std::string_view name;
    std::unique_ptr<Frontend> (*make)(Gate& gate);
};

}  // namespace parley::transports
