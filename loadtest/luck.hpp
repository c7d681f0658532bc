// Luck: the generator's random numbers, from a seed (SplitMix64; Steele, Lea, Flood 2014).
//
// Path:     Scenario's seed → [Luck] → VirtualUser's mask keys and handshake keys
// Runs on:  one load thread.
// Owned by: a load thread.
// Bounds:   none needed; eight bytes of state.
#pragma once

#include <cstdint>

#include "protocol/websocket_frame.hpp"

namespace parley::load {

class Luck {
public:
    explicit Luck(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15u;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    protocol::MaskKey mask() noexcept {
        const std::uint64_t bits = next();
        return {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8),
                static_cast<std::uint8_t>(bits >> 16), static_cast<std::uint8_t>(bits >> 24)};
    }

private:
    std::uint64_t state_;
};

}  // namespace parley::load
