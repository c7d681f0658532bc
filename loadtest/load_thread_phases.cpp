// The phases of a LoadThread's life, in the order in which they come: opening along the ramp,
// publishing and churning, draining, saying goodbye.
#include <algorithm>
#include <optional>

#include "loadtest/clock.hpp"
#include "loadtest/load_thread.hpp"

namespace parley::load {
namespace {

constexpr std::size_t opened_a_phase_turn = 64;
// A slow reader that is let go at the end has read all when nothing came for this long.
constexpr std::int64_t slow_quiet_ns = 300 * ns_per_ms;
constexpr std::int64_t check_every_ns = 10 * ns_per_ms;
constexpr std::int64_t phase_goodbye_ns_max = 2 * ns_per_s;

}  // namespace

void LoadThread::open_due(std::int64_t now_ns) {
    const Scenario& scenario = plan().scenario;
    const double ramp_ns = static_cast<double>(scenario.ramp.count());
    const std::uint32_t first = plan().phases.connections_at_first();
    for (std::size_t n = 0; n < opened_a_phase_turn && !all_opened(); ++n) {
        // Senders come last, together.
        const bool user = opened_ < first_users_;
        Client& client = clients_[user ? opened_ : senders_from_ + senders_opened_];
        const double place = static_cast<double>(std::min(client.user().index(), first)) /
                             static_cast<double>(first);
        if (now_ns < run_start_ns_ + static_cast<std::int64_t>(place * ramp_ns)) return;
        client.open(now_ns, true, context_);
        ++(user ? opened_ : senders_opened_);
    }
}

void LoadThread::begin_publishing() {
    const Scenario& scenario = plan().scenario;
    const auto count_unopened = [this](Client& client) {
        ++client.user().tally(context_.users).failed;
    };
    for (; opened_ < first_users_; ++opened_) count_unopened(clients_[opened_]);
    for (; senders_from_ + senders_opened_ < clients_.size(); ++senders_opened_) {
        count_unopened(clients_[senders_from_ + senders_opened_]);
    }
    for (Client& client : clients_) {
        if (client.connected() && client.user().state() != VirtualUser::State::ready) {
            client.abandon("not ready within " + format_duration(scenario.settle), context_);
        }
    }
    begin_pass();
    for (ChurnGroup& group : churn_) group.next_ns = publish_start_ns_ + group.every_ns;
}

void LoadThread::publish_due(std::int64_t now_ns) {
    while (const auto tick = pacer_->take(now_ns)) {
        Tally& tally = client_of(tick->publisher).user().tally(context_.users);
        if (tally.in_window(tick->intended_ns)) {
            tally.pacing_lag.record(now_ns - tick->intended_ns);
            expect_deliveries(tick->publisher, tally);
        }
        publish(tick->publisher, tick->intended_ns);
    }
    flush_published();
}

void LoadThread::flush_published() {
    for (const std::uint32_t user : unflushed_) client_of(user).flush(context_);
    unflushed_.clear();
}

void LoadThread::publish(std::uint32_t publisher, std::int64_t intended_ns) {
    const VirtualUser& user = client_of(publisher).user();
    Client& carrier = carrier_of(publisher);
    Tally& tally = user.tally(context_.users);
    constexpr auto ready = VirtualUser::State::ready;
    PhaseTally* const phase = tally.phase_at(intended_ns);
    if (user.state() != ready || carrier.user().state() != ready || carrier.backlogged()) {
        ++tally.withheld;
        if (phase != nullptr) ++phase->withheld;
        return;
    }
    if (phase != nullptr) ++phase->published;
    auto& published = control_.published[publisher];
    const std::uint32_t sequence = published.load(std::memory_order_relaxed) + 1;
    const bool was_flushed = carrier.unsent() == 0;
    carrier.publish({intended_ns, publisher, sequence}, context_);
    published.store(sequence, std::memory_order_relaxed);
    ++tally.published;
    if (tally.in_window(intended_ns)) ++tally.published_in_window;
    if (was_flushed && carrier.unsent() > 0) unflushed_.push_back(carrier.user().index());
}

// Closed loop: whoever has no message on its way sends one.
void LoadThread::publish_at_once(std::int64_t now_ns) {
    if (!plan().scenario.rate_max) return;
    if (now_ns < publish_start_ns_ || now_ns >= publish_end_ns_) return;
    for (const Client& client : clients_) {
        const VirtualUser& user = client.user();
        if (user.state() == VirtualUser::State::ready && user.pending() == 0) {
            publish(user.index(), now_ns);
        }
    }
    flush_published();
}

void LoadThread::finish_publishing(std::int64_t now_ns) {
    const std::int64_t interrupted = control_.publish_end_ns.load(std::memory_order_relaxed);
    if (interrupted < publish_end_ns_) {
        publish_end_ns_ = interrupted;
        pacer_->end_at(interrupted);
        for (Tally& tally : context_.users.tallies) tally.end_at(interrupted);
    }
    if (now_ns < publish_end_ns_ || pacer_->next_ns() != never_ns) return;
    // Pairs with the acquire in check_drained(): whoever sees this sees what was published.
    control_.threads_published.fetch_add(1, std::memory_order_release);
    phase_ = Phase::draining;
    phase_until_ns_ = now_ns + plan().scenario.drain.count();
    last_slow_arrival_ns_ = now_ns;
    for (const SlowReaders::Group& group : slow_.groups()) {
        for (const std::uint32_t user : group.users) client_of(user).watch_reads(true, context_);
    }
}

void LoadThread::check_drained(std::int64_t now_ns) {
    if (now_ns < next_check_ns_) return;
    next_check_ns_ = now_ns + check_every_ns;
    if (control_.threads_published.load(std::memory_order_acquire) < threads_ * passes_ ||
        !control_.others_published.load(std::memory_order_acquire)) {
        return;
    }
    count_accepted();
    if (!drained_ && (now_ns >= phase_until_ns_ || everything_arrived(now_ns))) {
        drained_ = true;
        for (Client& client : clients_) client.user().give_up(context_.users);
        // Pairs with the acquire below: whoever sees this sees what will never be said.
        control_.threads_drained.fetch_add(1, std::memory_order_release);
    }
    // Nobody leaves while another thread's members may still have to be served by us.
    if (!drained_ ||
        control_.threads_drained.load(std::memory_order_acquire) < threads_ * passes_ ||
        !control_.others_drained.load(std::memory_order_acquire)) {
        return;
    }
    if (plan().scenario.find_max) {
        close_pass(now_ns);
    } else {
        say_goodbye(now_ns);
    }
}

void LoadThread::count_accepted() {
    control_.count_accepted(plan().scenario, accepted_);
}

std::uint64_t LoadThread::due_to(const VirtualUser& user) const {
    const std::uint64_t all = accepted_[plan().scenario.room_of(user.index())];
    if (plan().target.echo) return all;
    const std::uint32_t index = user.index();
    if (index >= control_.published.size()) return all;
    return no_less_than_nothing(all - static_cast<std::uint64_t>(control_.accepted_of(index)));
}

bool LoadThread::everything_arrived(std::int64_t now_ns) const {
    if (!slow_.empty() && now_ns < last_slow_arrival_ns_ + slow_quiet_ns) return false;
    return leavers_.empty() &&
           std::all_of(clients_.begin(), clients_.end(), [this](const Client& client) {
               const VirtualUser& user = client.user();
               if (client.unsent() > 0 || user.pending() > 0) return false;
               if (!client.connected() || user.slow()) return true;
               if (user.full_member()) return user.accounted() >= due_to(user);
               return user.state() == VirtualUser::State::ready;
           });
}

void LoadThread::say_goodbye(std::int64_t now_ns) {
    count_accepted();
    for (Client& client : clients_) {
        VirtualUser& user = client.user();
        if (user.state() == VirtualUser::State::ready) {
            const bool held_to_all = user.full_member() && phase_ == Phase::draining;
            user.settle(held_to_all ? std::optional(due_to(user)) : std::nullopt, context_.users);
            client.leave(context_);
            client.flush(context_);
            client.watch_reads(true, context_);
        } else if (client.connected()) {
            client.abandon("not ready when the run ended", context_);
        }
    }
    phase_ = Phase::leaving;
    phase_until_ns_ = now_ns + phase_goodbye_ns_max;
}

}  // namespace parley::load
