#include "loadtest/virtual_user.hpp"

#include <algorithm>
#include <utility>

namespace parley::load {

VirtualUser::VirtualUser(std::uint32_t index, const Plan& plan)
    : check_(plan.scenario.publishers_in(plan.scenario.room_of(index))),
      room_name_(plan.room_name(plan.scenario.room_of(index))),
      index_(index),
      room_(plan.scenario.room_of(index)),
      slow_(plan.scenario.is_slow(index)) {
    const bool sender = index >= plan.scenario.connections;
    transport_ = sender ? Transport::rest : plan.scenario.transport_of(index);
    tally_ = static_cast<std::uint8_t>(UserContext::tally_index(plan.scenario, index));
    const Persona* const persona = plan.scenario.persona_of(index);
    resumes_life_ = persona != nullptr && persona->resumes;
    const TransportEntry& entry = entry_of(transport_);
    listens_ = entry.listens;
    dialogue_ = entry.make_dialogue();
}

void VirtualUser::open(std::string& out, std::int64_t now_ns, bool from_start,
                       UserContext& context) {
    ++lives_;
    state_ = State::opening;
    from_start_ = from_start;
    opened_ns_ = now_ns;
    came_back_ = false;
    check_.begin(from_start, 0, false);
    dialogue_->open(*this, false, out, context);
}

void VirtualUser::come_back(std::string& out, std::int64_t now_ns, UserContext& context) {
    ++lives_;
    state_ = State::opening;
    opened_ns_ = now_ns;
    ready_ns_ = never_ns;
    came_back_ = true;
    dialogue_->open(*this, false, out, context);
}

void VirtualUser::vanish(UserContext& context) {
    state_ = State::closed;
    dialogue_->give_up(context);
}

void VirtualUser::reopen(std::string& out, UserContext& context) {
    ++tally(context).reconnected;
    dialogue_->open(*this, true, out, context);
}

void VirtualUser::receive(std::span<char> bytes, std::int64_t now_ns, std::string& out,
                          UserContext& context) {
    dialogue_->receive(*this, bytes, now_ns, out, context);
}

void VirtualUser::publish(const Stamp& message, std::string& out, UserContext& context) {
    dialogue_->publish(message, out, context);
}

void VirtualUser::leave(std::string& out, UserContext& context) {
    state_ = dialogue_->leave(out, context) ? State::leaving : State::closed;
}

void VirtualUser::on_position(std::uint64_t offset) {
    if (!came_back_) check_.begin(from_start_, offset, true);
}

void VirtualUser::on_ready(std::int64_t now_ns, UserContext& context) {
    state_ = State::ready;
    Tally& tally = this->tally(context);
    tally.handshake.record(now_ns - opened_ns_);
    ++(lives_ == 1 ? tally.opened : tally.rejoined);
    ready_ns_ = now_ns;
    if (PhaseTally* const phase = tally.phase_at(now_ns)) ++phase->opened;
}

void VirtualUser::on_close(std::uint16_t code, UserContext& context) {
    const State was = std::exchange(state_, State::closed);
    if (was == State::leaving) return;
    if (was != State::ready) {
        state_ = was;
        fail("closed with code " + std::to_string(code) + " before it was ready", context);
        return;
    }
    dialogue_->give_up(context);
    settle(std::nullopt, context);
    Tally& tally = this->tally(context);
    ++(slow_ ? tally.slow_closes : tally.closes)[code];
    if (!slow_) ++tally.dropped;
}

void VirtualUser::cut_off(std::string_view why, UserContext& context) {
    constexpr std::uint16_t without_close_frame = 1006;
    if (state_ == State::closed) return;
    if (state_ == State::ready || state_ == State::leaving) {
        on_close(without_close_frame, context);
    } else {
        fail(why, context);
    }
}

void VirtualUser::on_broken(std::string_view why, UserContext& context) {
    if (state_ == State::ready) count_reason(tally(context).failures, why);
    cut_off(why, context);
}

void VirtualUser::fail(std::string_view why, UserContext& context) {
    // Its books have been open since it left, and nobody comes back to them. Once closed they are
    // closed.
    if (came_back_ && state_ == State::opening) settle(std::nullopt, context);
    state_ = State::closed;
    ++tally(context).failed;
    count_reason(tally(context).failures, why);
}

void VirtualUser::begin_books() {
    check_.begin_books();
    lives_ = 1;
    from_start_ = true;
}

void VirtualUser::settle(std::optional<std::uint64_t> due, UserContext& context) {
    DeliveryCounts& total = counts(context);
    const std::uint64_t known = accounted();
    // Announced offsets may include publications that are not ours, hence the maximum.
    const std::uint64_t expected = due ? std::max(*due, known) : known + check_.missing();
    total.expected += expected;
    total.lost += expected - known;
}

}  // namespace parley::load
