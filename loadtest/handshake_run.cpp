#include "loadtest/handshake_run.hpp"

#include <algorithm>
#include <memory>
#include <thread>

#include "loadtest/clock.hpp"
#include "loadtest/network.hpp"
#include "loadtest/server_watch.hpp"

namespace parley::load {
namespace {

constexpr std::int64_t progress_every_ns = 20 * ns_per_ms;
constexpr std::int64_t handshakes_notice_ns = 20 * ns_per_ms;
constexpr std::int64_t tell_every_ns = 5 * ns_per_s;

class HandshakeRun {
public:
    HandshakeRun(const Scenario& scenario, const Target& target, const Addresses& addresses,
                 std::FILE* progress, const std::atomic<bool>& interrupted)
        : plan_(scenario, target),
          addresses_(addresses),
          progress_(progress),
          interrupted_(interrupted) {}

    Checked<HandshakeReport> play();

private:
    // Sleeps until the instant, telling how it goes; false: interrupted.
    [[nodiscard]] bool wait_until(std::int64_t instant_ns);
    void tell(std::int64_t now_ns);
    // What the server has cost by now.
    void sample(ServerSample& into);

    Plan plan_;
    const Addresses& addresses_;
    std::FILE* progress_;
    const std::atomic<bool>& interrupted_;
    HandshakeControl control_;
    std::vector<std::unique_ptr<HandshakeThread>> threads_;
    std::int64_t next_tell_ns_ = 0;
    std::unique_ptr<ServerWatch> watch_;
    bool server_known_ = true;  // it has told every time
};

void HandshakeRun::sample(ServerSample& into) {
    const auto sample = watch_->sample();
    server_known_ = server_known_ && sample;
    into = sample.value_or(ServerSample{});
}

Checked<HandshakeReport> HandshakeRun::play() {
    const Scenario& scenario = plan_.scenario;
    HandshakeReport report;
    ServerCost server;
    auto watch = ServerWatch::begin(scenario);
    if (!watch) return watch.error();
    watch_ = std::move(*watch);
    sample(server.before_ramp);
    control_.start_ns = monotonic_ns() + handshakes_notice_ns;
    control_.window_from_ns = control_.start_ns + scenario.warmup.count();
    std::int64_t end_ns = control_.window_from_ns + scenario.duration.count();
    control_.end_ns.store(end_ns, std::memory_order_relaxed);
    const unsigned shares = std::min(scenario.threads, scenario.connections);
    for (unsigned share = 0; share < shares; ++share) {
        auto tls = TlsContext::make(scenario.url, scenario.tls);
        if (!tls) return tls.error();
        threads_.push_back(std::make_unique<HandshakeThread>(plan_, addresses_, std::move(*tls),
                                                             control_, share, shares));
    }
    std::vector<std::thread> running;
    for (const auto& thread : threads_) running.emplace_back([&t = *thread] { t.run(); });
    bool whole = wait_until(control_.window_from_ns);
    sample(server.at_window_start);
    whole = whole && wait_until(end_ns);
    if (!whole) {
        end_ns = std::min(end_ns, monotonic_ns());
        control_.end_ns.store(end_ns, std::memory_order_relaxed);
    }
    sample(server.at_window_end);
    for (std::thread& thread : running) thread.join();
    report.window = {control_.window_from_ns, end_ns};
    report.end_ns = monotonic_ns();
    report.server_seen = watch_->stop();
    report.scenario = scenario;
    report.url = std::string(scenario.url.tls ? "wss://" : "ws://") + plan_.host;
    report.window_s =
        static_cast<double>(std::max<std::int64_t>(0, end_ns - control_.window_from_ns)) / ns_per_s;
    report.interrupted = !whole;
    for (const auto& thread : threads_) {
        report.tally.merge(thread->tally());
        report.generator.add(thread->cost());
    }
    if (server_known_) report.server = server;
    return report;
}

bool HandshakeRun::wait_until(std::int64_t instant_ns) {
    for (std::int64_t now_ns = monotonic_ns(); now_ns < instant_ns; now_ns = monotonic_ns()) {
        if (interrupted_.load(std::memory_order_relaxed)) return false;
        tell(now_ns);
        sleep_until(std::min(instant_ns, now_ns + progress_every_ns));
    }
    return true;
}

void HandshakeRun::tell(std::int64_t now_ns) {
    if (progress_ == nullptr || now_ns < next_tell_ns_) return;
    next_tell_ns_ = now_ns + tell_every_ns;
    std::uint64_t done = 0;
    for (const auto& thread : threads_) done += thread->done();
    std::fprintf(progress_, "%llu handshakes done\n", static_cast<unsigned long long>(done));
}

}  // namespace

Checked<HandshakeReport> run_handshakes(const Scenario& scenario, const Target& target,
                                        std::FILE* progress, const std::atomic<bool>& interrupted) {
    if (const auto problem = scenario_problem(scenario)) return Problem{*problem};
    const auto addresses = prepare_network(scenario, scenario.connections);
    if (!addresses) return addresses.error();
    return HandshakeRun(scenario, target, *addresses, progress, interrupted).play();
}

}  // namespace parley::load
