#include "population.hpp"

#include <malloc.h>

#include <algorithm>
#include <ctime>
#include <stdexcept>

#include "allocations.hpp"

namespace parley::bench {
namespace {

using RealClock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t churn_rounds = 100;
constexpr std::size_t churn_at_once = 100;
constexpr std::size_t rounds = 5;
constexpr std::size_t deliveries_a_round = 1'000'000;
constexpr std::size_t messages_a_round_max = 100'000;
constexpr std::size_t sessions_an_address = 16;

std::uint64_t ns_since(RealClock::time_point start) {
    return static_cast<std::uint64_t>(nanoseconds(RealClock::now() - start).count());
}

// Of this thread's processor: sums and means go by it, so that somebody else's work is not in them.
std::uint64_t cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

double each(std::uint64_t ns, std::size_t count) {
    return static_cast<double>(ns) / static_cast<double>(count);
}

core::Config config_of(const Layout& layout) {
    core::Config config = test::unlimited_config();
    config.limits.enabled = layout.limits;
    // What a room takes in a second is no part of this: it is given more in no time.
    config.limits.room = {1e9, 1e9};
    config.limits.rooms = 10'000'000;
    config.history.messages = layout.history;
    return config;
}

// Does it, adds how long it took; the allocations that it made.
template <typename Work>
std::uint64_t timed(load::Histogram& times, Work&& work) {
    const auto before = allocations().count;
    const auto start = RealClock::now();
    work();
    times.record(static_cast<std::int64_t>(ns_since(start)));
    return allocations().count - before;
}

// Of a chunk of glibc's malloc: its header counts too.
std::int64_t chunk_bytes(void* memory) {
    return static_cast<std::int64_t>(malloc_usable_size(memory) + sizeof(std::size_t));
}

std::string address_of(std::size_t who) {
    const std::size_t n = who / sessions_an_address;
    return "10." + std::to_string(n >> 16 & 255) + "." + std::to_string(n >> 8 & 255) + "." +
           std::to_string(n & 255);
}

}  // namespace

Population::Population(const Layout& layout, std::size_t sessions_max)
    : layout_(layout), hub_(config_of(layout)) {
    // What the measuring itself needs is there, and its pages touched, before anything is counted.
    peers_.resize(sessions_max);
    room_at_.resize(sessions_max);
    const std::size_t rooms = layout.room_size == 0 ? 1 : sessions_max / layout.room_size;
    for (std::size_t i = 0; i < rooms; ++i) rooms_.push_back("room-" + std::to_string(i));
    malloc_trim(0);
    before_ = memory_now();
}

Population::~Population() {
    static_cast<void>(end());
}

std::uint64_t Population::end() {
    const auto start = cpu_ns();
    const std::size_t ended = open_;
    for (; open_ > 0; --open_) {
        auto& peer = peers_[open_ - 1];
        peer->end();
        peer.reset();
    }
    hub_.settle();
    return ended == 0 ? 0 : (cpu_ns() - start) / ended;
}

Point Population::grow_to(std::size_t sessions) {
    Point point;
    const std::size_t from = open_;
    open(sessions, point);
    join_new(from, point);
    measure_memory(point);
    measure_churn(point);
    measure_deliveries(point);
    measure_count_push(point);
    measure_pings(point);
    if (seen_.blocked > 0) throw std::runtime_error("a session was refused something, or ended");
    return point;
}

void Population::open(std::size_t sessions, Point& point) {
    load::Histogram times;
    const auto heap = heap_now();
    const auto cpu = cpu_ns();
    for (std::size_t i = open_; i < sessions; ++i) {
        const core::PeerIdentity identity{address_of(i), "user-" + std::to_string(i)};
        const auto start = RealClock::now();
        peers_[i] = std::make_unique<Peer>(hub_.shard(), seen_, identity);
        times.record(static_cast<std::int64_t>(ns_since(start)));
    }
    peer_bytes_ = chunk_bytes(peers_[open_].get());
    point.open = Cost(times, each(cpu_ns() - cpu, sessions - open_));
    point.heap_open =
        static_cast<double>(heap_now() - heap) / static_cast<double>(sessions - open_) -
        static_cast<double>(peer_bytes_);
    open_ = sessions;
}

// The first of each new room, then the second of each, and so on: who shares a room came to the
// server at different times, and lies apart in its memory.
void Population::join_new(std::size_t from, Point& point) {
    const std::size_t rooms = layout_.room_size == 0 ? 1 : open_ / layout_.room_size;
    const std::size_t fresh = rooms - rooms_open_;
    load::Histogram times;
    forget_largest();
    const auto heap = heap_now();
    auto heap_of_first = heap;
    const auto cpu = cpu_ns();
    for (std::size_t i = from; i < open_; ++i) {
        room_at_[i] = static_cast<std::uint32_t>(fresh == 0 ? 0 : rooms_open_ + (i - from) % fresh);
        const auto start = RealClock::now();
        join(i);
        times.record(static_cast<std::int64_t>(ns_since(start)));
        // Before anybody else comes, who is told of it.
        if (i == 0) {
            for (std::size_t said = 0; said < layout_.history; ++said) say(0);
        }
        if (i + 1 == from + fresh) heap_of_first = heap_now();
        if (i % 1024 == 0) hub_.settle();
    }
    hub_.settle();
    point.growing_join = Cost(times, each(cpu_ns() - cpu, open_ - from));
    point.largest_allocation = allocations().largest;
    const double others = static_cast<double>(open_ - from - fresh);
    if (fresh > 0 && others > 0) {
        point.room_heap = static_cast<double>(heap_of_first - heap) / static_cast<double>(fresh) -
                          static_cast<double>(heap_now() - heap_of_first) / others;
    }
    rooms_open_ = rooms;
    point.sessions = open_;
    point.rooms = rooms;
}

void Population::admit(Peer& peer) {
    if (layout_.limits && peer.session().admit()) ++seen_.blocked;
}

void Population::join(std::size_t who) {
    Peer& peer = *peers_[who];
    const bool watches = layout_.watchers_every != 0 && who % layout_.watchers_every == 0;
    admit(peer);
    peer.session().handle({std::int64_t{1}, protocol::Join{room_of(who), {}, 50, watches}});
}

void Population::leave(std::size_t who) {
    admit(*peers_[who]);
    peers_[who]->session().handle({std::int64_t{2}, protocol::Leave{room_of(who)}});
}

void Population::measure_memory(Point& point) {
    const Memory used = memory_now() - before_;
    const auto sessions = static_cast<double>(open_);
    const auto peers = static_cast<double>(peer_bytes_);
    point.heap = static_cast<double>(used.heap) / sessions - peers;
    point.resident = static_cast<double>(used.resident) / sessions - peers;
    point.share = static_cast<double>(used.share) / sessions - peers;
}

// Some leave and come again, drawn from all: what was true of the last joins may not be of these,
// whose memory is cold.
void Population::measure_churn(Point& point) {
    load::Histogram joins;
    load::Histogram leaves;
    std::uint64_t joining = 0;
    std::uint64_t leaving = 0;
    std::vector<std::size_t> some(churn_at_once);
    for (std::size_t round = 0; round < churn_rounds; ++round) {
        if (layout_.limits) hub_.jump(milliseconds(100));
        // Nobody twice: of each stretch of sessions one.
        for (std::size_t i = 0; i < some.size(); ++i) {
            const std::size_t stretch = open_ / some.size();
            some[i] = i * stretch + random_() % stretch;
        }
        const auto start = cpu_ns();
        for (const std::size_t who : some) {
            point.leave_allocations =
                std::max(point.leave_allocations, timed(leaves, [this, who] { leave(who); }));
        }
        const auto between = cpu_ns();
        for (const std::size_t who : some) {
            point.join_allocations =
                std::max(point.join_allocations, timed(joins, [this, who] { join(who); }));
        }
        leaving += between - start;
        joining += cpu_ns() - between;
        hub_.settle();
    }
    point.leave = Cost(leaves, each(leaving, churn_rounds * churn_at_once));
    point.join = Cost(joins, each(joining, churn_rounds * churn_at_once));
}

void Population::say(std::size_t who) {
    static const std::string text(128, 'x');
    Peer& peer = *peers_[who];
    admit(peer);
    peer.session().handle(
        {{}, protocol::Send{room_of(who), {protocol::Body::Kind::text, text}, {}, {}}});
}

void Population::measure_deliveries(Point& point) {
    const std::size_t members = layout_.room_size == 0 ? open_ : layout_.room_size;
    const std::size_t messages =
        std::clamp<std::size_t>(deliveries_a_round / members, 3, messages_a_round_max);
    std::vector<double> took;
    std::vector<double> made;
    for (std::size_t round = 0; round < rounds; ++round) {
        if (layout_.limits) hub_.jump(std::chrono::minutes(1));
        const auto delivered = seen_.frames;
        const auto before = allocations().count;
        const auto start = cpu_ns();
        for (std::size_t i = 0; i < messages; ++i) {
            say(random_() % open_);
            hub_.settle();
        }
        took.push_back(static_cast<double>(cpu_ns() - start));
        made.push_back(static_cast<double>(allocations().count - before));
        if (seen_.frames - delivered != messages * members) {
            throw std::runtime_error("not every message reached every member");
        }
    }
    std::ranges::sort(took);
    std::ranges::sort(made);
    point.message = took[rounds / 2] / static_cast<double>(messages);
    point.delivery = point.message / static_cast<double>(members);
    point.message_allocations = made[rounds / 2] / static_cast<double>(messages);
}

// One heartbeat of everybody, evenly over its interval, a millisecond after the other.
void Population::measure_pings(Point& point) {
    const auto every = hub_.shard().config().heartbeat.ping_every;
    for (std::size_t i = 0; i < open_; ++i) {
        const auto at = nanoseconds(every) * i / open_;
        peers_[i]->arm_ping(hub_.now().mono + at);
    }
    const auto due = seen_.pings + open_;
    const auto cpu = cpu_ns();
    while (seen_.pings < due) {
        hub_.jump(milliseconds(1));
        const auto start = RealClock::now();
        hub_.shard().timers().advance(hub_.now().mono);
        point.ping_stall = std::max(point.ping_stall, ns_since(start));
    }
    point.ping = each(cpu_ns() - cpu, open_);
}

// Somebody comes to a large room: who watches it is told the count, and the others are passed over.
void Population::measure_count_push(Point& point) {
    if (layout_.watchers_every == 0) return;
    std::vector<double> took;
    for (std::size_t round = 0; round < rounds; ++round) {
        hub_.pass(milliseconds(2000));
        const auto published = hub_.total(core::Metric::transients_published);
        leave(1);
        const auto start = cpu_ns();
        hub_.settle();
        took.push_back(static_cast<double>(cpu_ns() - start));
        if (hub_.total(core::Metric::transients_published) != published + 1) {
            throw std::runtime_error("leaving was not announced once");
        }
        join(1);
    }
    std::ranges::sort(took);
    point.count_push = took[rounds / 2] / static_cast<double>(open_);
}

}  // namespace parley::bench
