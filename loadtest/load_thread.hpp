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
#include "loadtest/control.hpp"
#include "loadtest/file_descriptor.hpp"
#include "loadtest/network.hpp"
#include "loadtest/pacer.hpp"
#include "loadtest/thread_cost.hpp"

struct epoll_event;

namespace parley::load {

class LoadThread {
public:
    // The users u with u mod shares == share, and behind them the senders that those need.
    // `tls`: nullptr for plain connections. `run_start_ns`: when the ramp begins.
    LoadThread(const Plan& plan, const Addresses& addresses, std::unique_ptr<TlsContext> tls,
               Control& control, unsigned share, unsigned shares, std::int64_t run_start_ns);

    // The thread's body.
    void run();

    [[nodiscard]] const Tallies& tallies() const noexcept { return users().tallies; }
    // Connections that it will open, senders included.
    [[nodiscard]] std::size_t connections() const noexcept { return clients_.size(); }
    // In the measured window.
    [[nodiscard]] ThreadCost cost() const noexcept { return meter_.cost(); }
    // May be read while the thread runs.
    [[nodiscard]] const Live& live() const noexcept { return live_; }

private:
    enum class Phase : std::uint8_t { opening, publishing, draining, leaving, over };

    Client& client_of(std::uint32_t user) { return clients_[user / shares_]; }
    // Who carries this publisher's messages.
    Client& carrier_of(std::uint32_t publisher);
    [[nodiscard]] const UserContext& users() const noexcept { return context_.users; }
    [[nodiscard]] const Plan& plan() const noexcept { return users().plan; }
    void add_senders();
    void turn(std::int64_t now_ns);
    void begin_publishing(std::int64_t start_ns);
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
    void handle(const epoll_event& event);
    void handle_posts(Client& client, std::uint32_t events);
    void after_io(Client& client);
    void publish_live() noexcept;
    [[nodiscard]] std::int64_t wake_up_at(std::int64_t now_ns) const;
    [[nodiscard]] int wait(std::int64_t until_ns, std::vector<epoll_event>& events);

    Control& control_;
    std::unique_ptr<TlsContext> tls_;
    std::vector<char> buffer_;
    FileDescriptor epoll_;
    ClientContext context_;
    unsigned share_;
    unsigned shares_;
    std::int64_t run_start_ns_;

    std::vector<Client> clients_;
    std::size_t senders_from_ = 0;  // of clients_
    Phase phase_ = Phase::opening;
    std::optional<Pacer> pacer_;
    std::size_t opened_ = 0;  // of clients_, along the ramp
    std::vector<std::uint32_t> unflushed_;

    std::vector<std::uint32_t> slow_;
    std::int64_t next_slow_read_ns_ = 0;
    std::int64_t last_slow_arrival_ns_ = 0;

    std::vector<std::uint32_t> churners_;
    std::size_t next_churner_ = 0;
    std::int64_t next_churn_ns_ = never_ns;
    std::int64_t churn_every_ns_ = 0;
    struct Leaver {
        std::uint32_t user;
        std::int64_t until_ns;
    };
    std::vector<Leaver> leavers_;

    std::int64_t publish_start_ns_ = never_ns;
    std::int64_t publish_end_ns_ = never_ns;
    std::int64_t phase_until_ns_ = never_ns;
    std::vector<std::uint64_t> accepted_;  // messages by room, as known at the last check
    bool drained_ = false;
    std::int64_t next_check_ns_ = 0;
    CostMeter meter_;
    Live live_;
};

}  // namespace parley::load
