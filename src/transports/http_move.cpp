#include "transports/http_move.hpp"

#include <boost/beast/http/field.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "protocol/json_append.hpp"
#include "transports/gate.hpp"
#include "transports/http_connection.hpp"
#include "transports/log.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;

// The request as bytes again, no more of them than it came as: its head is held to the same bound.
// Its body lies here whole: what was said of how it would come is left out, and that a `100 Continue`
// was waited for.
std::string written_again(const HttpRequest& request) {
    std::string bytes(request.method_string());
    bytes.append(" ").append(request.target());
    bytes.append(request.version() == 10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
    for (const auto& field : request) {
        switch (field.name()) {
            case http::field::content_length:
            case http::field::transfer_encoding:
            case http::field::trailer:
            case http::field::expect:
                continue;
            default:
                bytes.append(field.name_string()).append(":").append(field.value());
                bytes.append("\r\n");
        }
    }
    if (request.count(http::field::content_length) + request.count(http::field::transfer_encoding) >
        0) {
        bytes += "Content-Length:";
        protocol::append_decimal(bytes, request.body().size());
        bytes += "\r\n";
    }
    return bytes.append("\r\n").append(request.body());
}

struct MovingConnection {
    LooseSocket socket;
    std::optional<TlsStream> tls;  // released
    tcp::endpoint hop;
    HttpResumption request;
};

void arrive(Gate& gate, MovingConnection& moving) {
    try {
        TcpStream socket(gate.thread().reactor(), std::move(moving.socket));
        if (!moving.tls) {
            return resume_http(gate, std::move(socket), moving.hop, std::move(moving.request));
        }
        moving.tls->take_up(std::move(socket), gate.tls_record());
        resume_http(gate, std::move(*moving.tls), moving.hop, std::move(moving.request));
    } catch (const std::exception& error) {
        log::warn("connection dropped", {{"error", error.what()}});
    }
}

}  // namespace

bool move_to_shard(Gate& gate, std::size_t shard, Exchange& exchange) {
    Gate* const there = gate.neighbour(shard);
    if (there == nullptr) return false;
    HttpResumption request{written_again(exchange.request), std::nullopt,
                           std::string(exchange.following.data(), exchange.following.size())};
    auto* const tls = std::get_if<TlsStream>(&exchange.stream);
    LooseSocket socket =
        tls != nullptr ? tls->release() : std::get<TcpStream>(exchange.stream).release();
    // Shared because mail is copied: one has it at a time.
    auto moving = std::make_shared<MovingConnection>(
        MovingConnection{std::move(socket),
                         tls != nullptr ? std::optional<TlsStream>(std::move(*tls)) : std::nullopt,
                         exchange.hop, std::move(request)});
    gate.shard().metrics().add(core::Metric::connections_moved);
    there->shard().post([there, moving = std::move(moving)](core::Shard&) {
        if (there->ending()) return;
        // Behind the turn that brought it: a frontend must not be asked from within one.
        there->thread().defer([there, moving] {
            if (!there->ending()) arrive(*there, *moving);
        });
    });
    return true;
}

}  // namespace parley::transports
