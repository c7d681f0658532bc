// AnyStream: a stream on its way from one kind of connection to another, whatever its type.
//
// Path:     HttpConnection → [AnyStream] → Frontend → WebSocketConnection
// Runs on:  its shard.
// Owned by: passed by value; connections hold the concrete type.
// Bounds:   none.
#pragma once

#include <variant>

#include "transports/tcp_stream.hpp"
#include "transports/tls_stream.hpp"

namespace parley::transports {

using AnyStream = std::variant<TcpStream, TlsStream>;

}  // namespace parley::transports
