// http_move: a connection on its way to another shard, with the request that was read from it.
//
// Path:     Frontend → [http_move] → mail → the other shard's HttpConnection → its Frontend
// Runs on:  called on the shard that has the connection; arrives on the other.
// Owned by: the mail that carries it.
// Bounds:   one mail a connection; the request by http.header_bytes and the frontend's body bound.
#pragma once

#include "transports/frontend.hpp"

namespace parley::transports {

class Gate;

// Takes the connection over and has its request asked anew on the gate of that shard, where the
// connection stays. False, and nothing is done, where there is no such gate. For Frontend::handle(),
// which gives nothing back then.
[[nodiscard]] bool move_to_shard(Gate& gate, std::size_t shard, Exchange& exchange);

}  // namespace parley::transports
