// SocketIoDialogue: Socket.IO 5 over Engine.IO 4 as a stock client speaks it, whatever carries the
// packets: the session, the heartbeat, the target's steps, events and their acknowledgements.
//
// Path:     VirtualUser → [SocketIoDialogue] → VirtualUser's events; back: packets to send
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   unacknowledged messages: what Client::backlog_messages_max lets wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/stamp.hpp"
#include "loadtest/target_dialogue.hpp"

namespace parley::load {

// A path with what Engine.IO asks of a request's query; an empty `sid`: no session yet.
[[nodiscard]] std::string engine_path(std::string_view path, std::string_view transport,
                                      std::string_view sid);

class SocketIoDialogue : public TargetDialogue {
public:
    void publish(const Stamp& message, std::string& out, UserContext& context) override;
    [[nodiscard]] std::size_t pending() const override { return unacknowledged_.size(); }
    void give_up(UserContext& context) override;

protected:
    // A fresh session is to be opened.
    void begin_session(const UserContext& context);
    // One packet of Engine.IO that the server sent.
    void take_packet(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                     std::string& out, UserContext& context);
    // The session is open; `packet` tells its id and its limits.
    virtual void on_open(VirtualUser& /*user*/, std::string_view /*packet*/,
                         UserContext& /*context*/) {}

private:
    void on_message(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                    std::string& out, UserContext& context);
    void on_joining(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                    std::string& out, UserContext& context);
    void on_event(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                  UserContext& context) const;
    static void on_notice(VirtualUser& user, std::string_view packet, UserContext& context);
    void on_ack(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                UserContext& context);

    std::vector<Stamp> unacknowledged_;  // in the order of sending
    // Acknowledgements of messages up to this one are not looked at.
    std::uint32_t given_up_to_ = 0;
};

}  // namespace parley::load
