#include "loadtest/socketio_dialogue.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "loadtest/json_search.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/engineio.hpp"

namespace parley::load {
namespace {

// How packets begin: a message of Engine.IO, and the type of Socket.IO.
constexpr std::string_view disconnected = "41";
constexpr std::string_view event = "42";
constexpr std::string_view acknowledgement = "43";
constexpr std::string_view refused = "44";
// What Parley tells beside what is said.
constexpr std::string_view gap_event = R"(42["gap",)";
constexpr std::string_view error_event = R"(42["error",)";

// The id and the arguments of an acknowledgement: `43<id>[…]`, with a namespace `43/name,<id>[…]`.
struct Ack {
    std::uint64_t id;
    std::string_view arguments;
};
std::optional<Ack> read_ack(std::string_view packet) {
    packet.remove_prefix(acknowledgement.size());
    if (packet.starts_with('/')) {
        const std::size_t comma = packet.find(',');
        if (comma == std::string_view::npos) return std::nullopt;
        packet.remove_prefix(comma + 1);
    }
    Ack ack{};
    const auto [end, error] = std::from_chars(packet.data(), packet.data() + packet.size(), ack.id);
    if (error != std::errc{}) return std::nullopt;
    ack.arguments = packet.substr(static_cast<std::size_t>(end - packet.data()));
    return ack;
}

// Adds the query's parameters but those that Engine.IO has for itself.
void append_other_parameters(std::string& path, std::string_view query) {
    while (!query.empty()) {
        const std::string_view parameter = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), parameter.size() + 1));
        const std::string_view name = parameter.substr(0, parameter.find('='));
        if (name.empty() || name == "EIO" || name == "transport" || name == "sid") continue;
        path.append(1, '&').append(parameter);
    }
}

}  // namespace

void SocketIoDialogue::begin_session(const UserContext& context) {
    begin(context.plan.socketio);
    unacknowledged_.clear();
    given_up_to_ = 0;
}

std::string engine_path(std::string_view given, std::string_view transport, std::string_view sid) {
    const std::size_t mark = given.find('?');
    std::string path(given.substr(0, mark));
    path.append("?EIO=4&transport=").append(transport);
    if (mark != std::string_view::npos) append_other_parameters(path, given.substr(mark + 1));
    if (!sid.empty()) path.append("&sid=").append(sid);
    return path;
}

void SocketIoDialogue::take_packet(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                                   std::string& out, UserContext& context) {
    using Type = protocol::EngineType;
    const auto decoded = protocol::decode_engine_packet(packet);
    switch (decoded ? decoded->type : Type::upgrade) {
        case Type::open:
            on_open(user, packet, context);
            if (user.state() != VirtualUser::State::opening) return;
            if (is_awaited(user, packet, context)) return step_on(user, now_ns, out, context);
            return take_steps(user, now_ns, out, context);
        case Type::close:
            return user.cut_off("the server closed the session", context);
        case Type::ping:
            return say("3", out, context);
        case Type::message:
            return on_message(user, packet, now_ns, out, context);
        case Type::noop:  // answers a poll that has nothing else to wait for
            return;
        case Type::pong:
        case Type::upgrade:
            return user.on_broken(
                "no packet that a server sends: '" + std::string(packet.substr(0, 40)) + "'",
                context);
    }
}

void SocketIoDialogue::on_message(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                                  std::string& out, UserContext& context) {
    if (packet.starts_with(disconnected)) {
        return user.cut_off("disconnected by the server", context);
    }
    if (reply_to(packet, out, context)) return;
    if (user.state() == VirtualUser::State::opening) {
        return on_joining(user, packet, now_ns, out, context);
    }
    if (user.state() != VirtualUser::State::ready) return;
    if (packet.starts_with(acknowledgement)) return on_ack(user, packet, now_ns, context);
    if (packet.starts_with(event)) on_event(user, packet, now_ns, context);
}

void SocketIoDialogue::on_joining(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                                  std::string& out, UserContext& context) {
    if (packet.starts_with(refused)) {
        const std::string_view why = find_json_string(packet, R"("message":")");
        return user.fail("connect refused: " + std::string(why.empty() ? packet : why), context);
    }
    if (target().numbered && packet.starts_with(error_event)) {
        const std::string_view code = find_json_string(packet, R"("code":")");
        return user.fail("join refused: " + std::string(code.empty() ? packet : code), context);
    }
    if (!is_awaited(user, packet, context)) return;
    // The history ends where the room does.
    if (target().numbered && packet.starts_with(event)) {
        if (const auto offset = find_last_json_number(packet, R"("offset":)")) {
            user.on_position(*offset);
        }
    }
    step_on(user, now_ns, out, context);
}

void SocketIoDialogue::on_event(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                                UserContext& context) const {
    if (packet.find(target().delivery) == std::string_view::npos) {
        if (target().numbered) on_notice(user, packet, context);
        return;
    }
    if (!target().numbered) return user.on_delivery(packet, std::nullopt, now_ns, context);
    const auto offset = find_last_json_number(packet, R"("offset":)");
    if (offset) return user.on_delivery(packet, offset, now_ns, context);
    count_reason(user.tally(context).failures, "a message without an offset");
}

void SocketIoDialogue::on_notice(VirtualUser& user, std::string_view packet, UserContext& context) {
    if (packet.starts_with(error_event)) {
        // An error in answer to a message comes as its acknowledgement.
        const std::string_view code = find_json_string(packet, R"("code":")");
        return count_reason(user.tally(context).failures, "error: " + std::string(code));
    }
    if (!packet.starts_with(gap_event)) return;
    const auto from = find_last_json_number(packet, R"("from":)");
    const auto to = find_last_json_number(packet, R"("to":)");
    if (from && to) return user.on_gap(*from, *to, context);
    count_reason(user.tally(context).failures, "a gap without its offsets");
}

void SocketIoDialogue::publish(const Stamp& message, std::string& out, UserContext& context) {
    if (target().acknowledged) unacknowledged_.push_back(message);
    TargetDialogue::publish(message, out, context);
}

void SocketIoDialogue::on_ack(VirtualUser& user, std::string_view packet, std::int64_t now_ns,
                              UserContext& context) {
    const auto ack = read_ack(packet);
    if (ack && ack->id <= given_up_to_) return;
    const auto found =
        std::find_if(unacknowledged_.begin(), unacknowledged_.end(),
                     [&ack](const Stamp& sent) { return ack && sent.sequence == ack->id; });
    if (found == unacknowledged_.end()) {
        count_reason(user.tally(context).failures, "an acknowledgement of nothing that was sent");
        return;
    }
    const Stamp message = *found;
    unacknowledged_.erase(found);
    const std::string_view code = find_json_string(ack->arguments, R"("code":")");
    if (!code.empty()) return context.refuse(message.publisher, code);
    context.accept(message, now_ns);
}

void SocketIoDialogue::give_up(UserContext& context) {
    if (!unacknowledged_.empty()) given_up_to_ = unacknowledged_.back().sequence;
    for (const Stamp& message : unacknowledged_) {
        ++context.tally_of_user(message.publisher).unanswered;
    }
    unacknowledged_.clear();
}

}  // namespace parley::load
