// The Engine.IO part of the echo application: every message comes back as it came, text or binary.
#pragma once

#include <memory>

#include "transports/socketio/engine_handler.hpp"

namespace parley::conformance {

[[nodiscard]] std::unique_ptr<transports::EngineApplication> make_engineio_echo();

}  // namespace parley::conformance
