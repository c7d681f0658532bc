// What an event stream says of its own: where it begins, what is missing, that it ends.
//
// Path:     SseConnection → [sse_words] → stream
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   none of its own; `joined` is told without its history.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/close_reason.hpp"
#include "core/reply.hpp"
#include "protocol/cursor.hpp"

namespace parley::transports {

// Where a stream that was asked for behind `since` begins, and what is missing before that. The
// place is told even where nothing was said: a client that reconnects before anything is resumes
// from it, after `retry_ms`.
void append_beginning(std::string& out, const core::JoinedReply& reply,
                      const std::optional<protocol::Cursor>& since, std::uint64_t retry_ms);
// The cursor to resume at is its id.
void append_gap(std::string& out, const protocol::Gap& gap);
// Without an id, as what follows: the client resumes behind the last message that it was told.
void append_removed(std::string& out, const protocol::Removed& removed);
void append_drain(std::string& out, const protocol::Drain& drain);
// Why the stream ends, as an `error`.
void append_goodbye(std::string& out, const core::CloseReason& reason);

}  // namespace parley::transports
