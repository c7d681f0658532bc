// How an error of the core is answered over HTTP (protocol.md, sections 3 and 4).
//
// Path:     Subscriber → [error_response] → HttpResponse
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   none of its own.
#pragma once

#include "protocol/message.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

// Its problem+json with the true status; `Retry-After` where the error says when, or is temporary.
[[nodiscard]] HttpResponse error_response(const protocol::Error& error);

}  // namespace parley::transports
