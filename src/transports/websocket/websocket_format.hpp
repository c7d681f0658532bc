// How publications look on a WebSocket of parley.v1: one text frame each, plain or deflated.
//
// Path:     Publication → [websocket_format] → Frame
// Runs on:  any thread; a compressor per thread.
// Owned by: nobody; constants.
// Bounds:   a compressor holds 256 KiB, one for each thread that needs it.
#pragma once

#include <string_view>

#include "core/transport.hpp"

namespace parley::transports {

// Slots 0 and 1 of core::limits::wire_formats_max.
extern const core::TransportTraits websocket_plain;
// For connections that agreed to permessage-deflate with the server's full window: every frame is
// compressed by itself, so that one serves all of them.
extern const core::TransportTraits websocket_deflated;

// What is tried to be deflated, process-wide, because the frames are shared by all. Before the
// first publication.
void set_deflate(int level, std::size_t bytes_min) noexcept;

// The message compressed without context, where that makes it smaller, else empty. Valid until the
// thread's next call.
[[nodiscard]] std::string_view deflate_if_smaller(std::string_view message);

}  // namespace parley::transports
