#include "loadtest/crew_session.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/json.hpp>

#include "loadtest/clock.hpp"
#include "loadtest/run.hpp"
#include "loadtest/tally_json.hpp"
#include "loadtest/time_series_json.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

constexpr int look_ms = 20;
// Time for every worker to hear of an instant before it comes.
constexpr std::int64_t notice_ns = 300 * ns_per_ms;
// What a worker may take longer at the end than the scenario says.
constexpr std::int64_t end_ns_max = 60 * ns_per_s;

}  // namespace

CrewSession::CrewSession(const CommandLine& line, const CoordinatorConfig& config, int listener,
                         const std::atomic<bool>& interrupted)
    : line_(line),
      config_(config),
      listener_(listener),
      interrupted_(interrupted),
      size_(line.crew.size()),
      plan_(line.scenario, line.target),
      progress_(config.progress, line.scenario),
      server_(plan_.phases) {}

Checked<Report> CrewSession::play() {
    auto watch = ServerWatch::begin(line_.scenario);
    if (!watch) return watch.error();
    watch_ = std::move(*watch);
    server_.begin(*watch_);
    const bool whole = gather() && connect() && publish() && settle_books();
    progress_.finish();
    if (!whole) return problem();
    Report report = make_report();
    report.server_seen = watch_->stop();
    if (report.tally.opened == 0) {
        const Reasons& why = report.tally.failures;
        return Problem{"no connection became ready: " +
                       (why.empty() ? "no reason known" : why.begin()->first)};
    }
    return report;
}

// Everybody joins, and prepares.
bool CrewSession::gather() {
    if (!until(
            [this] { return everybody_is_here() && all([](const Worker& w) { return w.ready; }); },
            "gathering")) {
        return false;
    }
    begun_ = true;
    run_start_ns_ = monotonic_ns() + notice_ns;
    tell_all({{"type", "go"}, {"run_start_ns", run_start_ns_}});
    return true;
}

// The ramp: until everybody's connections are ready or failed, or time is up.
bool CrewSession::connect() {
    const Scenario& s = line_.scenario;
    const std::int64_t latest = run_start_ns_ + (s.ramp + s.settle).count();
    const auto settled = [&] {
        return all([](const Worker& w) { return w.settled; }) || monotonic_ns() >= latest;
    };
    if (!until(settled, "connecting")) return false;
    publish_start_ns_ = monotonic_ns() + notice_ns;
    deadline_ns_ = publish_start_ns_ + plan_.phases.length_ns() + s.drain.count() + end_ns_max;
    tell_all({{"type", "publish"}, {"start_ns", publish_start_ns_}});
    return true;
}

bool CrewSession::publish() {
    until_ns_ = plan_.phases.length_ns();
    for (const PhasePlan::Part& part : plan_.phases.parts()) {
        const auto over = [&] {
            const std::int64_t since = monotonic_ns() - publish_start_ns_;
            server_.look(since);
            if (!cut_short_ && interrupted_.load(std::memory_order_relaxed)) {
                cut_short_ = true;
                until_ns_ = std::clamp<std::int64_t>(since, 0, until_ns_);
                tell_all({{"type", "end"}});
            }
            return cut_short_ || since >= part.to_ns;
        };
        const bool named = !plan_.scenario.phases.empty();
        const std::string name = named ? part.name : part.measured ? "measuring" : "warming up";
        if (!until(over, name)) return false;
    }
    server_.end();
    return true;
}

bool CrewSession::settle_books() {
    return until([this] { return all([](const Worker& w) { return w.tallies.has_value(); }); },
                 "draining");
}

template <typename Holds>
bool CrewSession::all(Holds holds) const {
    return std::all_of(workers_.begin(), workers_.end(),
                       [&holds](const auto& worker) { return holds(*worker); });
}

template <typename Done>
bool CrewSession::until(Done done, const std::string& phase) {
    while (!problem_ && !done()) look(phase);
    return !problem_;
}

void CrewSession::look(const std::string& phase) {
    std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
    for (const auto& worker : workers_) {
        const bool unsent = worker->wire.unsent();
        waiting.push_back(
            {worker->wire.fd(), static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN), 0});
    }
    (void)::poll(waiting.data(), waiting.size(), look_ms);
    const std::int64_t now_ns = monotonic_ns();
    if (waiting.front().revents != 0) admit(now_ns);
    for (std::size_t i = 0; i < workers_.size() && !problem_; ++i) listen_to(i, now_ns);
    if (!everybody_is_here()) look_for_dead_children();
    if (books_changed_) join_books();
    if (now_ns > deadline_ns_) give_up("the workers did not end in time", true);
    if (!publish_start_ns_ && interrupted_.load(std::memory_order_relaxed)) {
        give_up("interrupted before all were connected: nothing was measured", false);
    }
    ProgressCounts sum;
    for (const auto& worker : workers_) {
        sum.ready += worker->counts.ready;
        sum.failed += worker->counts.failed;
        sum.published += worker->counts.published;
        sum.received += worker->counts.received;
    }
    if (begun_) progress_.update(phase, sum, now_ns);
}

void CrewSession::admit(std::int64_t now_ns) {
    FileDescriptor fd(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd.open()) return;
    if (everybody_is_here()) {
        MessageWire stranger(std::move(fd));
        stranger.send({{"type", "full"}});
        (void)stranger.pump();
        return;
    }
    workers_.push_back(std::make_unique<Worker>(std::move(fd)));
    workers_.back()->heard_ns = now_ns;
}

