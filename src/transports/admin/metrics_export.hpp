// metrics_export: every metric of the server as Prometheus reads it.
//
// Path:     ShardMetrics, MetricSource → [metrics_export] → /metrics
// Runs on:  the admin thread.
// Owned by: nobody; no state.
// Bounds:   the tables of metrics; labels come from tables of ours.
#pragma once

#include <string>
#include <vector>

#include "transports/admin/server_view.hpp"

namespace parley::transports::admin {

// Of the content type below (text exposition format 0.0.4). Counters are sums over the shards, read
// one by one while they move: each only grows, but two need not be of one moment.
[[nodiscard]] std::string export_metrics(const ServerView& view);
inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace parley::transports::admin
