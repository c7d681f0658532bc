// What a Socket.IO chat sends, as the tests' servers send it.
#pragma once

#include <cstdint>
#include <string>

#include "loadtest/stamp.hpp"

namespace parley::load {

inline std::string engine_open(const std::string& sid, std::size_t payload_bytes_max = 1'000'000) {
    return R"(0{"sid":")" + sid +
           R"(","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":)" +
           std::to_string(payload_bytes_max) + "}";
}

// A message as the client hears it, without the event around it.
inline std::string socketio_message(const std::string& room, std::uint64_t offset,
                                    const std::string& text) {
    const std::string cursor = "e1:" + std::to_string(offset);
    return R"({"username":"u0","text":")" + text + R"(","message":")" + text +
           R"(","timestamp":"2026-01-01T00:00:00.000Z","room":")" + room + R"(","offset":)" +
           std::to_string(offset) + R"(,"id":")" + cursor + R"("})";
}

inline std::string socketio_event(const std::string& message, std::uint64_t offset) {
    return R"(42["message",)" + message + R"(,"e1:)" + std::to_string(offset) + R"("])";
}

}  // namespace parley::load
