// What separates the passes of a LoadThread: where one begins, the books that it leaves behind, and
// the rest until the next. A run of one rate has one pass.
#include <algorithm>
#include <optional>
#include <utility>

#include "loadtest/clock.hpp"
#include "loadtest/load_thread.hpp"

namespace parley::load {
namespace {

// A write for each message would cost more than the messages.
constexpr double dense_rate_per_s = 50'000;
constexpr std::int64_t gather_dense_ns = 50'000;

}  // namespace

void LoadThread::begin_pass() {
    const Scenario& scenario = plan().scenario;
    const Pass& pass = control_.pass;
    ++passes_;
    publish_start_ns_ = pass.start_ns;
    publish_end_ns_ = pass.end_ns();
    begin_phases();
    pacer_.emplace(plan(), pass, share_, shares_);
    // Above so many messages a second, those of a moment leave in one write; each keeps its instant.
    const double rate =
        scenario.phases.empty() ? pass.rate_per_s : plan().phases.rate().highest_per_s();
    const bool dense = rate / shares_ > dense_rate_per_s;
    gather_ns_ = dense ? gather_dense_ns : 0;
    drained_ = rested_ = false;
    phase_ = Phase::publishing;
}

// Puts down what this pass has given, as for a run of its own, and brings back whom it has cost
// their connection.
void LoadThread::close_pass(std::int64_t now_ns) {
    // Anew: what other threads gave up on was known only once all had drained.
    count_accepted();
    for (Client& client : clients_) {
        VirtualUser& user = client.user();
        if (user.state() != VirtualUser::State::ready) continue;
        user.settle(user.full_member() ? std::optional(due_to(user)) : std::nullopt,
                    context_.users);
    }
    for (const Tally& tally : tallies()) {
        live_before_.ready += tally.opened;
        live_before_.failed += tally.failed;
        live_before_.published += tally.published;
        live_before_.received += tally.steady.received + tally.slow.received;
        series_before_.add(series_counts(tally));
    }
    pass_books_ = {std::exchange(context_.users.tallies, std::vector<Tally>(tallies().size())),
                   meter_.cost()};
    meter_ = CostMeter();
    for (Client& client : clients_) {
        if (!client.connected()) client.open(now_ns, false, context_);
    }
    phase_ = Phase::resting;
    phase_until_ns_ = now_ns + plan().scenario.settle.count();
}

// Until the next pass: everybody is to be back when it begins.
void LoadThread::rest(std::int64_t now_ns) {
    if (!rested_) {
        const bool all_back = std::none_of(clients_.begin(), clients_.end(), [](const Client& c) {
            return c.user().state() == VirtualUser::State::opening;
        });
        if (!all_back && now_ns < phase_until_ns_) return;
        for (Client& client : clients_) {
            if (client.user().state() == VirtualUser::State::ready) client.user().begin_books();
        }
        rested_ = true;
        // Pairs with the acquire in run(), which looks into pass_books() behind it.
        control_.threads_rested.fetch_add(1, std::memory_order_release);
    }
    const std::int64_t start = control_.publish_start_ns.load(std::memory_order_acquire);
    if (start != publish_start_ns_) begin_pass();
}

void LoadThread::count_listeners() {
    const Scenario& scenario = plan().scenario;
    listeners_.assign(scenario.rooms, 0);
    for (std::uint32_t user = 0; user < scenario.connections; ++user) {
        const bool listens = entry_of(scenario.transport_of(user)).listens;
        if (listens && !scenario.is_slow(user)) ++listeners_[scenario.room_of(user)];
    }
}

void LoadThread::expect_deliveries(std::uint32_t publisher, Tally& tally) const {
    const Scenario& scenario = plan().scenario;
    // Who is there changes with the phases.
    if (!scenario.phases.empty()) return;
    if (scenario.mix.only(Transport::rest)) {
        ++tally.expected_in_window;
        return;
    }
    tally.expected_in_window += listeners_[scenario.room_of(publisher)];
    const bool hears_itself = plan().target.echo;
    if (!hears_itself && entry_of(scenario.transport_of(publisher)).listens) {
        --tally.expected_in_window;
    }
}

}  // namespace parley::load
