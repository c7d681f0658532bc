#include "loadtest/server_watch.hpp"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include "loadtest/server_cost.hpp"

namespace parley::load {
namespace {

// The resident size here, not PSS: to add up PSS the kernel walks the server's page tables with its
// memory map held, which costs a large server milliseconds each time.
// Of the server and the processes that it has started, as sample_server() has it.
void read_process(std::int32_t pid, ServerPoint& point) {
    for (const std::int32_t member : process_tree(pid)) {
        const std::string process = "/proc/" + std::to_string(member);
        const auto ticks = read_cpu_ticks(read_all(process + "/stat"));
        if (!ticks) continue;
        point.cpu_s = point.cpu_s.value_or(0) +
                      static_cast<double>(*ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
        const auto kib = read_kib(read_all(process + "/status"), "VmRSS:");
        if (kib) point.resident_kib = point.resident_kib.value_or(0) + *kib;
    }
}

}  // namespace

void read_metrics(std::string_view text, ServerPoint& point) {
    if (!point.cpu_s) point.cpu_s = metric_sum(text, "process_cpu_seconds_total");
    if (!point.resident_kib) {
        const auto bytes = metric_sum(text, "process_resident_memory_bytes");
        if (bytes && *bytes >= 0) point.resident_kib = static_cast<std::uint64_t>(*bytes / 1024);
    }
    for (std::size_t i = 0; i < watched_counters.size(); ++i) {
        point.counters[i] = metric_sum(text, watched_counters[i].metric);
    }
}

ServerWatch::ServerWatch(std::int32_t pid, std::unique_ptr<MetricsSource> metrics)
    : pid_(pid), metrics_(std::move(metrics)) {}

ServerWatch::~ServerWatch() {
    (void)stop();
}

Checked<std::unique_ptr<ServerWatch>> ServerWatch::begin(const Scenario& scenario) {
    std::unique_ptr<MetricsSource> metrics;
    if (scenario.server_metrics) {
        auto source = MetricsSource::make(*scenario.server_metrics, scenario.tls);
        if (!source) return Problem{"--server-metrics: " + source.error().text};
        metrics = std::move(*source);
    }
    auto watch = std::make_unique<ServerWatch>(scenario.server_pid, std::move(metrics));
    if (const auto problem = watch->start()) return *problem;
    return watch;
}

std::optional<ServerSample> ServerWatch::sample() {
    if (pid_ != 0) return sample_server(pid_);
    const ServerPoint point = look();
    if (!point.cpu_s) return std::nullopt;
    return ServerSample{*point.cpu_s, point.resident_kib.value_or(0)};
}

ServerPoint ServerWatch::take(std::optional<Problem>& problem) {
    ServerPoint point;
    point.at_ns = monotonic_ns();
    if (pid_ != 0) read_process(pid_, point);
    if (!metrics_) return point;
    const auto text = metrics_->scrape();
    if (text) {
        read_metrics(*text, point);
    } else {
        problem = text.error();
        ++seen_.scrapes_failed;
        seen_.last_failure = problem->text;
    }
    return point;
}

void ServerWatch::keep(const ServerPoint& point) {
    if (seen_.points.size() == points_max) {
        for (std::size_t i = 0; 2 * i < points_max; ++i) seen_.points[i] = seen_.points[2 * i];
        seen_.points.resize(points_max / 2);
        every_ns_ *= 2;
    }
    seen_.points.push_back(point);
}

std::optional<Problem> ServerWatch::start() {
    if (!watches()) return std::nullopt;
    std::optional<Problem> problem;
    const ServerPoint first = take(problem);
    if (problem) return Problem{"--server-metrics: " + problem->text};
    if (pid_ != 0 && !first.cpu_s) {
        return Problem{"--server-pid " + std::to_string(pid_) + ": there is no such process"};
    }
    keep(first);
    thread_ = std::thread([this] { watch(); });
    return std::nullopt;
}

void ServerWatch::watch() {
    std::unique_lock lock(mutex_);
    std::int64_t next_ns = seen_.points.front().at_ns;
    while (!stop_) {
        next_ns = std::max(next_ns + every_ns_, monotonic_ns());
        const auto wait = std::chrono::nanoseconds(next_ns - monotonic_ns());
        if (stopped_.wait_for(lock, wait, [this] { return stop_; })) return;
        std::optional<Problem> problem;
        keep(take(problem));
    }
}

ServerPoint ServerWatch::look() {
    if (!watches()) return {};
    const std::scoped_lock lock(mutex_);
    std::optional<Problem> problem;
    const ServerPoint point = take(problem);
    keep(point);
    return point;
}

ServerWatch::Seen ServerWatch::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stop_ = true;
    }
    stopped_.notify_all();
    if (thread_.joinable()) thread_.join();
    return std::exchange(seen_, {});
}

}  // namespace parley::load
