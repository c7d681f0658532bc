// The engine that keeps histories, as the configuration names it, and what it reports.
//
// Path:     Server → [history_engine] → storage::Engine
// Runs on:  the main thread; what the metrics read, on the admin thread.
// Owned by: nobody; plain functions.
// Bounds:   none of its own.
#pragma once

#include <memory>
#include <vector>

#include "server/server_config.hpp"
#include "storage/engine.hpp"
#include "transports/admin/server_view.hpp"

namespace parley::server {

// Null where history.store is memory. Throws std::runtime_error that names the store and what is
// wrong with it.
[[nodiscard]] std::unique_ptr<storage::Engine> make_history_engine(const ServerConfig& config);

// The engine must outlive them.
[[nodiscard]] std::vector<transports::admin::MetricSource> history_metrics(
    const storage::Engine& engine);

}  // namespace parley::server
