// FileCounters: what happened to files, and what there is of them.
//
// Path:     DiskFileStore → [FileCounters] → whoever reports
// Runs on:  any thread; each number stands for itself.
// Owned by: DiskFileStore.
// Bounds:   a counter for each FileRefusal.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/file_store.hpp"

namespace parley::storage {

struct FileCounters {
    using Number = std::atomic<std::uint64_t>;

    Number stored{0};
    Number deduplicated{0};  // of those: their content was there already
    Number removed{0};
    Number expired{0};      // files.keep_age
    Number interrupted{0};  // uploads that did not come to their end
    Number swept{0};        // what a process before had left of such
    Number bytes_received{0};
    Number bytes_sent{0};
    std::array<Number, static_cast<std::size_t>(core::FileRefusal::end_)> refused{};

    Number uploads{0};                 // under way
    Number downloads{0};               // under way
    Number files{0};                   // that there are
    Number content_bytes{0};           // each content once
    std::atomic<bool> failing{false};  // the disk or the index has failed, and not worked since

    void count(core::FileRefusal cause) noexcept {
        refused[static_cast<std::size_t>(cause)].fetch_add(1, std::memory_order_relaxed);
    }
};

}  // namespace parley::storage
