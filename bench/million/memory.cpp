#include "memory.hpp"

#include <malloc.h>

#include <fstream>
#include <stdexcept>
#include <string>

namespace parley::bench {

std::int64_t heap_now() noexcept {
    const auto info = mallinfo2();
    return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

Memory memory_now() {
    Memory now{heap_now(), -1, -1};
    std::ifstream rollup("/proc/self/smaps_rollup");
    std::string key;
    while (rollup >> key) {
        std::int64_t* const value = key == "Rss:"   ? &now.resident
                                    : key == "Pss:" ? &now.share
                                                    : nullptr;
        if (value == nullptr) {
            rollup.ignore(4096, '\n');
            continue;
        }
        rollup >> *value;
        *value *= 1024;
        rollup.ignore(4096, '\n');
    }
    if (now.resident < 0 || now.share < 0) {
        throw std::runtime_error("/proc/self/smaps_rollup has no Rss and Pss");
    }
    return now;
}

}  // namespace parley::bench
