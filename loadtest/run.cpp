#include "loadtest/run.hpp"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "loadtest/clock.hpp"
#include "loadtest/control.hpp"
#include "loadtest/find_max_run.hpp"
#include "loadtest/load_thread.hpp"
#include "loadtest/network.hpp"
#include "loadtest/phase_watch.hpp"
#include "loadtest/progress.hpp"
#include "loadtest/server_watch.hpp"

namespace parley::load {
namespace {

constexpr std::int64_t watch_run_every_ns = 20 * ns_per_ms;
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

// What was counted while the connections were opened, before anything was published.
Tally opening_of(const Tally& tally) {
    Tally opening;
    opening.handshake = tally.handshake;
    opening.opened = tally.opened;
    opening.failed = tally.failed;
    opening.resumed_tls = tally.resumed_tls;
    return opening;
}

// Connections beside those of the scenario, at most: senders, and the second ones of those who post
// while they poll.
std::uint64_t further_connections(const Scenario& scenario) {
    return std::uint64_t{scenario.senders} +
           (scenario.mix.has(Transport::socketio_polling) ? scenario.publishers() : 0);
}

// All connections of this process at once, at most.
std::uint64_t connections_here(const Scenario& scenario) {
    const unsigned processes = scenario.split.of;
    return (scenario.connections + further_connections(scenario)) / processes + processes;
}

class Run {
public:
    Run(const Scenario& scenario, const Target& target, const Addresses& addresses,
        std::FILE* progress, const std::atomic<bool>& interrupted, RunLead* lead)
        : plan_(scenario, target),
          addresses_(addresses),
          control_(scenario),
          progress_(progress, scenario),
          interrupted_(interrupted),
          lead_(lead),
          timeline_(plan_.phases),
          server_(timeline_) {}

    Checked<Report> play();

private:
    [[nodiscard]] bool await_ready(std::int64_t ramp_start_ns);
    void begin_pass(PhasePlan timeline, double rate_per_s);
    void await_end();
    void await_rest();
    Report play_step(std::chrono::nanoseconds window, double rate_per_s);
    void keep_opening();
    // Sleeps a little, shows progress; true once the run was interrupted.
    bool look(const char* phase);
    [[nodiscard]] bool all_settled() const;
    [[nodiscard]] bool all_drained() const;
    void exchange(const ProgressCounts& counts);
    [[nodiscard]] Report report_head() const;
    [[nodiscard]] Report make_report() const;
    [[nodiscard]] Report make_step_report() const;

