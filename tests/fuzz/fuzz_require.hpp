// What must hold whatever a fuzz target is fed.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace parley::test {

// Ends the program with a line that says what didn't hold; libFuzzer then keeps the input.
inline void fuzz_require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

}  // namespace parley::test
