// ServerWatch: looks at the server once a second while a run lasts: its processor time and memory
// by its process id, and by its metrics, with those counters of Parley's that tell of its work.
//
// Path:     /proc/PID, GET /metrics → [ServerWatch] → Report
// Runs on:  a thread of its own; start(), look() and stop() are the main thread's.
// Owned by: run().
// Bounds:   points_max points; when there are more, every other one is forgotten and further ones
//           are taken half as often. Metrics of metrics_bytes_max, within scrape_ns_max.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "loadtest/clock.hpp"
#include "loadtest/metrics_source.hpp"
#include "loadtest/server_cost.hpp"

namespace parley::load {

struct WatchedCounter {
    std::string_view metric;  // summed over its labels
    std::string_view key;     // in the report
    std::string_view title;
    bool grows;  // counts up: its growth a second is of interest, not its value
};
// Parley's, in the order of a point's counters.
inline constexpr std::array<WatchedCounter, 9> watched_counters{{
    {"parley_connections", "connections", "connections", false},
    {"parley_messages_published_total", "messages_published", "messages/s", true},
    {"parley_deliveries_written_total", "deliveries_written", "deliveries/s", true},
    {"parley_deliveries_skipped_total", "deliveries_skipped", "deliveries skipped/s", true},
    {"parley_slow_disconnects_total", "slow_disconnects", "slow readers ended/s", true},
    {"parley_rate_limited_total", "rate_limited", "commands over a rate/s", true},
    {"parley_writes_total", "writes", "hand-overs/s", true},
    {"parley_writes_blocked_total", "writes_blocked", "hand-overs blocked/s", true},
    {"parley_bytes_written_total", "bytes_written", "bytes/s", true},
}};

// What was not told is absent.
struct ServerPoint {
    std::int64_t at_ns = 0;
    std::optional<double> cpu_s;  // since the process began
    std::optional<std::uint64_t> resident_kib;
    std::array<std::optional<double>, watched_counters.size()> counters;
};

// Takes from the text of a scrape what a point holds.
void read_metrics(std::string_view text, ServerPoint& point);

class ServerWatch {
public:
    static constexpr std::size_t points_max = 600;

    // 0: no process is looked at; nullptr: no metrics are.
    ServerWatch(std::int32_t pid, std::unique_ptr<MetricsSource> metrics);
    // Of what the scenario names; it has begun to look. Or why nothing can be seen.
    [[nodiscard]] static Checked<std::unique_ptr<ServerWatch>> begin(const Scenario& scenario);
    ServerWatch(const ServerWatch&) = delete;
    ServerWatch& operator=(const ServerWatch&) = delete;
    ~ServerWatch();

    [[nodiscard]] bool watches() const noexcept { return pid_ != 0 || metrics_ != nullptr; }
    // The first look, and from now on one each second; or why nothing can be seen.
    [[nodiscard]] std::optional<Problem> start();
    // One look more, at once; it is kept.
    ServerPoint look();
    // What the server has cost by now, its memory as PSS where its process is looked at; nothing
    // where it does not tell.
    [[nodiscard]] std::optional<ServerSample> sample();
    // No looks any more; what was seen, and how many scrapes failed, which leave holes.
    struct Seen {
        std::vector<ServerPoint> points;
        std::uint64_t scrapes_failed = 0;
        std::string last_failure;
    };
    [[nodiscard]] Seen stop();

private:
    void watch();
    [[nodiscard]] ServerPoint take(std::optional<Problem>& problem);
    void keep(const ServerPoint& point);

    const std::int32_t pid_;
    const std::unique_ptr<MetricsSource> metrics_;
    std::thread thread_;
    std::mutex mutex_;  // of everything below, and of metrics_
    std::condition_variable stopped_;
    bool stop_ = false;
    std::int64_t every_ns_ = ns_per_s;
    Seen seen_;
};

}  // namespace parley::load
