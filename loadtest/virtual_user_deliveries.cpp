// What a VirtualUser does with what it is sent. Deliveries take the fast path: the text is searched,
// not parsed.
#include <charconv>
#include <variant>

#include "loadtest/json_search.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/json_codec.hpp"

namespace parley::load {
namespace {

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

}  // namespace

void VirtualUser::on_push(std::string_view text, std::int64_t now_ns, UserContext& context) {
    const Target& target = context.plan.target;
    if (target.numbered) {
        if (!text.starts_with(message_start)) return on_other_push(text, context);
        const auto offset = read_offset(text);
        if (offset) return on_delivery(text, offset, now_ns, context);
        count_reason(tally(context).failures, "a message without an offset");
        return;
    }
    if (!target.delivery.empty() && text.find(target.delivery) == std::string_view::npos) return;
    // A server that gathers may put several deliveries into one frame.
    for (auto found = find_stamp(text); found; found = find_stamp(text, found->end)) {
        on_stamp(found->stamp, std::nullopt, now_ns, context);
    }
}

void VirtualUser::on_delivery(std::string_view text, std::optional<std::uint64_t> offset,
                              std::int64_t now_ns, UserContext& context) {
    if (const auto found = find_stamp(text)) {
        on_stamp(found->stamp, offset, now_ns, context);
    } else if (offset) {
        count_arrival(check_.passed(*offset), context);
    }
}

void VirtualUser::on_stamp(const Stamp& stamp, std::optional<std::uint64_t> offset,
                           std::int64_t now_ns, UserContext& context) {
    const Scenario& scenario = context.plan.scenario;
    Tally& tally = this->tally(context);
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
        count_reason(tally(context).failures, "unreadable push: " + frame.error().message);
        return;
    }
    if (const auto* gap = std::get_if<protocol::Gap>(&frame->message)) {
        on_gap(gap->from, gap->to, context);
    } else if (const auto* error = std::get_if<protocol::Error>(&frame->message)) {
        // Where others speak for it, no message of its own was refused.
        if (entry_of(transport_).speaks) return context.refuse(index_, error->code);
        if (!slow_) count_reason(tally(context).failures, "error: " + error->code);
    }
}

void VirtualUser::on_gap(std::uint64_t from, std::uint64_t to, UserContext& context) {
    if (from <= to) counts(context).announced += check_.announce(from, to);
}

}  // namespace parley::load
