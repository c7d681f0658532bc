// How publications look to a long-poll: elements of the list that it is answered with.
//
// Path:     Publication → [longpoll_format] → LongPollConnection
// Runs on:  any thread; pure functions.
// Owned by: nobody; constants.
// Bounds:   none of its own.
#pragma once

#include <string_view>

#include "core/transport.hpp"

namespace parley::transports {

// Slot 5 of core::limits::wire_formats_max.
extern const core::TransportTraits longpoll_traits;

// The message of a frame, or several with commas between them.
[[nodiscard]] std::string_view longpoll_text(const core::Frame& frame) noexcept;

}  // namespace parley::transports
