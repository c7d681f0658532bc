// How publications look on an event stream: one event each, in a chunk of its own where the stream
// is chunked (RFC 9112, 7.1).
//
// Path:     Publication → [sse_format] → Frame
// Runs on:  any thread.
// Owned by: nobody; constants.
// Bounds:   none of its own.
#pragma once

#include <string>
#include <string_view>

#include "core/transport.hpp"

namespace parley::transports {

// Slots 2 and 4 of core::limits::wire_formats_max.
extern const core::TransportTraits sse_chunked;
// For HTTP/1.0, where the end of the connection is the end of the stream.
extern const core::TransportTraits sse_bare;

// Appends one event with the push's type as its name and, where it has one, its cursor as its id.
// `json` is a push of parley.v1.
void append_event(std::string& out, core::PublicationKind kind, std::string_view json);
// Appends the payload, which must not be empty, as one chunk.
void append_chunk(std::string& out, std::string_view payload);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace parley::transports
