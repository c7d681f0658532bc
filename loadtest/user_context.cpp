#include "loadtest/user_context.hpp"

#include <algorithm>
#include <utility>

namespace parley::load {
namespace {

constexpr std::size_t received_bytes_max = std::size_t{16} << 20;
constexpr std::string_view filler_alphabet =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

}  // namespace

Plan::Plan(Scenario the_scenario, Target the_target)
    : scenario(std::move(the_scenario)), target(std::move(the_target)), phases(scenario) {
    for (std::uint32_t p = 0; p < scenario.publishers(); ++p) {
        places.push_back({scenario.room_of(p), scenario.member_of(p)});
    }
    decoder.role = protocol::WebSocketRole::client;
    decoder.message_bytes_max = received_bytes_max;
    decoder.frame_bytes_max = received_bytes_max;
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
    std::size_t largest = scenario.payload_bytes;
    for (const Persona& p : scenario.personas) largest = std::max<std::size_t>(largest, p.size.max);
    const std::size_t rest = largest - std::min<std::size_t>(largest, stamp_bytes);
    for (std::size_t i = 0; i < rest; ++i) {
        filler.push_back(filler_alphabet[i % filler_alphabet.size()]);
    }
}

std::string Plan::room_name(std::uint32_t room) const {
    return scenario.room_prefix + "-" + std::to_string(room);
}

std::size_t Plan::filler_bytes(const Stamp& message) const {
    const Persona* const persona = scenario.persona_of(message.publisher);
    if (persona == nullptr) return filler.size();
    // By the message alone, so that it is as large whoever sends it, and whenever.
    Luck luck(scenario.seed ^ (std::uint64_t{message.publisher} << 32 | message.sequence));
    return persona->size.draw(luck.next()) - stamp_bytes;
}

std::size_t UserContext::tally_index(const Scenario& scenario, std::uint32_t user) {
    if (user >= scenario.connections) return senders_tally;
    if (scenario.cast) return tallies_count + scenario.cast->persona_of(user);
    return static_cast<std::size_t>(scenario.transport_of(user));
}

void UserContext::accept(const Stamp& message, std::int64_t now_ns) {
    Tally& tally = tally_of_user(message.publisher);
    ++tally.answered;
    if (PhaseTally* const phase = tally.phase_at(message.intended_ns)) {
        ++phase->answered;
        phase->answer.record(now_ns - message.intended_ns);
    }
    if (tally.in_window(now_ns)) ++tally.answered_in_window;
    const std::int64_t latency_ns = now_ns - message.intended_ns;
    if (tally.in_window(message.intended_ns)) tally.answer.record(latency_ns);
    if (plan.scenario.mix.only(Transport::rest)) series.record(now_ns, latency_ns);
}

void UserContext::refuse(std::uint32_t publisher, std::string_view reason) {
    // Errors that a mere listener is sent refuse no message; they are counted all the same.
    if (publisher < control.refused.size()) {
        control.refused[publisher].fetch_add(1, std::memory_order_relaxed);
    }
    Tally& tally = tally_of_user(publisher);
    ++tally.refused;
    count_reason(tally.refusals, reason);
}

const std::string& UserContext::payload_of(const Stamp& message) {
    payload.clear();
    append_stamp(payload, message);
    payload.append(plan.filler, 0, plan.filler_bytes(message));
    return payload;
}

}  // namespace parley::load
