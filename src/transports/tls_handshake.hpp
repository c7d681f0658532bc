// TlsHandshake: from an accepted socket to HTTP over TLS.
//
// Path:     Listener → Gate → [TlsHandshake] → HttpConnection
// Runs on:  its shard, as one coroutine.
// Owned by: its coroutine's frame.
// Bounds:   tls.handshake_timeout; what OpenSSL takes for a handshake, some 40 KiB until its end.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "transports/admission.hpp"
#include "transports/executor.hpp"
#include "transports/tcp_stream.hpp"

namespace parley::transports {

class Gate;

// Shakes hands and serves HTTP to the connection's end. Who speaks plain HTTP is told so, in plain
// text. `refusal` as for serve_http(). The gate has contexts, and outlives the coroutine.
[[nodiscard]] Awaitable<void> serve_tls(Gate& gate, TcpStream socket,
                                        boost::asio::ip::tcp::endpoint peer,
                                        AdmissionRefusal refusal);

}  // namespace parley::transports
