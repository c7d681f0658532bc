#include "server/operation.hpp"

#include <algorithm>
#include <iterator>

#include "server/command_line.hpp"
#include "server/process_metrics.hpp"
#include "transports/log.hpp"

namespace parley::server {
namespace {

namespace log = transports::log;
namespace admin = transports::admin;
using std::chrono::steady_clock;

constexpr std::chrono::seconds tick_max{1};
// Of the time that systemd waits, so that one late tick does no harm.
constexpr int ticks_per_watchdog = 4;
constexpr std::uint64_t ticks_per_status = 10;

admin::MetricSource gauge(const char* name, const char* help, std::function<double()> read) {
    return {name, help, admin::MetricSource::Kind::gauge, [read = std::move(read)] {
                return std::vector<admin::Sample>{{{}, read()}};
            }};
}

}  // namespace

Operation::Operation(boost::asio::io_context& io, core::Hub& hub, transports::Admission& admission,
                     const ServerConfig& config)
    : hub_(&hub),
      connections_(&admission),
      stalled_after_(config.admin.stalled_after),
      timer_(io),
      tick_every_(tick_max),
      connections_max_(config.core.limits.connections),
      memory_max_(transports::AdmissionMarks(config.core.limits).memory),
      watch_(hub) {
    if (const auto watchdog = ServiceManager::watchdog()) {
        feeds_watchdog_ = true;
        tick_every_ = std::min<steady_clock::duration>(tick_every_, *watchdog / ticks_per_watchdog);
    }
    add_metrics(own_metrics());
    add_metrics(process_metrics());
}

void Operation::add_metrics(std::vector<admin::MetricSource> sources) {
    std::ranges::move(sources, std::back_inserter(sources_));
}

void Operation::listen(const ServerConfig& config, const std::vector<int>& inherited) {
    if (inherited.empty() && !config.admin.listen) return;
    admin_.emplace(config.transports,
                   admin::ServerView{hub_, &watch_, stalled_after_, [this] { return readiness(); },
                                     std::move(sources_)});
    const auto say = [](const Endpoint& endpoint, bool inherits) {
        log::info("listening", {{"address", format_endpoint(endpoint)},
                                {"listener", "admin"},
                                {"inherited", inherits}});
    };
    for (const int descriptor : inherited) say(admin_->listen_on(descriptor), true);
    if (inherited.empty()) say(admin_->listen(*config.admin.listen), false);
}

void Operation::serving() {
    if (admin_) admin_->start();
    systemd_.ready(status_text());
    tick();
}

void Operation::draining(std::string_view why) {
    draining_.store(true, std::memory_order_relaxed);
    systemd_.stopping(std::string("draining after ").append(why));
}

void Operation::reconfigured(const core::LimitsConfig& limits) noexcept {
    connections_max_.store(limits.connections, std::memory_order_relaxed);
    memory_max_.store(transports::AdmissionMarks(limits).memory, std::memory_order_relaxed);
}

void Operation::reload_begins() const {
    systemd_.reloading();
}

void Operation::reload_ended(bool well) {
    (well ? reloads_ : reloads_failed_).fetch_add(1, std::memory_order_relaxed);
    last_reload_well_.store(well, std::memory_order_relaxed);
    systemd_.ready(status_text());
}

void Operation::tick() {
    // Only where every shard has answered since the last tick: what hangs is to be restarted.
    if (feeds_watchdog_ && watch_.all_answered()) systemd_.alive();
    watch_.ask(core::monotonic_now());
    if (++ticks_ % ticks_per_status == 0) say_status();
    timer_.expires_after(tick_every_);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) tick();
    });
}

void Operation::say_status() const {
    if (!draining_.load(std::memory_order_relaxed)) systemd_.status(status_text());
}

std::string Operation::status_text() const {
    return "serving " + std::to_string(connections_->now()) + " connections on " +
           std::to_string(hub_->shard_count()) + " shards";
}

admin::Readiness Operation::readiness() const noexcept {
    if (draining_.load(std::memory_order_relaxed)) return admin::Readiness::draining;
    const bool full = connections_->overloaded({connections_max_.load(std::memory_order_relaxed),
                                                memory_max_.load(std::memory_order_relaxed)},
                                               core::monotonic_now());
    if (full) return admin::Readiness::overloaded;
    return hub_->takes_messages() ? admin::Readiness::ready : admin::Readiness::history_unavailable;
}

std::vector<admin::MetricSource> Operation::own_metrics() {
    using SourceKind = admin::MetricSource::Kind;
    const auto begun = steady_clock::time_point(core::monotonic_now());
    return {
        {"parley_build_info", "1, with the version of the program.", SourceKind::gauge,
         [] {
             return std::vector<admin::Sample>{{{{"version", std::string(version())}}, 1}};
         }},
        gauge("parley_uptime_seconds", "Since the start.",
              [begun] {
                  return std::chrono::duration<double>(core::monotonic_now() - begun).count();
              }),
        gauge("parley_ready", "1 where new sessions are welcome, 0 while draining or overloaded.",
              [this] { return readiness() == admin::Readiness::ready ? 1.0 : 0.0; }),
        gauge("parley_connections", "Connections that are open, all transports.",
              [this] { return static_cast<double>(connections_->now()); }),
        gauge("parley_connections_limit", "limits.connections as it is in force.",
              [this] {
                  return static_cast<double>(connections_max_.load(std::memory_order_relaxed));
              }),
        gauge("parley_shards", "Threads that serve.",
              [this] { return static_cast<double>(hub_->shard_count()); }),
        {"parley_config_reloads_total", "Reloads of the configuration (SIGHUP), by result.",
         SourceKind::counter,
         [this] {
             const auto sample = [](const char* result, const std::atomic<std::uint64_t>& count) {
                 return admin::Sample{{{"result", result}},
                                      static_cast<double>(count.load(std::memory_order_relaxed))};
             };
             return std::vector<admin::Sample>{sample("applied", reloads_),
                                               sample("failed", reloads_failed_)};
         }},
        gauge("parley_config_last_reload_successful",
              "1 where the last reload was applied whole, and before the first.",
              [this] { return last_reload_well_.load(std::memory_order_relaxed) ? 1.0 : 0.0; }),
    };
}

}  // namespace parley::server
