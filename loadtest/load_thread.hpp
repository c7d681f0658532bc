// LoadThread: an epoll loop over its share of the users: opens them along the ramp, publishes when
// the pacer says, reads, churns, and waits at the end until everything has arrived.
//
// Path:     Pacer → [LoadThread] → Client
// Runs on:  its own thread; the accessors after it has ended.
// Owned by: run().
// Bounds:   its share of Scenario::connections and senders; one receive buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "loadtest/client.hpp"
#include "loadtest/comings.hpp"
#include "loadtest/control.hpp"
#include "loadtest/file_descriptor.hpp"
#include "loadtest/network.hpp"
#include "loadtest/progress.hpp"
#include "loadtest/talk_pacer.hpp"
#include "loadtest/thread_cost.hpp"

struct epoll_event;

namespace parley::load {

class LoadThread {
public:
    // The users u with u mod shares == share, and behind them the senders that those need; shares
    // are those of all processes that play the scenario, `threads` the threads of this one.
    // `tls`: nullptr for plain connections. `run_start_ns`: when the ramp begins.
    LoadThread(const Plan& plan, const Addresses& addresses, std::unique_ptr<TlsContext> tls,
               Control& control, unsigned share, unsigned shares, unsigned threads,
               std::int64_t run_start_ns);

    // The thread's body.
    void run();

    [[nodiscard]] const std::vector<Tally>& tallies() const noexcept { return users().tallies; }
    [[nodiscard]] const TimeSeries& series() const noexcept { return users().series; }
    // Connections that it will open before anything is published, senders included.
    [[nodiscard]] std::size_t connections() const noexcept {
        return first_users_ + clients_.size() - senders_from_;
    }
    // In the measured window.
    [[nodiscard]] ThreadCost cost() const noexcept { return meter_.cost(); }
    // What a pass has counted and cost, where further ones may follow; between threads_rested and
    // the next publish_start_ns.
    struct PassBooks {
        std::vector<Tally> tallies;
        ThreadCost cost;
    };
    [[nodiscard]] const PassBooks& pass_books() const noexcept { return pass_books_; }
    // May be read while the thread runs.
    [[nodiscard]] const Live& live() const noexcept { return live_; }

private:
    enum class Phase : std::uint8_t { opening, publishing, draining, resting, leaving, over };

    Client& client_of(std::uint32_t user) { return clients_[user / shares_]; }
    // Who carries this publisher's messages.
    Client& carrier_of(std::uint32_t publisher);
    [[nodiscard]] const UserContext& users() const noexcept { return context_.users; }
    [[nodiscard]] const Plan& plan() const noexcept { return users().plan; }
    void add_senders();
    void add_churners();
    [[nodiscard]] bool all_opened() const noexcept {
        return opened_ >= first_users_ && senders_opened_ >= clients_.size() - senders_from_;
    }
    void begin_phases();
    void follow_phases(std::int64_t now_ns);
    void forget_leaver(Client& client);
    void storm(const PhasePlan::Part& part, std::int64_t now_ns);
    void send_away(Client& client, std::int64_t now_ns, std::int64_t return_ns);
    bool bring_back(const Leaver& leaver, std::int64_t now_ns);
    [[nodiscard]] bool turn_is_due(std::int64_t now_ns) const;
    void turn(std::int64_t now_ns);
    void begin_publishing();
    void begin_pass();
    void close_pass(std::int64_t now_ns);
    void rest(std::int64_t now_ns);
    void count_listeners();
    void expect_deliveries(std::uint32_t publisher, Tally& tally) const;
    void open_due(std::int64_t now_ns);
    void publish_due(std::int64_t now_ns);
    void publish(std::uint32_t publisher, std::int64_t intended_ns);
    void flush_published();
    void publish_at_once(std::int64_t now_ns);
    void churn_due(std::int64_t now_ns);
    void finish_leaving(std::int64_t now_ns);
    void read_slowly(std::int64_t now_ns);
    void finish_publishing(std::int64_t now_ns);
    void check_drained(std::int64_t now_ns);
    void count_accepted();
    [[nodiscard]] std::uint64_t due_to(const VirtualUser& user) const;
    [[nodiscard]] bool everything_arrived(std::int64_t now_ns) const;
    void say_goodbye(std::int64_t now_ns);
    void prefetch(const std::vector<epoll_event>& events, int at, int count);
    void handle(const epoll_event& event);
    void handle_posts(Client& client, std::uint32_t events);
    void after_io(Client& client);
    void publish_live(std::int64_t now_ns) noexcept;
    [[nodiscard]] std::int64_t next_publish_ns() const noexcept {
        const std::int64_t next = pacer_->next_ns();
        return next == never_ns ? never_ns : next + gather_ns_;
    }
    [[nodiscard]] std::int64_t wake_up_at(std::int64_t now_ns) const;
    [[nodiscard]] int wait(std::int64_t until_ns, std::vector<epoll_event>& events);
    [[nodiscard]] int wait_awake(std::int64_t until_ns, std::vector<epoll_event>& events);

    Control& control_;
    std::unique_ptr<TlsContext> tls_;
    std::vector<char> buffer_;
    FileDescriptor epoll_;
    ClientContext context_;
    unsigned share_;
    unsigned shares_;
    unsigned threads_;
    std::int64_t run_start_ns_;

    std::vector<Client> clients_;
    std::size_t senders_from_ = 0;  // of clients_
    Phase phase_ = Phase::opening;
    std::optional<TalkPacer> pacer_;
    std::int64_t gather_ns_ = 0;      // how late the first of several that leave together may be
    std::size_t first_users_ = 0;     // of clients_: those who are there when publishing begins
    std::size_t opened_ = 0;          // of the users, along the ramp and the phases
    std::size_t senders_opened_ = 0;  // of those behind senders_from_
    std::size_t next_part_ = 0;       // of the phases
    std::vector<std::uint32_t> unflushed_;

    SlowReaders slow_;
    std::int64_t last_slow_arrival_ns_ = 0;

    std::vector<ChurnGroup> churn_;
    std::vector<Leaver> leavers_;
    std::int64_t next_leavers_ns_ = 0;

    std::int64_t publish_start_ns_ = 0;  // of the pass at hand; 0 before the first
    std::int64_t publish_end_ns_ = never_ns;
    std::int64_t phase_until_ns_ = never_ns;
    std::vector<std::uint64_t> accepted_;   // messages by room, as known at the last check
    std::vector<std::uint32_t> listeners_;  // by room: who read as fast as they can
    bool drained_ = false;
    bool rested_ = false;
    unsigned passes_ = 0;  // begun
    std::int64_t next_turn_ns_ = 0;
    std::int64_t next_check_ns_ = 0;
    std::int64_t next_look_ns_ = 0;  // where the thread does not sleep
    PassBooks pass_books_;
    ProgressCounts live_before_;  // of earlier passes
    SeriesCounts series_before_;
    CostMeter meter_;
    Live live_;
};

}  // namespace parley::load
