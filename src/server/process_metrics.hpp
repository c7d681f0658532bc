// process_metrics: what the kernel says of this process, as metrics under the names that every
// Prometheus client library gives them.
//
// Path:     /proc → [process_metrics] → admin listener
// Runs on:  asked on the admin thread.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <cstdint>
#include <vector>

#include "transports/admin/server_view.hpp"

namespace parley::server {

// Memory, CPU time, open files and their limit, start time.
[[nodiscard]] std::vector<transports::admin::MetricSource> process_metrics();

// Descriptors that are open; 0 where /proc does not say.
[[nodiscard]] std::uint64_t open_files();

}  // namespace parley::server
