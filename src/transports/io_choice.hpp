// IoChoice: how bytes leave the server: the setting `io`.
//
// Path:     TransportConfig → [IoChoice] → ShardThread
// Runs on:  any thread; a value.
// Owned by: TransportConfig.
// Bounds:   none.
#pragma once

#include <cstdint>

namespace parley::transports {

// `automatic`: uring where send_ring_refusal() has nothing to say, else epoll.
enum class IoChoice : std::uint8_t { automatic, epoll, uring };

}  // namespace parley::transports
