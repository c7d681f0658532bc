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
// the first occurrence is the message's own. `hint`: where it was last time; in a run whose rooms'
// names are equally long it is there again.
std::optional<std::uint64_t> read_offset(std::string_view text, std::size_t& hint) {
    constexpr std::string_view name = R"("offset":)";
    std::size_t at = hint;
    if (at == 0 || at >= text.size() || !text.substr(at).starts_with(name)) {
        at = text.find(name, message_start.size());
        if (at == std::string_view::npos) return std::nullopt;
        hint = at;
    }
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
        const auto offset = read_offset(text, context.offset_at);
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
    const std::vector<Plan::Place>& places = context.plan.places;
    Tally& tally = this->tally(context);
    if (stamp.publisher >= places.size() || places[stamp.publisher].room != room_) {
        ++counts(context).stray;
        if (offset) count_arrival(check_.passed(*offset), context);
        return;
    }
    const std::uint32_t member = places[stamp.publisher].member;
    const auto arrival = offset ? check_.arrived_at(*offset, member, stamp.sequence)
                                : check_.arrived(member, stamp.sequence);
    count_arrival(arrival, context);
    if (arrival == DeliveryCheck::Arrival::duplicate) return;
    ++counts(context).received;
    if (tally.in_window(now_ns)) ++tally.received_in_window;
    // What was said while the user was away says nothing of how fast it is delivered.
    const bool caught_up = came_back_ && stamp.intended_ns < ready_ns_;
    if (caught_up) ++tally.caught_up;
    if (!tally.phases.empty()) count_in_phases(stamp, now_ns, !slow_ && !caught_up, tally);
    // Counted from the intended time: a send that had to wait is charged to whoever made it wait.
    if (slow_ || caught_up) return;
    const std::int64_t latency_ns = now_ns - stamp.intended_ns;
    context.series.record(now_ns, latency_ns);
    if (!tally.in_window(stamp.intended_ns)) return;
    tally.latency.record(latency_ns);
    tally.last_receivers.arrived(stamp.intended_ns, stamp.publisher, now_ns);
}

void VirtualUser::count_in_phases(const Stamp& stamp, std::int64_t now_ns, bool timed,
                                  Tally& tally) {
    if (PhaseTally* const phase = tally.phase_at(now_ns)) ++phase->received;
    PhaseTally* const meant = timed ? tally.phase_at(stamp.intended_ns) : nullptr;
    if (meant != nullptr) meant->latency.record(now_ns - stamp.intended_ns);
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

void VirtualUser::on_history(std::string_view messages, std::uint64_t last, bool recovered,
                             std::int64_t now_ns, UserContext& context) {
    const std::size_t first = messages.find(message_start);
    const std::uint64_t known = last_offset().value_or(0);
    std::size_t hint = 0;
    if (!recovered) {
        const auto offset = first == std::string_view::npos
                                ? std::nullopt
                                : read_offset(messages.substr(first), hint);
        on_gap(known + 1, offset.value_or(last + 1) - 1, context);
    }
    for (std::size_t at = first; at != std::string_view::npos;) {
        const std::size_t next = messages.find(message_start, at + message_start.size());
        const std::string_view message = messages.substr(at, next - at);
        // Of the newest ones some may be known.
        const auto offset = read_offset(message, hint);
        if (recovered || offset.value_or(0) > known) on_push(message, now_ns, context);
        at = next;
    }
}

void VirtualUser::on_gap(std::uint64_t from, std::uint64_t to, UserContext& context) {
    if (from <= to) counts(context).announced += check_.announce(from, to);
}

}  // namespace parley::load
