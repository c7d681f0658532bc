// memory: what this process occupies, as the allocator and as the kernel see it.
//
// Path:     malloc, /proc/self/smaps_rollup → [memory] → Population
// Runs on:  any thread.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <cstdint>

namespace parley::bench {

struct Memory {
    std::int64_t heap = 0;      // handed out by malloc, its own bookkeeping included
    std::int64_t resident = 0;  // pages in memory
    std::int64_t share = 0;  // the same, pages shared with other processes counted in parts (PSS)

    friend Memory operator-(const Memory& a, const Memory& b) noexcept {
        return {a.heap - b.heap, a.resident - b.resident, a.share - b.share};
    }
};

// Throws std::runtime_error where the kernel does not tell.
[[nodiscard]] Memory memory_now();
// The heap's part alone, which is quick to ask.
[[nodiscard]] std::int64_t heap_now() noexcept;

}  // namespace parley::bench
