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
constexpr std::int64_t turn_every_ns = ns_per_ms / 2;
// Of a thread that does not sleep.
constexpr std::int64_t look_every_ns = 20'000;
constexpr int pauses_a_look = 16;

}  // namespace

LoadThread::LoadThread(const Plan& plan, const Addresses& addresses,
                       std::unique_ptr<TlsContext> tls, Control& control, unsigned share,
                       unsigned shares, unsigned threads, std::int64_t run_start_ns)
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
      threads_(threads),
      run_start_ns_(run_start_ns) {
    const Scenario& scenario = plan.scenario;
    context_.users.series.start(run_start_ns);
    clients_.reserve(scenario.connections / shares + 1);
    for (std::uint32_t user = share; user < scenario.connections; user += shares) {
        clients_.emplace_back(user, plan);
        if (user < plan.phases.connections_at_first()) ++first_users_;
    }
    add_senders();
    add_churners();
    count_listeners();
}

// As many as asked, but no more than there are publishers who need one.
void LoadThread::add_senders() {
    const Scenario& scenario = plan().scenario;
    senders_from_ = clients_.size();
    std::uint32_t mute = 0;
    for (const Client& client : clients_) {
        const VirtualUser& user = client.user();
        if (user.index() < scenario.publishers() && !plan().speaks(user.transport())) ++mute;
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
    if (plan().speaks(own.user().transport())) return own;
    // Always the same one: on two connections a publisher's messages could overtake each other.
    return clients_[senders_from_ + publisher / shares_ % senders];
}

void LoadThread::run() {
    std::vector<epoll_event> events(events_a_turn);
    while (phase_ != Phase::over) {
        const std::int64_t now_ns = monotonic_ns();
        context_.now_ns = now_ns;
        if (turn_is_due(now_ns)) {
            turn(now_ns);
            publish_live(now_ns);
            next_turn_ns_ = now_ns + turn_every_ns;
        } else if (phase_ == Phase::publishing && now_ns >= next_publish_ns()) {
            publish_due(now_ns);
        }
        const int count = wait(wake_up_at(now_ns), events);
        for (int i = 0; i < count; ++i) {
            prefetch(events, i, count);
            handle(events[static_cast<std::size_t>(i)]);
            // Sending on time matters more than reading soon: a late read is only late once.
            if (phase_ == Phase::publishing && context_.now_ns >= next_publish_ns()) {
                publish_due(context_.now_ns);
            }
        }
    }
}

// What nobody waits for is looked after once in a while only: where the server sends one delivery at
// a time the loop turns once for each.
bool LoadThread::turn_is_due(std::int64_t now_ns) const {
    return now_ns >= next_turn_ns_ || now_ns >= slow_.next_ns() || plan().scenario.rate_max ||
           std::any_of(churn_.begin(), churn_.end(),
                       [now_ns](const ChurnGroup& group) { return now_ns >= group.next_ns; });
}

// A receive of the kernel's takes longer than memory does to come: of thousands of users none is in
// the cache when its turn comes, unless somebody has called for it.
void LoadThread::prefetch(const std::vector<epoll_event>& events, int at, int count) {
    const auto client_at = [this, &events](int i) -> const Client& {
        return client_of(Client::Tag::of(events[static_cast<std::size_t>(i)].data.u64).user);
    };
    if (at + 2 < count) client_at(at + 2).prefetch();
    if (at + 1 < count) client_at(at + 1).prefetch_further();
}

void LoadThread::turn(std::int64_t now_ns) {
    if (control_.abort.load(std::memory_order_relaxed) && phase_ < Phase::leaving) {
        say_goodbye(now_ns);
    }
    switch (phase_) {
        case Phase::opening: {
            open_due(now_ns);
            if (control_.publish_start_ns.load(std::memory_order_acquire) != 0) begin_publishing();
            break;
        }
        case Phase::publishing:
            publish_due(now_ns);
            publish_at_once(now_ns);
            follow_phases(now_ns);
            churn_due(now_ns);
            finish_leaving(now_ns);
            read_slowly(now_ns);
            finish_publishing(now_ns);
            break;
        case Phase::draining:
            finish_leaving(now_ns);
            check_drained(now_ns);
            break;
        case Phase::resting:
            rest(now_ns);
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
    if (phase_ == Phase::opening && !all_opened()) at = now_ns + ns_per_ms;
    if (phase_ == Phase::publishing) {
        at = std::min({at, next_publish_ns(), slow_.next_ns()});
        for (const ChurnGroup& group : churn_) at = std::min(at, group.next_ns);
    }
    return at;
}

// A thread that sleeps makes the kernel wake it from the server's send(): processor time that the
// server pays here and would not for users on other machines.
int LoadThread::wait_awake(std::int64_t until_ns, std::vector<epoll_event>& events) {
    const std::int64_t from_ns = monotonic_ns();
    std::int64_t now_ns = from_ns;
    // Looking more often would find fewer events at a time, each look at the price of a system call.
    const std::int64_t look_ns = std::min(until_ns, next_look_ns_);
    while (now_ns < look_ns) {
        for (int i = 0; i < pauses_a_look; ++i) __builtin_ia32_pause();
        now_ns = monotonic_ns();
    }
    next_look_ns_ = now_ns + look_every_ns;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    meter_.waited_awake((count > 0 ? now_ns : monotonic_ns()) - from_ns);
    return count;
}

int LoadThread::wait(std::int64_t until_ns, std::vector<epoll_event>& events) {
    if (plan().scenario.spin) return wait_awake(until_ns, events);
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
        const bool ends = (event.events & (EPOLLRDHUP | EPOLLHUP)) != 0;
        const std::size_t size = client.on_readable(context_, SIZE_MAX, ends);
        if (size > 0 && client.user().slow()) last_slow_arrival_ns_ = monotonic_ns();
    }
    after_io(client);
}

void LoadThread::handle_posts(Client& client, std::uint32_t events) {
    if (client.posts_connected() && (events & (EPOLLOUT | EPOLLERR)) != 0) {
        client.on_posts_writable(context_);
    }
    if (client.posts_connected() && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) {
        client.on_posts_readable(context_, (events & (EPOLLRDHUP | EPOLLHUP)) != 0);
    }
}

void LoadThread::after_io(Client& client) {
    const VirtualUser& user = client.user();
    const bool begins_to_dawdle = user.slow() && user.state() == VirtualUser::State::ready &&
                                  phase_ < Phase::draining && client.watching_reads();
    if (begins_to_dawdle) {
        client.watch_reads(false, context_);
        slow_.add(user.index(), plan().scenario.reading_of(user.index()));
    }
}

void LoadThread::publish_live(std::int64_t now_ns) noexcept {
    ProgressCounts sum = live_before_;
    SeriesCounts counts = series_before_;
    for (const Tally& tally : tallies()) {
        sum.ready += tally.opened;
        sum.failed += tally.failed;
        sum.published += tally.published;
        sum.received += tally.steady.received + tally.slow.received;
        counts.add(series_counts(tally));
    }
    counts.open = no_less_than_nothing(counts.open);
    // Everybody's goodbyes at the end are no news.
    if (phase_ < Phase::leaving) context_.users.series.count(now_ns, counts);
    live_.ready.store(sum.ready, std::memory_order_relaxed);
    live_.failed.store(sum.failed, std::memory_order_relaxed);
    live_.published.store(sum.published, std::memory_order_relaxed);
    live_.received.store(sum.received, std::memory_order_relaxed);
}

}  // namespace parley::load
