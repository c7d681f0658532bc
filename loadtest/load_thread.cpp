#include "loadtest/load_thread.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "loadtest/clock.hpp"

namespace parley::load {
namespace {

constexpr std::size_t receive_buffer_bytes = std::size_t{256} << 10;
constexpr std::size_t events_a_turn = 512;
// How long a turn may sleep: the main thread's instants are looked at between turns.
constexpr std::int64_t turn_ns_max = 10 * ns_per_ms;

}  // namespace

LoadThread::LoadThread(const Plan& plan, const Addresses& addresses, Control& control,
                       unsigned share, unsigned shares, std::int64_t run_start_ns)
    : addresses_(addresses),
      control_(control),
      context_{plan, {}, Luck(plan.scenario.seed * 1024 + share), {}, {}},
      share_(share),
      shares_(shares),
      run_start_ns_(run_start_ns),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffer_(receive_buffer_bytes) {
    const Scenario& scenario = plan.scenario;
    clients_.reserve(scenario.connections / shares + 1);
    std::uint32_t all_churners = 0;
    for (std::uint32_t user = 0; user < scenario.connections; ++user) {
        const bool churns = scenario.may_churn(user);
        all_churners += churns ? 1 : 0;
        if (user % shares != share) continue;
        clients_.emplace_back(user, plan);
        if (churns) churners_.push_back(user);
    }
    if (!churners_.empty()) {
        // Each thread takes the part of the churn that is its part of those who may leave.
        const double every_s = static_cast<double>(all_churners) /
                               (scenario.churn_per_s * static_cast<double>(churners_.size()));
        churn_every_ns_ = static_cast<std::int64_t>(every_s * static_cast<double>(ns_per_s));
    }
}

void LoadThread::run() {
    std::vector<epoll_event> events(events_a_turn);
    while (phase_ != Phase::over) {
        const std::int64_t now_ns = monotonic_ns();
        turn(now_ns);
        publish_live();
        const int count = wait(wake_up_at(now_ns), events);
        for (int i = 0; i < count; ++i) {
            handle(events[static_cast<std::size_t>(i)]);
            // Sending on time matters more than reading soon: a late read is only late once.
            if (phase_ == Phase::publishing) publish_due(monotonic_ns());
        }
    }
}

void LoadThread::turn(std::int64_t now_ns) {
    if (control_.abort.load(std::memory_order_relaxed) && phase_ < Phase::leaving) {
        say_goodbye(now_ns);
    }
    switch (phase_) {
        case Phase::opening: {
            open_due(now_ns);
            const std::int64_t start = control_.publish_start_ns.load(std::memory_order_acquire);
            if (start != 0) begin_publishing(start);
            break;
        }
        case Phase::publishing:
            publish_due(now_ns);
            churn_due(now_ns);
            finish_leaving(now_ns);
            read_slowly(now_ns);
            finish_publishing(now_ns);
            break;
        case Phase::draining:
            finish_leaving(now_ns);
            check_drained(now_ns);
            break;
        case Phase::leaving: {
            const bool all_gone =
                std::none_of(clients_.begin(), clients_.end(),
                             [](const WebSocketClient& c) { return c.connected(); });
            if (all_gone || now_ns >= phase_until_ns_) phase_ = Phase::over;
            break;
        }
        case Phase::over:
            break;
    }
    measure_cost(now_ns);
}

std::int64_t LoadThread::wake_up_at(std::int64_t now_ns) const {
    std::int64_t at = now_ns + turn_ns_max;
    if (phase_ == Phase::opening && opened_ < clients_.size()) at = now_ns + ns_per_ms;
    if (phase_ == Phase::publishing) {
        at = std::min({at, pacer_->next_ns(), next_churn_ns_});
        if (!slow_.empty()) at = std::min(at, next_slow_read_ns_);
    }
    return at;
}

int LoadThread::wait(std::int64_t until_ns, std::vector<epoll_event>& events) {
    const std::int64_t left_ns = std::max<std::int64_t>(0, until_ns - monotonic_ns());
    const timespec timeout{left_ns / ns_per_s, left_ns % ns_per_s};
    const int room = static_cast<int>(events.size());
    const int count = ::epoll_pwait2(epoll_.get(), events.data(), room, &timeout, nullptr);
    if (count >= 0 || errno != ENOSYS) return count;
    // Kernels before 5.11: to the millisecond below, so that a send is early to wake, never late.
    return ::epoll_wait(epoll_.get(), events.data(), room, static_cast<int>(left_ns / ns_per_ms));
}

void LoadThread::handle(const epoll_event& event) {
    WebSocketClient& client = client_of(event.data.u32);
    if (client.connected() && (event.events & (EPOLLOUT | EPOLLERR)) != 0) {
        client.on_writable(epoll_.get(), context_);
    }
    if (client.connected() && (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) {
        const std::size_t size = client.on_readable(buffer_, &monotonic_ns, epoll_.get(), context_);
        if (size > 0 && client.user().slow()) last_slow_arrival_ns_ = monotonic_ns();
    }
    after_io(client);
}

void LoadThread::after_io(WebSocketClient& client) {
    const VirtualUser& user = client.user();
    if (user.index() < control_.refused.size() && user.refused() > 0) {
        control_.refused[user.index()].store(user.refused(), std::memory_order_relaxed);
    }
    const bool begins_to_dawdle = user.slow() && user.state() == VirtualUser::State::ready &&
                                  phase_ < Phase::draining && client.watching_reads();
    if (begins_to_dawdle) {
        client.watch_reads(false, epoll_.get());
        slow_.push_back(user.index());
    }
}

void LoadThread::publish_live() noexcept {
    const Tally& tally = context_.tally;
    live_.settled.store(tally.opened + tally.failed, std::memory_order_relaxed);
    live_.ready.store(tally.opened, std::memory_order_relaxed);
    live_.failed.store(tally.failed, std::memory_order_relaxed);
    live_.published.store(tally.published, std::memory_order_relaxed);
    live_.received.store(tally.steady.received + tally.slow.received, std::memory_order_relaxed);
}

void LoadThread::measure_cost(std::int64_t now_ns) {
    const Tally& tally = context_.tally;
    if (usage_taken_ || tally.window_from_ns == never_ns) return;
    if (!usage_at_start_) {
        if (now_ns < tally.window_from_ns) return;
        usage_at_start_ = Usage{now_ns, thread_cpu_ns(), thread_wait_ns()};
    } else if (now_ns >= tally.window_to_ns) {
        usage_taken_ = true;
        const auto wall =
            static_cast<double>(std::max<std::int64_t>(1, now_ns - usage_at_start_->wall_ns));
        cost_.busy = static_cast<double>(thread_cpu_ns() - usage_at_start_->cpu_ns) / wall;
        cost_.waited = static_cast<double>(thread_wait_ns() - usage_at_start_->wait_ns) / wall;
    }
}

}  // namespace parley::load
