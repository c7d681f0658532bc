#include "loadtest/user_context.hpp"

#include <algorithm>
#include <utility>

namespace parley::load {
namespace {

constexpr std::size_t message_bytes_max = std::size_t{16} << 20;
constexpr std::string_view filler_alphabet =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

}  // namespace

Plan::Plan(Scenario the_scenario, Target the_target)
    : scenario(std::move(the_scenario)), target(std::move(the_target)) {
    decoder.role = protocol::WebSocketRole::client;
    decoder.message_bytes_max = message_bytes_max;
    decoder.frame_bytes_max = message_bytes_max;
    const bool ipv6 = scenario.url.host.find(':') != std::string::npos;
    host = ipv6 ? "[" + scenario.url.host + "]" : scenario.url.host;
    host.append(1, ':').append(std::to_string(scenario.url.port));
    if (target.path.empty()) target.path = scenario.url.path;
    // A path in the URL is the WebSocket's where there is any.
    const std::string& path = scenario.url.path;
    const bool given = !scenario.mix.has(Transport::websocket) && path != "/" && !path.empty();
    socketio = !target.numbered ? target
               : given          ? parley_socketio_target(path)
                                : parley_socketio_target();
    const std::size_t rest =
        scenario.payload_bytes - std::min<std::size_t>(scenario.payload_bytes, stamp_bytes);
    for (std::size_t i = 0; i < rest; ++i) {
        filler.push_back(filler_alphabet[i % filler_alphabet.size()]);
    }
}

std::string Plan::room_name(std::uint32_t room) const {
    return scenario.room_prefix + "-" + std::to_string(room);
}

void UserContext::accept(const Stamp& message, std::int64_t now_ns) {
    Tally& tally = tally_of(plan.scenario.transport_of(message.publisher));
    ++tally.answered;
    if (tally.in_window(now_ns)) ++tally.answered_in_window;
    if (tally.in_window(message.intended_ns)) tally.answer.record(now_ns - message.intended_ns);
}

void UserContext::refuse(std::uint32_t publisher, std::string_view reason) {
    // Errors that a mere listener is sent refuse no message; they are counted all the same.
    if (publisher < control.refused.size()) {
        control.refused[publisher].fetch_add(1, std::memory_order_relaxed);
    }
    Tally& tally = tally_of(plan.scenario.transport_of(publisher));
    ++tally.refused;
    count_reason(tally.refusals, reason);
}

const std::string& UserContext::payload_of(const Stamp& message) {
    payload.clear();
    append_stamp(payload, message);
    payload += plan.filler;
    return payload;
}

}  // namespace parley::load