    Plan plan_;
    const Addresses& addresses_;
    Control control_;
    Progress progress_;
    const std::atomic<bool>& interrupted_;
    std::vector<std::unique_ptr<LoadThread>> threads_;
    RunLead* lead_;
    PhasePlan timeline_;  // of the pass at hand
    std::unique_ptr<ServerWatch> watch_;
    PhaseWatch server_;
    std::int64_t publish_start_ns_ = 0;
    std::int64_t until_ns_ = 0;  // since then
    std::int64_t drained_ns_ = 0;
    bool cut_short_ = false;
    unsigned passes_ = 0;  // begun
    // Of a search: what the opening counted, and what came out.
    std::vector<Tally> opening_ = std::vector<Tally>(tallies_count);
    std::optional<Report> found_;
};

Checked<Report> Run::play() {
    auto watch = ServerWatch::begin(plan_.scenario);
    if (!watch) return watch.error();
    watch_ = std::move(*watch);
    server_.begin(*watch_);
    const auto agreed = lead_ != nullptr ? lead_->await_start() : monotonic_ns();
    if (!agreed) return agreed.error();
    const std::int64_t start_ns = *agreed;
    const Split& split = plan_.scenario.split;
    const unsigned shares = plan_.scenario.shares();
    const unsigned threads = shares / split.of;
    for (unsigned share = split.index * threads; share < (split.index + 1) * threads; ++share) {
        auto tls = TlsContext::make(plan_.scenario.url, plan_.scenario.tls);
        if (!tls) return tls.error();
        threads_.push_back(std::make_unique<LoadThread>(
            plan_, addresses_, std::move(*tls), control_, share, shares, threads, start_ns));
    }
    std::vector<std::thread> running;
    for (const auto& thread : threads_) running.emplace_back([&t = *thread] { t.run(); });
    const bool ready = await_ready(start_ns);
    if (ready && plan_.scenario.find_max) {
        found_ = find_max(
            plan_.scenario,
            [this](std::chrono::nanoseconds window, double rate_per_s) {
                return play_step(window, rate_per_s);
            },
            progress_, interrupted_);
        control_.abort.store(true, std::memory_order_relaxed);
    } else if (ready) {
        begin_pass(plan_.phases, plan_.scenario.rate_per_s);
        await_end();
    }
    const bool deserted = lead_ != nullptr && lead_->given_up();
    if (!ready || deserted) control_.abort.store(true, std::memory_order_relaxed);
    for (std::thread& thread : running) thread.join();
    progress_.finish();
    if (deserted) return Problem{"the coordinator is gone", true};
    if (!ready) return Problem{"interrupted before all were connected: nothing was measured"};
    Report report = found_ ? std::move(*found_) : make_report();
    if (found_) report.interrupted |= interrupted_.load(std::memory_order_relaxed);
    for (const auto& thread : threads_) report.series.merge(thread->series());
    // The series goes on through all passes; a search's report is of one.
    report.end_ns = drained_ns_;
    report.server_seen = watch_->stop();
    if (report.tally.opened == 0 && lead_ == nullptr) {
        const Reasons& why = report.tally.failures;
        return Problem{"no connection became ready: " +
                       (why.empty() ? "no reason known" : why.begin()->first)};
    }
    return report;
}

bool Run::look(const char* phase) {
    sleep_until(monotonic_ns() + watch_run_every_ns);
    ProgressCounts counts;
    for (const auto& thread : threads_) {
        const Live& live = thread->live();
        counts.ready += live.ready.load(std::memory_order_relaxed);
        counts.failed += live.failed.load(std::memory_order_relaxed);
        counts.published += live.published.load(std::memory_order_relaxed);
        counts.received += live.received.load(std::memory_order_relaxed);
    }
    progress_.update(phase, counts, monotonic_ns());
    if (lead_ == nullptr) return interrupted_.load(std::memory_order_relaxed);
    exchange(counts);
    return lead_->interrupted() || lead_->given_up();
}

void Run::exchange(const ProgressCounts& counts) {
    const std::size_t threads = threads_.size();
    const RunStatus status{counts, all_settled(),
                           control_.threads_published.load(std::memory_order_acquire) == threads,
                           control_.threads_drained.load(std::memory_order_acquire) == threads};
    lead_->exchange(status, plan_.scenario, control_);
}

bool Run::all_drained() const {
    return control_.threads_drained.load(std::memory_order_acquire) == threads_.size() * passes_ &&
           control_.others_drained.load(std::memory_order_relaxed);
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
    const auto waits = [&] {
        if (lead_ != nullptr) return lead_->publish_start_ns() == 0;
        return !all_settled() && monotonic_ns() < deadline_ns;
    };
    while (waits()) {
        if (look("connecting")) return false;
    }
    return true;
}

void Run::begin_pass(PhasePlan timeline, double rate_per_s) {
    ++passes_;
    if (passes_ > 1) control_.begin_books();
    timeline_ = std::move(timeline);
    server_.begin_pass();
    publish_start_ns_ =
        lead_ != nullptr ? lead_->publish_start_ns() : monotonic_ns() + start_notice_ns;
    control_.pass = {publish_start_ns_, timeline_.window_from_ns(),
                     timeline_.length_ns() - timeline_.window_from_ns(), rate_per_s};
    control_.publish_start_ns.store(publish_start_ns_, std::memory_order_release);
}

void Run::await_end() {
    for (const PhasePlan::Part& part : timeline_.parts()) {
        const std::string name =
            plan_.scenario.phases.empty() ? part.measured ? "measuring" : "warming up" : part.name;
        while (!cut_short_ && monotonic_ns() < publish_start_ns_ + part.to_ns) {
            cut_short_ = look(name.c_str());
            server_.look(monotonic_ns() - publish_start_ns_);
        }
    }
    until_ns_ = timeline_.length_ns();
    if (cut_short_) {
        const std::int64_t now_ns = monotonic_ns();
        control_.publish_end_ns.store(now_ns, std::memory_order_relaxed);
        until_ns_ = std::min(until_ns_, std::max<std::int64_t>(0, now_ns - publish_start_ns_));
    }
    server_.end();
    while (!all_drained() && !(lead_ != nullptr && lead_->given_up())) look("draining");
    drained_ns_ = monotonic_ns();
}

void Run::await_rest() {
    while (control_.threads_rested.load(std::memory_order_acquire) < threads_.size() * passes_) {
        look("reconnecting");
    }
}

Report Run::play_step(std::chrono::nanoseconds window, double rate_per_s) {
    Scenario step = plan_.scenario;
    step.warmup = plan_.scenario.find_max->step / 4;
    step.duration = window;
    begin_pass(PhasePlan(step), rate_per_s);
    await_end();
    await_rest();
    if (passes_ == 1) keep_opening();
    Report report = make_step_report();
    report.scenario.rate_per_s = rate_per_s;
    return report;
}

void Run::keep_opening() {
    for (const auto& thread : threads_) {
        const std::vector<Tally>& counted = thread->pass_books().tallies;
        for (std::size_t i = 0; i < counted.size(); ++i) opening_[i].merge(opening_of(counted[i]));
    }
}

// Of the pass that has just ended, as of a run of its own.
Report Run::make_step_report() const {
    Report report = report_head();
    if (passes_ > 1) report.add(opening_);
    for (const auto& thread : threads_) {
        report.add(thread->pass_books().tallies);
        report.generator.add(thread->pass_books().cost);
    }
    return report;
}

Report Run::make_report() const {
    Report report = report_head();
    for (const auto& thread : threads_) {
        report.add(thread->tallies());
        report.generator.add(thread->cost());
    }
    return report;
}

// Everything but what the threads have counted: they may still be at it.
Report Run::report_head() const {
    Report report = begin_report(plan_, timeline_, publish_start_ns_, until_ns_);
    report.end_ns = drained_ns_;
    report.interrupted = cut_short_ || interrupted_.load(std::memory_order_relaxed);
    report.server = server_.cost();
    return report;
}

}  // namespace

Report begin_report(const Plan& plan, const PhasePlan& timeline, std::int64_t start_ns,
                    std::int64_t until_ns) {
    Report report;
    report.scenario = plan.scenario;
    report.target = plan.speaks_socketio() ? plan.socketio.name : plan.target.name;
    report.url = describe_url(plan);
    report.window_s = static_cast<double>(timeline.measured_ns(until_ns)) / ns_per_s;
    report.window = {start_ns + std::min(until_ns, timeline.window_from_ns()),
                     start_ns + std::min(until_ns, timeline.window_to_ns())};
    if (!plan.scenario.phases.empty()) report.phases = plan.phases.parts();
    for (PhasePlan::Part& part : report.phases) {
        part.from_ns = std::min(part.from_ns, until_ns);
        part.to_ns = std::min(part.to_ns, until_ns);
    }
    return report;
}

Checked<Report> run(const Scenario& scenario, const Target& target, std::FILE* progress,
                    const std::atomic<bool>& interrupted, RunLead* lead) {
    if (const auto problem = scenario_problem(scenario)) return Problem{*problem};
    const auto addresses = prepare_network(scenario, connections_here(scenario));
    if (!addresses) return addresses.error();
    return Run(scenario, target, *addresses, progress, interrupted, lead).play();
}

}  // namespace parley::load
