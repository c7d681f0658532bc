// How publications look to a long-poll: elements of the list that it is answered with.
//
// Path:     Publication → [longpoll_format] → LongPollConnection
// Runs on:  any thread; pure functions.
// Owned by: nobody; constants.
// Bounds:   none of its own.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/transport.hpp"

namespace parley::transports {

// Slot 5 of core::limits::wire_formats_max.
extern const core::TransportTraits longpoll_traits;

// The message of a frame, or several with commas between them.
[[nodiscard]] std::string_view longpoll_text(const core::Frame& frame) noexcept;

// Appends the answer; `messages` are elements as JSON, or several with commas between them.
void append_longpoll_page(std::string& out, std::string_view room, const protocol::Cursor& cursor,
                          bool recovered, std::span<const std::string_view> messages, bool more);

}  // namespace parley::transports
