// EngineRefusal: what a request of Engine.IO is told that can't be served, as the reference tells
// it: 400, or 403 for the last, and JSON with one of six codes.
//
// Path:     EngineFrontend, EngineSession → [EngineRefusal] → HttpResponse
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   these.
#pragma once

#include <cstdint>

#include "transports/http_response.hpp"

namespace parley::transports {

// By the code on the wire.
enum class EngineRefusal : std::uint8_t {
    unknown_transport,
    unknown_sid,
    bad_method,   // of an opening
    bad_request,  // not for that session, or not now
    forbidden,    // to pages of that origin
    bad_version,  // of the protocol: only 4 is spoken
};

[[nodiscard]] HttpResponse refuse(EngineRefusal refusal);

}  // namespace parley::transports
