// What a VirtualUser does with the frames that it is sent: the server's subscribe dialogue, then
// deliveries. Deliveries take the fast path: the text is searched, not parsed.
#include <charconv>
#include <variant>

#include "loadtest/virtual_user.hpp"
#include "protocol/cursor.hpp"
#include "protocol/json_codec.hpp"

namespace parley::load {
namespace {

constexpr std::string_view message_start = R"({"type":"message")";

// The number behind `"offset":`. The server writes it before the text, where quotes are escaped, so
// the first occurrence is the message's own.
std::optional<std::uint64_t> read_offset(std::string_view text) {
    constexpr std::string_view name = R"("offset":)";
    const std::size_t at = text.find(name, message_start.size());
    if (at == std::string_view::npos) return std::nullopt;
    const char* const first = text.data() + at + name.size();
    std::uint64_t offset = 0;
    const auto result = std::from_chars(first, text.data() + text.size(), offset);
    if (result.ec != std::errc{}) return std::nullopt;
    return offset;
}

// The first value of `name`, which is written `"name":"`, up to its closing quote. In `joined` the
// reply's own room and cursor stand before the history, whose messages have them too.
std::string_view read_string(std::string_view text, std::string_view name) {
    const std::size_t at = text.find(name);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = text.substr(at + name.size());
    return rest.substr(0, rest.find('"'));
}

}  // namespace

void VirtualUser::on_text(std::string_view text, std::int64_t now_ns, std::string& out,
                          UserContext& context) {
    for (const Target::Reply& reply : context.plan.target.replies) {
        if (text != reply.match) continue;
        const protocol::MaskKey mask = context.luck.mask();
        protocol::append_frame(out, protocol::Opcode::text, reply.answer, false, &mask);
        return;
    }
    if (state_ == State::joining) {
        on_joining(text, now_ns, out, context);
    } else if (state_ == State::ready) {
        on_push(text, now_ns, context);
    }
}

void VirtualUser::on_joining(std::string_view text, std::int64_t now_ns, std::string& out,
                             UserContext& context) {
    const Target& target = context.plan.target;
    context.text.clear();
    append_filled(context.text, target.steps[step_].text, {room_name_, index_, {}});
    if (text.find(context.text) == std::string_view::npos) {
        if (target.numbered && text.starts_with(R"({"type":"error")")) {
            const auto frame = protocol::decode_server_frame(text);
            const auto* error = frame ? std::get_if<protocol::Error>(&frame->message) : nullptr;
            fail("join refused: " + (error != nullptr ? error->code : std::string(text)), context);
        }
        return;
    }
    if (target.numbered) {
        const std::string_view room = read_string(text, R"("room":")");
        if (room != room_name_) return fail("joined another room than it asked for", context);
        const auto cursor = protocol::Cursor::parse(read_string(text, R"("cursor":")"));
        if (!cursor) return fail("joined without a cursor", context);
        check_.begin(from_start_, cursor->offset, true);
    }
    ++step_;
    take_steps(now_ns, out, context);
}

void VirtualUser::on_push(std::string_view text, std::int64_t now_ns, UserContext& context) {
    const Target& target = context.plan.target;
    std::optional<std::uint64_t> offset;
    if (target.numbered) {
        if (!text.starts_with(message_start)) return on_other_push(text, context);
        offset = read_offset(text);
        if (!offset) {
            count_reason(context.tally.failures, "a message without an offset");
            return;
        }
    } else if (!target.delivery.empty() && text.find(target.delivery) == std::string_view::npos) {
        return;
    }
    auto found = find_stamp(text);
    if (!found && offset) count_arrival(check_.passed(*offset), context);
    if (offset) {
        if (found) on_stamp(found->stamp, offset, now_ns, context);
        return;
    }
    // A server that gathers may put several deliveries into one frame.
    for (; found; found = find_stamp(text, found->end)) {
        on_stamp(found->stamp, std::nullopt, now_ns, context);
    }
}

void VirtualUser::on_stamp(const Stamp& stamp, std::optional<std::uint64_t> offset,
                           std::int64_t now_ns, UserContext& context) {
    const Scenario& scenario = context.plan.scenario;
    Tally& tally = context.tally;
    if (stamp.publisher >= scenario.publishers() || scenario.room_of(stamp.publisher) != room_) {
        ++counts(context).stray;
        if (offset) count_arrival(check_.passed(*offset), context);
        return;
    }
    const std::uint32_t member = scenario.member_of(stamp.publisher);
    const auto arrival = offset ? check_.arrived_at(*offset, member, stamp.sequence)
                                : check_.arrived(member, stamp.sequence);
    count_arrival(arrival, context);
    if (arrival == DeliveryCheck::Arrival::duplicate) return;
    ++counts(context).received;
    if (tally.in_window(now_ns)) ++tally.received_in_window;
    // Counted from the intended time: a send that had to wait is charged to whoever made it wait.
    if (!slow_ && tally.in_window(stamp.intended_ns)) {
        tally.latency.record(now_ns - stamp.intended_ns);
    }
}

void VirtualUser::count_arrival(DeliveryCheck::Arrival arrival, UserContext& context) {
    switch (arrival) {
        case DeliveryCheck::Arrival::in_order:
            return;
        case DeliveryCheck::Arrival::out_of_order:
            ++counts(context).out_of_order;
            return;
        case DeliveryCheck::Arrival::duplicate:
            ++counts(context).duplicate;
            return;
    }
}

void VirtualUser::on_other_push(std::string_view text, UserContext& context) {
    const auto frame = protocol::decode_server_frame(text);
    if (!frame) {
        count_reason(context.tally.failures, "unreadable push: " + frame.error().message);
        return;
    }
    if (const auto* gap = std::get_if<protocol::Gap>(&frame->message)) {
        counts(context).announced += check_.announce(gap->from, gap->to);
    } else if (const auto* error = std::get_if<protocol::Error>(&frame->message)) {
        ++refused_;
        ++context.tally.refused;
        count_reason(context.tally.refusals, error->code);
    }
}

}  // namespace parley::load