void CrewSession::listen_to(std::size_t index, std::int64_t now_ns) {
    Worker& worker = *workers_[index];
    if (worker.tallies) return;
    (void)worker.wire.pump();
    while (!problem_) {
        const auto message = worker.wire.take();
        if (!message) break;
        worker.heard_ns = now_ns;
        take(index, *message);
    }
    if (problem_ || worker.tallies) return;
    if (worker.wire.broken()) {
        return give_up(name_of(index) + " is lost: " + worker.wire.why(), begun_);
    }
    // Who is ready waits for the others in silence.
    if (worker.ready && !begun_) worker.heard_ns = now_ns;
    if (now_ns - worker.heard_ns > config_.silence_max.count()) {
        give_up(name_of(index) + " has said nothing for " +
                    std::to_string(config_.silence_max.count() / ns_per_ms) + " ms",
                begun_);
    }
}

void CrewSession::take(std::size_t index, const json::object& message) {
    Worker& worker = *workers_[index];
    const std::string_view type = type_of(message);
    if (type == "hello") return take_hello(worker, index, message);
    if (type == "failed") {
        return give_up(name_of(index) + ": " + text_in(message, "problem"), begun_);
    }
    if (!worker.welcome) return give_up(name_of(index) + " did not present itself", begun_);
    if (type == "ready") {
        worker.ready = true;
    } else if (type == "live") {
        worker.counts = {number_in(message, "ready").value_or(0),
                         number_in(message, "failed").value_or(0),
                         number_in(message, "published").value_or(0),
                         number_in(message, "received").value_or(0)};
        const json::value* const settled = message.if_contains("settled");
        worker.settled = settled != nullptr && settled->is_bool() && settled->get_bool();
    } else if (type == "books") {
        auto accepted = rooms_from_json(message, line_.scenario.rooms);
        if (!accepted) return give_up(name_of(index) + " keeps books that can't be read", true);
        const json::value* const drained = message.if_contains("drained");
        worker.accepted = std::move(*accepted);
        worker.drained = drained != nullptr && drained->is_bool() && drained->get_bool();
        worker.told_books = books_changed_ = true;
    } else if (type == "result") {
        take_result(worker, index, message);
    } else {
        give_up(name_of(index) + " said '" + std::string(type) + "', which no worker says", begun_);
    }
}

void CrewSession::take_hello(Worker& worker, std::size_t index, const json::object& message) {
    worker.pid = number_in(message, "pid").value_or(0);
    if (number_in(message, "protocol") != crew_protocol || worker.welcome) {
        return give_up(name_of(index) + " speaks another protocol: use one version of parley-load",
                       begun_);
    }
    json::array arguments;
    for (const std::string& argument : config_.arguments) arguments.emplace_back(argument);
    worker.wire.send({{"type", "welcome"},
                      {"protocol", crew_protocol},
                      {"worker", index},
                      {"workers", size_},
                      {"folder", config_.folder},
                      {"arguments", std::move(arguments)}});
    worker.welcome = true;
}

void CrewSession::take_result(Worker& worker, std::size_t index, const json::object& message) {
    const Scenario& s = line_.scenario;
    const json::value* const tallies = message.if_contains("tallies");
    const json::value* const cost = message.if_contains("cost");
    const json::value* const series = message.if_contains("series");
    const auto end_ns = number_in(message, "end_ns");
    if (tallies != nullptr && cost != nullptr && series != nullptr && end_ns) {
        worker.tallies =
            tallies_from_json(*tallies, tallies_count + s.personas.size(), s.phases.size());
        const auto read = cost_from_json(*cost);
        if (read) worker.cost = *read;
        worker.series = time_series_from_json(*series);
        worker.end_ns = static_cast<std::int64_t>(*end_ns);
        if (!read || !worker.series) worker.tallies.reset();
    }
    if (!worker.tallies) give_up(name_of(index) + " has a result that can't be read", true);
}

// Once everybody has sent its last message: tells each what the others' rooms were sent, again
// whenever that changes.
void CrewSession::join_books() {
    books_changed_ = false;
    if (!all([](const Worker& w) { return w.told_books; })) return;
    std::vector<std::uint64_t> sum(line_.scenario.rooms, 0);
    for (const auto& worker : workers_) {
        for (std::size_t room = 0; room < sum.size(); ++room) sum[room] += worker->accepted[room];
    }
    const bool drained = all([](const Worker& w) { return w.drained; });
    for (const auto& worker : workers_) {
        std::vector<std::uint64_t> others = sum;
        for (std::size_t room = 0; room < sum.size(); ++room)
            others[room] -= worker->accepted[room];
        worker->wire.send(
            {{"type", "others"}, {"accepted", rooms_to_json(others)}, {"drained", drained}});
    }
}

void CrewSession::look_for_dead_children() {
    for (const pid_t child : config_.children) {
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == child) {
            return give_up(
                "the worker with pid " + std::to_string(child) + " has ended before it joined",
                begun_);
        }
    }
}

void CrewSession::tell_all(const json::object& message) {
    for (const auto& worker : workers_) {
        worker->wire.send(message);
        (void)worker->wire.pump();
    }
}

void CrewSession::give_up(std::string why, bool incomplete) {
    if (problem_) return;
    problem_ = std::move(why);
    incomplete_ = incomplete;
}

std::string CrewSession::name_of(std::size_t index) const {
    const std::uint64_t pid = workers_[index]->pid;
    return "worker " + std::to_string(index + 1) + " of " + std::to_string(size_) +
           (pid != 0 ? " (pid " + std::to_string(pid) + ")" : "");
}

Report CrewSession::make_report() const {
    Report report = begin_report(plan_, plan_.phases, publish_start_ns_, until_ns_);
    report.interrupted = cut_short_;
    for (const auto& worker : workers_) {
        report.add(*worker->tallies);
        report.generator.add(worker->cost);
        report.series.merge(*worker->series);
        report.end_ns = std::max(report.end_ns, worker->end_ns);
    }
    report.server = server_.cost();
    return report;
}

}  // namespace parley::load
