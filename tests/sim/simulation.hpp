// Simulation: the whole core on one thread, in a time and with luck that follow from a seed. People
// open sessions, join, speak, fall behind, vanish and return; shards run in any order and stall;
// an OrderCheck hears everything that they hear.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "sim/order_check.hpp"
#include "support/test_hub.hpp"
#include "support/test_transport.hpp"

namespace parley::core {
class Subscriber;
}

namespace parley::sim {

struct Options {
    std::uint64_t seed = 1;
    std::uint32_t shards = 1;
    int steps = 400;
    // The n-th message pushed to anybody is hidden from the judge: to see that it would notice.
    std::optional<std::uint64_t> hide_push;
};

struct Outcome {
    std::vector<std::string> failures;
    std::uint64_t trace = 0;  // a hash of everything that everybody heard, in order
    std::size_t messages_heard = 0;
    std::size_t acks_confirmed = 0;
    std::size_t gaps = 0;
    std::size_t slow_disconnects = 0;
    std::size_t recoveries = 0;
    std::size_t duplicates = 0;
    std::size_t holds = 0;  // rooms found waiting behind a turn
};

class Simulation {
public:
    explicit Simulation(const Options& options);
    ~Simulation();

    [[nodiscard]] Outcome run();

private:
    struct Asked {
        std::string text;
        std::string key;
        JoinAsked join;
    };
    // One person, who has at most one session at a time.
    struct Person {
        std::string name;
        std::size_t shard = 0;
        std::unique_ptr<test::TestTransport> transport;
        std::shared_ptr<core::Subscriber> session;
        std::map<std::string, Place> places;           // rooms joined
        std::map<std::string, protocol::Cursor> seen;  // to resume from
        std::map<std::int64_t, Asked> asked;
        bool blocked = false;
    };

    [[nodiscard]] std::uint64_t draw(std::uint64_t below) { return random_() % below; }
    [[nodiscard]] bool one_in(std::uint64_t n) { return draw(n) == 0; }
    [[nodiscard]] const std::string& any_room() { return rooms_[draw(rooms_.size())]; }

    void step();
    void act(Person& person);
    void command(Person& person);
    [[nodiscard]] protocol::History page_of(const Person& person, const std::string& room);
    void join(Person& person, const std::string& room);
    void send(Person& person, const std::string& room);
    void say(Person& person, protocol::Command command, Asked asked = {});
    void open(Person& person);
    void end(Person& person, const core::CloseReason& reason);
    void block_or_unblock(Person& person);
    void unblock(Person& person, std::size_t frames);
    void run_shards();
    void meanwhile(std::size_t busy);
    [[nodiscard]] core::FlushPace::Round any_round();
    void check_budget(std::size_t shard);
    void pass_time();

    void listen();
    void listen(Person& person);
    void hear(Person& person, const protocol::ServerFrame& frame);
    void hear_joined(Person& person, const protocol::CommandId& id, const protocol::Joined& joined);
    void hear_ack(Person& person, const protocol::CommandId& id, const protocol::Ack& ack);

    void settle();
    void check_conservation(const char* when);
    void check_everybody_is_up_to_date();
    void check_members();
    void end_everything();

    Options options_;
    std::mt19937_64 random_;
    core::Config config_;
    std::unique_ptr<test::TestHub> hub_;
    OrderCheck check_;
    std::vector<std::string> rooms_;
    std::deque<Person> people_;
    std::vector<std::weak_ptr<core::Subscriber>> sessions_;
    std::map<std::string, std::int64_t> instants_;  // `at` → milliseconds
    std::optional<std::size_t> stalled_;
    bool interrupted_ = false;  // one shard's turn runs within another's
    bool at_rest_ = false;
    std::int64_t next_id_ = 0;
    std::uint64_t pushes_ = 0;
    Outcome outcome_;
};

}  // namespace parley::sim
