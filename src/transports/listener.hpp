// Listener: one address of one shard, accepting.
//
// Path:     kernel → [Listener] → Gate → HttpConnection
// Runs on:  its shard.
// Owned by: Gate.
// Bounds:   accepts_per_round at once; out of descriptors or memory it rests for accept_pause, and
//           nobody else does.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <string>

#include "core/timer_wheel.hpp"
#include "transports/executor.hpp"

namespace parley::transports {

class Gate;

class Listener {
public:
    // Connections taken before the loop may see to others.
    static constexpr int accepts_per_round = 64;
    static constexpr std::chrono::milliseconds accept_pause{100};

    // Binds and listens. Throws std::system_error that names the address.
    Listener(Gate& gate, const boost::asio::ip::tcp::endpoint& endpoint, int backlog);

    // Accepts from a socket that listens already, by a descriptor of its own. Throws
    // std::system_error.
    Listener(Gate& gate, int listening);

    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const;
    // A descriptor became free: where it rests it tries again.
    void resume() noexcept;
    void close() noexcept;

private:
    struct PauseTimer : core::Timer {
        PauseTimer(Listener& owner, Fire fire) noexcept : Timer(fire), listener(&owner) {}
        Listener* listener;
    };

    explicit Listener(Gate& gate);
    void wait();
    void accept_round();
    void pause(int error_number);

    Gate* gate_;
    boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor> acceptor_;
    std::string where_;  // for the log: when descriptors are out, nothing may need one to say so
    PauseTimer pause_timer_;
    bool pause_logged_ = false;  // since a connection was accepted last
};

}  // namespace parley::transports
