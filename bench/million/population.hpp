// Population: a hub, its sessions and their rooms, grown from size to size and measured at each.
//
// Path:     million → [Population] → Hub, Subscriber, RoomHome, Audience
// Runs on:  one thread, in a time that passes by hand; the costs are real time.
// Owned by: million, one a process.
// Bounds:   as many sessions as asked for.
#pragma once

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "figures.hpp"
#include "memory.hpp"
#include "peer.hpp"
#include "support/test_hub.hpp"

namespace parley::bench {

class Population {
public:
    Population(const Layout& layout, std::size_t sessions_max);
    ~Population();
    Population(const Population&) = delete;
    Population& operator=(const Population&) = delete;

    // Grows to that many sessions and measures there. No smaller than before; a multiple of the
    // room's size. Throws std::runtime_error where a session was refused something.
    [[nodiscard]] Point grow_to(std::size_t sessions);
    // Everybody goes. Nanoseconds for each.
    [[nodiscard]] std::uint64_t end();

private:
    void open(std::size_t sessions, Point& point);
    void join_new(std::size_t from, Point& point);
    void measure_memory(Point& point);
    void measure_churn(Point& point);
    void measure_deliveries(Point& point);
    void measure_pings(Point& point);
    void measure_count_push(Point& point);
    void say(std::size_t who);
    void admit(Peer& peer);
    void join(std::size_t who);
    void leave(std::size_t who);
    [[nodiscard]] const std::string& room_of(std::size_t who) const {
        return rooms_[room_at_[who]];
    }

    Layout layout_;
    std::mt19937_64 random_{1};
    test::TestHub hub_;
    Seen seen_;
    std::vector<std::string> rooms_;
    std::vector<std::uint32_t> room_at_;  // by session
    std::vector<std::unique_ptr<Peer>> peers_;
    std::size_t open_ = 0;
    std::size_t rooms_open_ = 0;
    std::int64_t peer_bytes_ = 0;  // of each
    Memory before_;
};

}  // namespace parley::bench
