// Plan and UserContext: what all users of a run share, and what all users of a thread share.
//
// Path:     Scenario, Target → [Plan] → VirtualUser, Dialogue → [UserContext]'s tallies → Report
// Runs on:  Plan: any thread, constant. UserContext: one load thread.
// Owned by: run(); LoadThread.
// Bounds:   a tally for each transport and one for the senders.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "loadtest/control.hpp"
#include "loadtest/luck.hpp"
#include "loadtest/scenario.hpp"
#include "loadtest/stamp.hpp"
#include "loadtest/tally.hpp"
#include "loadtest/target.hpp"
#include "loadtest/transport.hpp"
#include "protocol/websocket_frame.hpp"

namespace parley::load {

// Constant; outlives all users.
struct Plan {
    Plan(Scenario the_scenario, Target the_target);

    Scenario scenario;
    Target target;    // of WebSocket
    Target socketio;  // of Socket.IO: the same where it is not Parley's
    protocol::WebSocketDecoderConfig decoder;
    std::string host;    // of each request
    std::string filler;  // what of the payload follows the stamp

    // Some users speak Socket.IO, and none WebSocket without it.
    [[nodiscard]] bool speaks_socketio() const {
        const Mix& mix = scenario.mix;
        return !mix.has(Transport::websocket) &&
               (mix.has(Transport::socketio) || mix.has(Transport::socketio_polling));
    }
    [[nodiscard]] std::string room_name(std::uint32_t room) const;
};

// One for each transport, in its order, and one for the connections that only send for others.
inline constexpr std::size_t tallies_count = transports_count + 1;
inline constexpr std::size_t senders_tally = transports_count;
using Tallies = std::array<Tally, tallies_count>;

struct UserContext {
    UserContext(const Plan& the_plan, Control& the_control, std::uint64_t seed)
        : plan(the_plan), control(the_control), luck(seed) {}

    [[nodiscard]] Tally& tally_of(Transport transport) {
        return tallies[static_cast<std::size_t>(transport)];
    }
    // A message was answered: it is said.
    void accept(const Stamp& message, std::int64_t now_ns);
    // A message of this publisher was answered with an error.
    void refuse(std::uint32_t publisher, std::string_view reason);
    // The stamp and the filler; valid until the next call.
    [[nodiscard]] const std::string& payload_of(const Stamp& message);

    const Plan& plan;
    Control& control;
    Tallies tallies;
    Luck luck;
    std::string payload;  // scratch
    std::string text;     // scratch
};

}  // namespace parley::load
