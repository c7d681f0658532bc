// The phases of a LoadThread's life, in the order in which they come: opening along the ramp,
// publishing and churning, draining, saying goodbye.
#include <algorithm>

#include "loadtest/clock.hpp"
#include "loadtest/load_thread.hpp"

namespace parley::load {
namespace {

constexpr std::size_t opened_a_turn = 64;
constexpr std::int64_t slow_read_every_ns = 100 * ns_per_ms;
constexpr std::size_t slow_read_bytes = 1024;
// A slow reader that is let go at the end has read all when nothing came for this long.
constexpr std::int64_t slow_quiet_ns = 300 * ns_per_ms;
constexpr std::int64_t check_every_ns = 10 * ns_per_ms;
constexpr std::int64_t goodbye_ns_max = 2 * ns_per_s;
constexpr std::int64_t churn_goodbye_ns_max = ns_per_s;

}  // namespace

void LoadThread::open_due(std::int64_t now_ns) {
    const Scenario& scenario = context_.plan.scenario;
    const double ramp_ns = static_cast<double>(scenario.ramp.count());
    for (std::size_t n = 0; n < opened_a_turn && opened_ < clients_.size(); ++n, ++opened_) {
        WebSocketClient& client = clients_[opened_];
        const double place =
            static_cast<double>(client.user().index()) / static_cast<double>(scenario.connections);
        if (now_ns < run_start_ns_ + static_cast<std::int64_t>(place * ramp_ns)) return;
        client.open(addresses_, epoll_.get(), now_ns, true, context_);
    }
}

void LoadThread::begin_publishing(std::int64_t start_ns) {
    const Scenario& scenario = context_.plan.scenario;
    for (; opened_ < clients_.size(); ++opened_) ++context_.tally.failed;
    for (WebSocketClient& client : clients_) {
        if (client.connected() && client.user().state() != VirtualUser::State::ready) {
            client.abandon("not ready within " + format_duration(scenario.settle), context_);
        }
    }
    publish_end_ns_ = start_ns + (scenario.warmup + scenario.duration).count();
    context_.tally.window_from_ns = start_ns + scenario.warmup.count();
    context_.tally.window_to_ns = publish_end_ns_;
    pacer_.emplace(PacerConfig{start_ns, publish_end_ns_, scenario.rate_per_s,
                               scenario.publishers(), share_, shares_});
    next_slow_read_ns_ = start_ns;
    if (!churners_.empty()) next_churn_ns_ = start_ns + churn_every_ns_;
    phase_ = Phase::publishing;
}

void LoadThread::publish_due(std::int64_t now_ns) {
    while (const auto tick = pacer_->take(now_ns)) {
        WebSocketClient& client = client_of(tick->publisher);
        Tally& tally = context_.tally;
        if (tally.in_window(tick->intended_ns)) {
            tally.pacing_lag.record(now_ns - tick->intended_ns);
        }
        if (client.user().state() != VirtualUser::State::ready || client.backlogged()) {
            ++tally.withheld;
            continue;
        }
        if (client.unsent() == 0) unflushed_.push_back(tick->publisher);
        client.publish(tick->intended_ns, context_);
        control_.published[tick->publisher].store(client.user().published(),
                                                  std::memory_order_relaxed);
    }
    for (const std::uint32_t user : unflushed_) client_of(user).flush(epoll_.get(), context_);
    unflushed_.clear();
}

void LoadThread::churn_due(std::int64_t now_ns) {
    for (; now_ns >= next_churn_ns_; next_churn_ns_ += churn_every_ns_) {
        // Those who are still coming back are passed over; after a whole round nobody is left.
        for (std::size_t tried = 0; tried < churners_.size(); ++tried) {
            WebSocketClient& client = client_of(churners_[next_churner_]);
            next_churner_ = (next_churner_ + 1) % churners_.size();
            if (client.user().state() != VirtualUser::State::ready) continue;
            client.user().settle(std::nullopt, context_);
            client.leave(context_);
            client.flush(epoll_.get(), context_);
            ++context_.tally.churned;
            leavers_.push_back({client.user().index(), now_ns + churn_goodbye_ns_max});
            break;
        }
    }
}

void LoadThread::finish_leaving(std::int64_t now_ns) {
    std::erase_if(leavers_, [this, now_ns](const Leaver& leaver) {
        WebSocketClient& client = client_of(leaver.user);
        if (client.connected() && now_ns < leaver.until_ns) return false;
        if (client.connected()) client.abandon({}, context_);
        client.open(addresses_, epoll_.get(), now_ns, false, context_);
        return true;
    });
}

void LoadThread::read_slowly(std::int64_t now_ns) {
    if (now_ns < next_slow_read_ns_) return;
    next_slow_read_ns_ = now_ns + slow_read_every_ns;
    for (const std::uint32_t user : slow_) {
        WebSocketClient& client = client_of(user);
        if (!client.connected()) continue;
        client.on_readable(std::span(buffer_).first(slow_read_bytes), &monotonic_ns, epoll_.get(),
                           context_);
    }
}

void LoadThread::finish_publishing(std::int64_t now_ns) {
    const std::int64_t interrupted = control_.publish_end_ns.load(std::memory_order_relaxed);
    if (interrupted < publish_end_ns_) {
        publish_end_ns_ = interrupted;
        pacer_->end_at(interrupted);
        context_.tally.window_to_ns = std::max(interrupted, context_.tally.window_from_ns);
    }
    if (now_ns < publish_end_ns_ || pacer_->next_ns() != never_ns) return;
    // Pairs with the acquire in check_drained(): whoever sees this sees what was published.
    control_.threads_published.fetch_add(1, std::memory_order_release);
    phase_ = Phase::draining;
    phase_until_ns_ = now_ns + context_.plan.scenario.drain.count();
    last_slow_arrival_ns_ = now_ns;
    for (const std::uint32_t user : slow_) client_of(user).watch_reads(true, epoll_.get());
}

void LoadThread::check_drained(std::int64_t now_ns) {
    if (now_ns < next_check_ns_) return;
    next_check_ns_ = now_ns + check_every_ns;
    if (control_.threads_published.load(std::memory_order_acquire) < shares_) return;
    count_accepted();
    if (!drained_ && (now_ns >= phase_until_ns_ || everything_arrived(now_ns))) {
        drained_ = true;
        control_.threads_drained.fetch_add(1, std::memory_order_relaxed);
    }
    // Nobody leaves while another thread's members may still have to be served by us.
    if (drained_ && control_.threads_drained.load(std::memory_order_relaxed) == shares_) {
        say_goodbye(now_ns);
    }
}

void LoadThread::count_accepted() {
    const Scenario& scenario = context_.plan.scenario;
    accepted_.resize(scenario.rooms);
    for (std::uint32_t room = 0; room < scenario.rooms; ++room) {
        accepted_[room] = control_.accepted_in(scenario, room);
    }
}

std::uint64_t LoadThread::due_to(const VirtualUser& user) const {
    const std::uint64_t all = accepted_[context_.plan.scenario.room_of(user.index())];
    if (context_.plan.target.echo) return all;
    return all - (user.published() - user.refused());
}

bool LoadThread::everything_arrived(std::int64_t now_ns) const {
    if (!slow_.empty() && now_ns < last_slow_arrival_ns_ + slow_quiet_ns) return false;
    return leavers_.empty() &&
           std::all_of(clients_.begin(), clients_.end(), [this](const WebSocketClient& client) {
               const VirtualUser& user = client.user();
               if (client.unsent() > 0) return false;
               if (!client.connected() || user.slow()) return true;
               if (user.full_member()) return user.accounted() >= due_to(user);
               return user.state() == VirtualUser::State::ready;
           });
}

void LoadThread::say_goodbye(std::int64_t now_ns) {
    count_accepted();
    for (WebSocketClient& client : clients_) {
        VirtualUser& user = client.user();
        if (user.state() == VirtualUser::State::ready) {
            const bool held_to_all = user.full_member() && phase_ == Phase::draining;
            user.settle(held_to_all ? std::optional(due_to(user)) : std::nullopt, context_);
            client.leave(context_);
            client.flush(epoll_.get(), context_);
            client.watch_reads(true, epoll_.get());
        } else if (client.connected()) {
            client.abandon("not ready when the run ended", context_);
        }
    }
    phase_ = Phase::leaving;
    phase_until_ns_ = now_ns + goodbye_ns_max;
}

}  // namespace parley::load
