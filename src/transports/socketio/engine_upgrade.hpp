// EngineUpgrade: a session that polls and has a WebSocket that is to carry it, from the WebSocket's
// opening to its `5`.
//
// Path:     EngineSocket → EngineSession → [EngineUpgrade]
// Runs on:  its shard.
// Owned by: its EngineSession, while it lasts.
// Bounds:   one a session; EngineConfig::upgrade_timeout, then the WebSocket is closed and the
//           session polls on.
#pragma once

#include "core/timer_wheel.hpp"

namespace parley::transports {

class EngineSession;
class EngineSocket;

struct EngineUpgrade : core::Timer {
    EngineUpgrade(Fire fire, EngineSession& of, EngineSocket& by, core::TimePoint end) noexcept
        : Timer(fire), session(&of), socket(&by), deadline(end) {}

    EngineSession* session;
    EngineSocket* socket;
    core::TimePoint deadline;
    // The client has probed and waits for the end of its poll: the one that waits, or the next one,
    // is answered with `noop`.
    bool owes_nudge = false;
};

}  // namespace parley::transports
