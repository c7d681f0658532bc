// ServerView: what the admin listener may look at of the server that it reports on.
//
// Path:     server (composition root) → [ServerView] → the admin frontends
// Runs on:  filled before the admin thread starts; then read by that thread alone.
// Owned by: AdminServer. What it points to outlives the admin thread.
// Bounds:   none of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/hub.hpp"
#include "transports/admin/shard_watch.hpp"

namespace parley::transports::admin {

enum class Readiness : std::uint8_t { ready, draining, overloaded, history_unavailable };

using Labels = std::vector<std::pair<std::string, std::string>>;
struct Sample {
    Labels labels;
    double value;
};

// A metric that is asked for when it is scraped. `name` is the whole one, with prefix and unit.
struct MetricSource {
    enum class Kind : std::uint8_t { gauge, counter };
    std::string name;
    std::string help;
    Kind kind;
    // Runs on the admin thread: what it reads must be safe to read there, and must not wait.
    std::function<std::vector<Sample>()> read;
};

struct ServerView {
    core::Hub* hub;
    const ShardWatch* watch;
    std::chrono::milliseconds stalled_after;
    std::function<Readiness()> readiness;  // any thread
    std::vector<MetricSource> sources;
};

}  // namespace parley::transports::admin
