// Plan and UserContext: what all users of a run share, and what all users of a thread share.
//
// Path:     Scenario, Target → [Plan] → VirtualUser, Dialogue → [UserContext]'s tallies → Report
// Runs on:  Plan: any thread, constant. UserContext: one load thread.
// Owned by: run(); LoadThread.
// Bounds:   a tally for each transport, one for the senders, one for each persona.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/control.hpp"
#include "loadtest/luck.hpp"
#include "loadtest/phase_plan.hpp"
#include "loadtest/scenario.hpp"
#include "loadtest/stamp.hpp"
#include "loadtest/tally.hpp"
#include "loadtest/target.hpp"
#include "loadtest/time_series.hpp"
#include "loadtest/transport.hpp"
#include "protocol/websocket_frame.hpp"

namespace parley::load {

// Constant; outlives all users.
struct Plan {
    Plan(Scenario the_scenario, Target the_target);

    Scenario scenario;
    Target target;    // of WebSocket
    Target socketio;  // of Socket.IO: the same where it is not Parley's
    // Of each publisher, so that no delivery divides.
    struct Place {
        std::uint32_t room, member;
    };
    std::vector<Place> places;
    protocol::WebSocketDecoderConfig decoder;
    std::string host;    // of each request
    std::string filler;  // what of the payload follows the stamp
    PhasePlan phases;

    // Some users speak Socket.IO, and none WebSocket without it.
    [[nodiscard]] bool speaks_socketio() const {
        const Mix& mix = scenario.mix;
        return !mix.has(Transport::websocket) &&
               (mix.has(Transport::socketio) || mix.has(Transport::socketio_polling));
    }
    // Users of this transport send for themselves; for the others the senders POST.
    [[nodiscard]] bool speaks(Transport transport) const {
        return entry_of(transport).speaks && !(transport == Transport::websocket && target.posts());
    }
    [[nodiscard]] std::string room_name(std::uint32_t room) const;
    // How many bytes of the filler a message has.
    [[nodiscard]] std::size_t filler_bytes(const Stamp& message) const;
};

// One for each transport, in its order, and one for the connections that only send for others.
inline constexpr std::size_t tallies_count = transports_count + 1;
inline constexpr std::size_t senders_tally = transports_count;
using Tallies = std::array<Tally, tallies_count>;

struct UserContext {
    UserContext(const Plan& the_plan, Control& the_control, std::uint64_t seed)
        : plan(the_plan),
          control(the_control),
          tallies(tallies_count + the_plan.scenario.personas.size()),
          luck(seed) {}

    [[nodiscard]] Tally& tally_of(Transport transport) {
        return tallies[static_cast<std::size_t>(transport)];
    }
    // Of its persona, or of its transport where there are no personas.
    [[nodiscard]] Tally& tally_of_user(std::uint32_t user) {
        return tallies[tally_index(plan.scenario, user)];
    }
    [[nodiscard]] static std::size_t tally_index(const Scenario& scenario, std::uint32_t user);
    // A message was answered: it is said.
    void accept(const Stamp& message, std::int64_t now_ns);
    // A message of this publisher was answered with an error.
    void refuse(std::uint32_t publisher, std::string_view reason);
    // The stamp and the filler; valid until the next call.
    [[nodiscard]] const std::string& payload_of(const Stamp& message);

    const Plan& plan;
    Control& control;
    // As in Tallies, and behind them one for each persona: those count in place of the transports.
    std::vector<Tally> tallies;
    TimeSeries series;  // deliveries; with `rest` alone its answers
    Luck luck;
    std::string payload;  // scratch
    std::string text;     // scratch
    std::size_t offset_at =
        0;  // where the last delivery's offset was: the next one's will be there
};

}  // namespace parley::load
