// allocations: how often this program asked for memory, and for how much at once.
//
// Path:     operator new → [allocations] → Population
// Runs on:  the one thread of a population.
// Owned by: nobody; allocations.cpp replaces operator new of the whole program.
// Bounds:   none; three numbers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace parley::bench {

struct Allocations {
    std::uint64_t count = 0;
    std::size_t largest = 0;  // bytes of the largest one since forget_largest()
};

[[nodiscard]] const Allocations& allocations() noexcept;
void forget_largest() noexcept;

}  // namespace parley::bench
