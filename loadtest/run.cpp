#include "loadtest/run.hpp"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "loadtest/clock.hpp"
#include "loadtest/control.hpp"
#include "loadtest/load_thread.hpp"
#include "loadtest/network.hpp"
#include "loadtest/progress.hpp"

namespace parley::load {
namespace {

constexpr std::int64_t look_every_ns = 20 * ns_per_ms;
// Time for every thread to hear of the start before the first message is due.
constexpr std::int64_t start_notice_ns = 50 * ns_per_ms;

// The scheme and the path of what is spoken; of a mix, of what stands first here.
std::string describe_url(const Plan& plan) {
    const Mix& mix = plan.scenario.mix;
    const bool websocket = mix.has(Transport::websocket);
    const bool socketio = mix.has(Transport::socketio);
    std::string url = websocket || socketio ? "ws" : "http";
    url += plan.scenario.url.tls ? "s://" : "://";
    url += plan.host;
    if (websocket) return url + plan.target.path;
    return url + (plan.speaks_socketio() ? plan.socketio.path : "/api/v1");
}

// Connections beside those of the scenario, at most: senders, and the second ones of those who post
// while they poll.
std::uint64_t further_connections(const Scenario& scenario) {
    return std::uint64_t{scenario.senders} +
           (scenario.mix.has(Transport::socketio_polling) ? scenario.publishers() : 0);
}

class Run {
public:
    Run(const Scenario& scenario, const Target& target, const Addresses& addresses,
        std::FILE* progress, const std::atomic<bool>& interrupted)
        : plan_(scenario, target),
          addresses_(addresses),
          control_(scenario),
          progress_(progress, scenario),
          interrupted_(interrupted) {}

    Checked<Report> play();

private:
    [[nodiscard]] bool await_ready(std::int64_t ramp_start_ns);
    void await_end();
    // Sleeps a little, shows progress; true once the run was interrupted.
    bool look(const char* phase);
    [[nodiscard]] bool all_settled() const;
    [[nodiscard]] ServerSample sample() const {
        return sample_server(plan_.scenario.server_pid).value_or(ServerSample{});
    }
    [[nodiscard]] Report make_report() const;

    Plan plan_;
    const Addresses& addresses_;
    Control control_;
    Progress progress_;
    const std::atomic<bool>& interrupted_;
    std::vector<std::unique_ptr<LoadThread>> threads_;
    ServerCost server_;
    std::int64_t window_from_ns_ = 0;
    std::int64_t window_to_ns_ = 0;
};

Checked<Report> Run::play() {
    if (plan_.scenario.server_pid != 0) {
        const auto before = sample_server(plan_.scenario.server_pid);
        if (!before) {
            return Problem{"--server-pid " + std::to_string(plan_.scenario.server_pid) +
                           ": there is no such process"};
        }
        server_.before_ramp = *before;
    }
    const std::int64_t start_ns = monotonic_ns();
    const unsigned shares = std::min(plan_.scenario.threads, plan_.scenario.connections);
    for (unsigned share = 0; share < shares; ++share) {
        auto tls = TlsContext::make(plan_.scenario.url, plan_.scenario.tls);
        if (!tls) return tls.error();
        threads_.push_back(std::make_unique<LoadThread>(plan_, addresses_, std::move(*tls),
                                                        control_, share, shares, start_ns));
    }
    std::vector<std::thread> running;
    for (const auto& thread : threads_) running.emplace_back([&t = *thread] { t.run(); });
    const bool ready = await_ready(start_ns);
    if (ready) {
        await_end();
    } else {
        control_.abort.store(true, std::memory_order_relaxed);
    }
    for (std::thread& thread : running) thread.join();
    progress_.finish();
    if (!ready) return Problem{"interrupted before all were connected: nothing was measured"};
    Report report = make_report();
    if (report.tally.opened == 0) {
        const Reasons& why = report.tally.failures;
        return Problem{"no connection became ready: " +
                       (why.empty() ? "no reason known" : why.begin()->first)};
    }
    return report;
}

bool Run::look(const char* phase) {
    sleep_until(monotonic_ns() + look_every_ns);
    ProgressCounts counts;
    for (const auto& thread : threads_) {
        const Live& live = thread->live();
        counts.ready += live.ready.load(std::memory_order_relaxed);
        counts.failed += live.failed.load(std::memory_order_relaxed);
        counts.published += live.published.load(std::memory_order_relaxed);
        counts.received += live.received.load(std::memory_order_relaxed);
    }
    progress_.update(phase, counts, monotonic_ns());
    return interrupted_.load(std::memory_order_relaxed);
}

bool Run::all_settled() const {
    return std::all_of(threads_.begin(), threads_.end(), [](const auto& thread) {
        const Live& live = thread->live();
        return live.ready.load(std::memory_order_relaxed) +
                   live.failed.load(std::memory_order_relaxed) >=
               thread->connections();
    });
}

bool Run::await_ready(std::int64_t ramp_start_ns) {
    const Scenario& scenario = plan_.scenario;
    const std::int64_t deadline_ns = ramp_start_ns + (scenario.ramp + scenario.settle).count();
    while (!all_settled() && monotonic_ns() < deadline_ns) {
        if (look("connecting")) return false;
    }
    const std::int64_t start_ns = monotonic_ns() + start_notice_ns;
    window_from_ns_ = start_ns + scenario.warmup.count();
    window_to_ns_ = window_from_ns_ + scenario.duration.count();
    control_.publish_start_ns.store(start_ns, std::memory_order_release);
    return true;
}

void Run::await_end() {
    bool interrupted = false;
    while (!interrupted && monotonic_ns() < window_from_ns_) interrupted = look("warming up");
    server_.at_window_start = sample();
    while (!interrupted && monotonic_ns() < window_to_ns_) interrupted = look("measuring");
    if (interrupted) {
        const std::int64_t now_ns = monotonic_ns();
        control_.publish_end_ns.store(now_ns, std::memory_order_relaxed);
        window_to_ns_ = std::max(window_from_ns_, std::min(window_to_ns_, now_ns));
    }
    server_.at_window_end = sample();
    const auto drained = [this] {
        return control_.threads_drained.load(std::memory_order_acquire) == threads_.size();
    };
    while (!drained()) look("draining");
}

Report Run::make_report() const {
    Report report;
    report.scenario = plan_.scenario;
    report.target = plan_.speaks_socketio() ? plan_.socketio.name : plan_.target.name;
    report.url = describe_url(plan_);
    report.window_s = static_cast<double>(window_to_ns_ - window_from_ns_) / ns_per_s;
    report.interrupted = interrupted_.load(std::memory_order_relaxed);
    for (const auto& thread : threads_) {
        report.add(thread->tallies());
        report.generator.add(thread->cost());
    }
    if (plan_.scenario.server_pid != 0) report.server = server_;
    return report;
}

}  // namespace

Checked<Report> run(const Scenario& scenario, const Target& target, std::FILE* progress,
                    const std::atomic<bool>& interrupted) {
    if (const auto problem = scenario_problem(scenario)) return Problem{*problem};
    const auto addresses =
        prepare_network(scenario, scenario.connections + further_connections(scenario));
    if (!addresses) return addresses.error();
    return Run(scenario, target, *addresses, progress, interrupted).play();
}

}  // namespace parley::load
