// The Socket.IO part of the echo application, over the transports of the server: namespaces `/` and
// `/custom`, which
//   emit `auth` with the payload of CONNECT, `{}` where there was none;
//   answer `message` with `message-back` and the same arguments;
//   acknowledge `message-with-ack` with its arguments;
//   answer `emit-with-ack` with a `message` that wants an acknowledgement, of the same arguments,
//   and emit `emit-with-ack-back` with what that brought.
// Binary arguments come back as binary.
#pragma once

#include <memory>

#include "core/shard.hpp"
#include "transports/socketio/engine_handler.hpp"
#include "transports/socketio/socketio_config.hpp"

namespace parley::conformance {

// `shard` outlives it.
[[nodiscard]] std::unique_ptr<transports::EngineApplication> make_socketio_echo(
    core::Shard& shard, const transports::SocketIoConfig& config, std::size_t attachment_bytes_max);

}  // namespace parley::conformance
