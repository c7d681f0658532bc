#include "loadtest/virtual_user.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "protocol/websocket_handshake.hpp"

namespace parley::load {
namespace {

constexpr std::size_t head_bytes_max = 16384;
constexpr std::size_t message_bytes_max = std::size_t{16} << 20;
constexpr std::string_view filler_alphabet =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

std::string make_key(Luck& luck) {
    std::array<unsigned char, 16> nonce{};
    const std::array<std::uint64_t, 2> bits{luck.next(), luck.next()};
    std::memcpy(nonce.data(), bits.data(), nonce.size());
    std::array<unsigned char, 25> base64{};  // 24 characters and EVP_EncodeBlock's NUL
    const int length =
        ::EVP_EncodeBlock(base64.data(), nonce.data(), static_cast<int>(nonce.size()));
    return {base64.begin(), base64.begin() + length};
}

void append_text_frame(std::string& out, std::string_view text, UserContext& context) {
    const protocol::MaskKey mask = context.luck.mask();
    protocol::append_frame(out, protocol::Opcode::text, text, false, &mask);
}

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
    const std::size_t rest =
        scenario.payload_bytes - std::min<std::size_t>(scenario.payload_bytes, stamp_bytes);
    for (std::size_t i = 0; i < rest; ++i) {
        filler.push_back(filler_alphabet[i % filler_alphabet.size()]);
    }
}

std::string Plan::room_name(std::uint32_t room) const {
    return scenario.room_prefix + "-" + std::to_string(room);
}

VirtualUser::VirtualUser(std::uint32_t index, const Plan& plan)
    : check_(plan.scenario.spread),
      room_name_(plan.room_name(plan.scenario.room_of(index))),
      index_(index),
      room_(plan.scenario.room_of(index)),
      slow_(plan.scenario.is_slow(index)) {}

void VirtualUser::open(std::string& out, std::int64_t now_ns, bool from_start,
                       UserContext& context) {
    ++lives_;
    state_ = State::upgrading;
    from_start_ = from_start;
    opened_ns_ = now_ns;
    step_ = 0;
    head_.clear();
    decoder_.reset();
    check_.begin(from_start, 0, false);
    key_ = make_key(context.luck);
    const Target& target = context.plan.target;
    protocol::ClientUpgrade upgrade;
    upgrade.host = context.plan.host;
    append_filled(upgrade.path, target.path, {room_name_, index_, {}});
    upgrade.key = key_;
    upgrade.subprotocol = target.subprotocol;
    protocol::append_upgrade_request(out, upgrade);
}

void VirtualUser::receive(std::span<char> bytes, std::int64_t now_ns, std::string& out,
                          UserContext& context) {
    if (state_ == State::upgrading) bytes = take_head(bytes, now_ns, out, context);
    while (!bytes.empty() && state_ != State::closed && state_ != State::upgrading) {
        const auto step = decoder_->feed(bytes);
        on_event(step, now_ns, out, context);
        bytes = bytes.subspan(step.consumed);
    }
}

std::span<char> VirtualUser::take_head(std::span<char> bytes, std::int64_t now_ns, std::string& out,
                                       UserContext& context) {
    constexpr std::string_view empty_line = "\r\n\r\n";
    const std::size_t before = head_.size();
    head_.append(bytes.data(), bytes.size());
    const std::size_t from = before < empty_line.size() ? 0 : before - (empty_line.size() - 1);
    const std::size_t end = head_.find(empty_line, from);
    if (end == std::string::npos) {
        if (head_.size() > head_bytes_max) fail("the upgrade's answer has no end", context);
        return {};
    }
    const std::size_t head_size = end + empty_line.size();
    std::string error;
    if (!protocol::check_upgrade_response(std::string_view(head_).substr(0, head_size), key_,
                                          error)) {
        const std::string first_line = head_.substr(0, head_.find("\r\n"));
        fail("upgrade: " + error + " (" + first_line.substr(0, 80) + ")", context);
        return {};
    }
    head_ = std::string();
    key_ = std::string();
    decoder_.emplace(context.plan.decoder);
    state_ = State::joining;
    take_steps(now_ns, out, context);
    return bytes.subspan(head_size - before);
}

void VirtualUser::take_steps(std::int64_t now_ns, std::string& out, UserContext& context) {
    const auto& steps = context.plan.target.steps;
    for (; step_ < steps.size(); ++step_) {
        if (steps[step_].kind == Target::Step::Kind::expect) return;
        context.text.clear();
        append_filled(context.text, steps[step_].text, {room_name_, index_, {}});
        append_text_frame(out, context.text, context);
    }
    state_ = State::ready;
    context.tally.handshake.record(now_ns - opened_ns_);
    ++(lives_ == 1 ? context.tally.opened : context.tally.rejoined);
}

void VirtualUser::on_event(const protocol::WebSocketDecoder::Step& step, std::int64_t now_ns,
                           std::string& out, UserContext& context) {
    using Event = protocol::WebSocketDecoder::Event;
    switch (step.event) {
        case Event::need_more:
        case Event::pong:
            return;
        case Event::message:
            on_text(decoder_->payload(), now_ns, out, context);
            return;
        case Event::ping: {
            const protocol::MaskKey mask = context.luck.mask();
            protocol::append_frame(out, protocol::Opcode::pong, decoder_->payload(), false, &mask);
            return;
        }
        case Event::close: {
            const std::uint16_t code = decoder_->close_code();
            const protocol::MaskKey mask = context.luck.mask();
            // The side that said goodbye first is not answered again.
            if (state_ != State::leaving) protocol::append_close_frame(out, code, {}, &mask);
            on_close(code, context);
            return;
        }
        case Event::failed: {
            const protocol::MaskKey mask = context.luck.mask();
            protocol::append_close_frame(out, decoder_->close_code(), {}, &mask);
            const std::string why = "broken frame: " + std::string(decoder_->error());
            if (state_ == State::ready) count_reason(context.tally.failures, why);
            cut_off(why, context);
            return;
        }
    }
}

void VirtualUser::publish(std::int64_t intended_ns, std::string& out, UserContext& context) {
    ++published_;
    ++context.tally.published;
    if (context.tally.in_window(intended_ns)) ++context.tally.published_in_window;
    context.payload.clear();
    append_stamp(context.payload, {intended_ns, index_, published_});
    context.payload += context.plan.filler;
    context.text.clear();
    append_filled(context.text, context.plan.target.publish, {room_name_, index_, context.payload});
    append_text_frame(out, context.text, context);
}

void VirtualUser::leave(std::string& out, UserContext& context) {
    const protocol::MaskKey mask = context.luck.mask();
    constexpr std::uint16_t normal_closure = 1000;
    protocol::append_close_frame(out, normal_closure, {}, &mask);
    state_ = State::leaving;
}

void VirtualUser::on_close(std::uint16_t code, UserContext& context) {
    const State was = std::exchange(state_, State::closed);
    if (was == State::leaving) return;
    if (was != State::ready) {
        state_ = was;
        fail("closed with code " + std::to_string(code) + " before it was ready", context);
        return;
    }
    settle(std::nullopt, context);
    ++(slow_ ? context.tally.slow_closes : context.tally.closes)[code];
    if (!slow_) ++context.tally.dropped;
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

void VirtualUser::fail(std::string_view why, UserContext& context) {
    state_ = State::closed;
    ++context.tally.failed;
    count_reason(context.tally.failures, why);
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
