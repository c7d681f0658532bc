// EngineConfig: what a server chooses of Engine.IO, with the reference's defaults.
//
// Path:     config_file, command line → [EngineConfig] → EngineFrontend
// Runs on:  built at start; then read by any thread, changed by none.
// Owned by: the server (composition root), a test.
// Bounds:   these.
#pragma once

#include <chrono>
#include <cstddef>

namespace parley::transports {

struct EngineConfig {
    std::chrono::milliseconds ping_interval{25'000};    // between a pong and the next ping
    std::chrono::milliseconds ping_timeout{20'000};     // for the pong
    std::chrono::milliseconds upgrade_timeout{10'000};  // from the probing WebSocket to its `5`
    std::size_t max_payload = 1'000'000;                // bytes of a polling body or a message
    // Bytes of a session's own words that may wait for a poll; then it ends as a slow consumer.
    std::size_t waiting_bytes = 2'000'000;
};

}  // namespace parley::transports
