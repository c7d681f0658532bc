// SocketIoConfig: what a server chooses of Socket.IO, with the reference's defaults.
//
// Path:     config_file, command line → [SocketIoConfig] → SocketIoApplication
// Runs on:  built at start; then read by any thread, changed by none.
// Owned by: the server (composition root), a test.
// Bounds:   these. The attachments of one packet have EngineConfig::max_payload bytes in all.
#pragma once

#include <chrono>
#include <cstdint>

namespace parley::transports {

struct SocketIoConfig {
    // From the opening of a connection to the first CONNECT that is accepted.
    std::chrono::milliseconds connect_timeout{45'000};
    std::uint32_t attachments_max = 10;  // of one binary packet
};

}  // namespace parley::transports
