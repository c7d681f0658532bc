// proxy_intake: takes the PROXY protocol's header off a new connection, so that whatever follows
// (TLS, HTTP) begins where it would without a proxy.
//
// Path:     Gate → [proxy_intake] → HttpConnection
// Runs on:  its shard, as one coroutine.
// Owned by: its coroutine's frame.
// Bounds:   protocol::proxy_header_bytes_max, http.head_timeout; refused_time and the gate's bound of
//           refused connections for one that is refused already.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "transports/executor.hpp"
#include "transports/tcp_stream.hpp"

namespace parley::transports {

class Gate;

// Who connected to the proxy, or the proxy itself where it speaks for nobody. Nothing: the
// connection is to be closed, since nobody trusted sent a header, or none that is one, or none in
// time; that is counted and logged. `refused`: it is only to hear why. Gate and stream outlive the
// coroutine.
Awaitable<std::optional<boost::asio::ip::tcp::endpoint>> receive_proxy_header(
    Gate& gate, TcpStream& stream, boost::asio::ip::tcp::endpoint proxy, bool refused);

}  // namespace parley::transports
