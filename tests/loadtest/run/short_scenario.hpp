// What the tests of whole runs begin with: a tenth of a second of twelve connections in two rooms.
#pragma once

#include <chrono>
#include <cstdint>

#include "loadtest/scenario.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

inline Target echo_target() {
    Target target;
    target.name = "echo";
    target.path = "/r/{room}";
    return target;
}

inline Scenario short_scenario(std::uint16_t port) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", port, "/", false};
    scenario.connections = 12;
    scenario.rooms = 2;
    scenario.spread = 2;
    scenario.rate_per_s = 400;
    scenario.payload_bytes = 64;
    scenario.warmup = std::chrono::milliseconds(10);
    scenario.duration = std::chrono::milliseconds(90);
    scenario.ramp = std::chrono::milliseconds(5);
    scenario.settle = std::chrono::seconds(10);
    scenario.drain = std::chrono::seconds(10);
    scenario.threads = 1;
    return scenario;
}

}  // namespace parley::load
