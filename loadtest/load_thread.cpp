#include "loadtest/load_thread.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "loadtest/clock.hpp"
#include "loadtest/progress.hpp"

namespace parley::load {
namespace {

constexpr std::size_t receive_buffer_bytes = std::size_t{256} << 10;
constexpr std::size_t events_a_turn = 512;
// How long a turn may sleep: the main thread's instants are looked at between turns.
constexpr std::int64_t turn_ns_max = 10 * ns_per_ms;

}  // namespace

LoadThread::LoadThread(const Plan& plan, const Addresses& addresses,
                       std::unique_ptr<TlsContext> tls, Control& control, unsigned share,
                       unsigned shares, std::int64_t run_start_ns)
    : control_(control),
      tls_(std::move(tls)),
      buffer_(receive_buffer_bytes),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      context_{UserContext(plan, control, plan.scenario.seed * 1024 + share),
               addresses,
               tls_.get(),
               epoll_.get(),
               buffer_,
               &monotonic_ns},
      share_(share),
      shares_(shares),
      run_start_ns_(run_start_ns) {
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
    add_senders();
    if (!churners_.empty()) {
        // Each thread takes the part of the churn that is its part of those who may leave.
        const double every_s = static_cast<double>(all_churners) /
                               (scenario.churn_per_s * static_cast<double>(churners_.size()));
        churn_every_ns_ = static_cast<std::int64_t>(every_s * static_cast<double>(ns_per_s));
    }
}

// As many as asked, but no more than there are publishers who need one.
void LoadThread::add_senders() {
    const Scenario& scenario = plan().scenario;
    senders_from_ = clients_.size();
    std::uint32_t mute = 0;
    for (const Client& client : clients_) {
        const VirtualUser& user = client.user();
        if (user.index() < scenario.publishers() && !entry_of(user.transport()).speaks) ++mute;
    }
    const std::uint32_t part = (scenario.senders + shares_ - 1) / shares_;
    // Their numbers go on behind those of this thread's users.
    for (std::uint32_t n = 0; n < std::min(mute, part); ++n) {
        clients_.emplace_back(static_cast<std::uint32_t>(clients_.size()) * shares_ + share_,
                              plan());
    }
}

Client& LoadThread::carrier_of(std::uint32_t publisher) {
    Client& own = client_of(publisher);
    const std::size_t senders = clients_.size() - senders_from_;
    if (entry_of(own.user().transport()).speaks) return own;
    // Always the same one: on two connections a publisher's messages could overtake each other.
    return clients_[senders_from_ + publisher / shares_ % senders];
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
            publish_at_once(now_ns);
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
            const bool all_gone = std::none_of(clients_.begin(), clients_.end(),
                                               [](const Client& c) { return c.connected(); });
            if (all_gone || now_ns >= phase_until_ns_) phase_ = Phase::over;
            break;
        }
        case Phase::over:
            break;
    }
    const Tally& any = tallies().front();  // the window is everybody's
    meter_.look(now_ns, any.window_from_ns, any.window_to_ns);
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
    const Client::Tag tag = Client::Tag::of(event.data.u64);
    Client& client = client_of(tag.user);
    if (tag.posts) return handle_posts(client, event.events);
    if (client.connected() && (event.events & (EPOLLOUT | EPOLLERR)) != 0) {
        client.on_writable(context_);
    }
    if (client.connected() && (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) {
        const std::size_t size = client.on_readable(context_);
        if (size > 0 && client.user().slow()) last_slow_arrival_ns_ = monotonic_ns();
    }
    after_io(client);
}

void LoadThread::handle_posts(Client& client, std::uint32_t events) {
    if (client.posts_connected() && (events & (EPOLLOUT | EPOLLERR)) != 0) {
        client.on_posts_writable(context_);
    }
    if (client.posts_connected() && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) {
        client.on_posts_readable(context_);
    }
}

void LoadThread::after_io(Client& client) {
    const VirtualUser& user = client.user();
    const bool begins_to_dawdle = user.slow() && user.state() == VirtualUser::State::ready &&
                                  phase_ < Phase::draining && client.watching_reads();
    if (begins_to_dawdle) {
        client.watch_reads(false, context_);
        slow_.push_back(user.index());
    }
}

void LoadThread::publish_live() noexcept {
    ProgressCounts sum;
    for (const Tally& tally : tallies()) {
        sum.ready += tally.opened;
        sum.failed += tally.failed;
        sum.published += tally.published;
        sum.received += tally.steady.received + tally.slow.received;
    }
    live_.ready.store(sum.ready, std::memory_order_relaxed);
    live_.failed.store(sum.failed, std::memory_order_relaxed);
    live_.published.store(sum.published, std::memory_order_relaxed);
    live_.received.store(sum.received, std::memory_order_relaxed);
}

}  // namespace parley::load
