// Connection: what every kind of connection has in common, as its gate sees it.
//
// Path:     beside it; Gate → [Connection] when the server drains or stops
// Runs on:  its shard.
// Owned by: itself (a coroutine's frame, a reference count); a Gate only lists it.
// Bounds:   Gate counts them against limits.connections.
#pragma once

#include <boost/intrusive/list_hook.hpp>
#include <cstddef>

#include "core/close_reason.hpp"
#include "core/frame.hpp"

namespace parley::transports {

class Connection : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    Connection() = default;
    virtual ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // The server is about to go: says so to the peer where there is a way to. True where it goes by
    // itself within a second and need not be closed.
    [[nodiscard]] virtual bool announce_drain() noexcept = 0;
    // Ends it with a goodbye. Never destroys the connection within the call.
    virtual void close(const core::CloseReason& reason) noexcept = 0;
    // Ends it now, without one. Never destroys the connection within the call.
    virtual void abort() noexcept = 0;
    // The shard's turn that Gate::call_after_turn() was to wait for is over.
    virtual void after_turn() noexcept {}
    // Of a frame that it gave to SendRing the first `sent` bytes left; the rest is its own to send.
    virtual void send_fell_short(const core::Frame& /*frame*/, std::size_t /*sent*/) noexcept {}
};

}  // namespace parley::transports
