// file_metrics: what is told of files, under the names that operators see.
//
// Path:     DiskFileStore → [file_metrics] → Operation
// Runs on:  made on the main thread; read on the admin thread.
// Owned by: Operation. The store outlives it.
// Bounds:   a sample for each FileRefusal.
#pragma once

#include <vector>

#include "storage/files/file_counters.hpp"
#include "transports/admin/server_view.hpp"

namespace parley::server {

// Null: there are no files, and no samples.
[[nodiscard]] std::vector<transports::admin::MetricSource> file_metrics(
    const storage::FileCounters* counters);

}  // namespace parley::server
