#include "loadtest/tally.hpp"

#include <algorithm>

#include "protocol/utf8.hpp"

namespace parley::load {
namespace {

// The bytes of a text that is no UTF-8 mean nothing beyond ASCII.
std::string printable(std::string_view text) {
    const bool utf8 = protocol::is_valid_utf8(text);
    std::string out(text);
    std::replace_if(
        out.begin(), out.end(),
        [utf8](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8);
        },
        '?');
    return out;
}

}  // namespace

void DeliveryCounts::merge(const DeliveryCounts& other) noexcept {
    expected += other.expected;
    received += other.received;
    lost += other.lost;
    announced += other.announced;
    duplicate += other.duplicate;
    out_of_order += other.out_of_order;
    stray += other.stray;
}

void count_reason(Reasons& reasons, std::string_view reason, std::uint64_t times) {
    const std::string shown = printable(reason);
    auto found = reasons.find(shown);
    if (found == reasons.end()) {
        found = reasons.try_emplace(reasons.size() < reasons_max ? shown : "other", 0).first;
    }
    found->second += times;
}

SeriesCounts series_counts(const Tally& tally) noexcept {
    const auto faulty = [](const DeliveryCounts& c) {
        return c.duplicate + c.out_of_order + c.stray;
    };
    std::uint64_t slow_closed = 0;
    for (const auto& [code, times] : tally.slow_closes) slow_closed += times;
    SeriesCounts counts;
    counts.open =
        tally.opened + tally.rejoined - tally.churned - tally.left - tally.dropped - slow_closed;
    counts.published = tally.published;
    counts.received = tally.steady.received + tally.slow.received;
    counts.answered = tally.answered;
    counts.withheld = tally.withheld;
    counts.refused = tally.refused;
    counts.ended = tally.failed + tally.dropped;
    counts.faulty = faulty(tally.steady) + faulty(tally.slow) + tally.steady.announced;
    return counts;
}

void PhaseTally::merge(const PhaseTally& other) {
    from_ns = other.from_ns;
    to_ns = other.to_ns;
    measured = other.measured;
    published += other.published;
    withheld += other.withheld;
    received += other.received;
    answered += other.answered;
    opened += other.opened;
    latency.merge(other.latency);
    answer.merge(other.answer);
}

const PhaseTally* Tally::phase_at(std::int64_t instant_ns) const noexcept {
    const auto behind = std::upper_bound(
        phases.begin(), phases.end(), instant_ns,
        [](std::int64_t instant, const PhaseTally& phase) { return instant < phase.to_ns; });
    return behind != phases.end() && instant_ns >= behind->from_ns ? &*behind : nullptr;
}

bool Tally::in_measured_phase(std::int64_t instant_ns) const noexcept {
    const PhaseTally* const phase = phase_at(instant_ns);
    return phase != nullptr && phase->measured;
}

void Tally::end_at(std::int64_t instant_ns) noexcept {
    window_to_ns = std::max(std::min(window_to_ns, instant_ns), window_from_ns);
    for (PhaseTally& phase : phases) {
        phase.from_ns = std::min(phase.from_ns, instant_ns);
        phase.to_ns = std::min(phase.to_ns, instant_ns);
    }
}

void LastReceivers::note(const Message& message, std::int64_t now_ns) {
    // A message comes to its receivers in a row; of several that were gathered each is followed by
    // the next.
    if (latest_ + 1 < last_ns_.size() && last_ns_[latest_ + 1].first == message) ++latest_;
    if (last_ns_.empty() || last_ns_[latest_].first != message) {
        const auto [place, is_new] = places_.try_emplace(message, last_ns_.size());
        if (is_new && last_ns_.size() == messages_max) return give_up();
        if (is_new) last_ns_.emplace_back(message, now_ns);
        latest_ = place->second;
    }
    last_ns_[latest_].second = std::max(last_ns_[latest_].second, now_ns);
}

void LastReceivers::give_up() {
    *this = {};
    too_many_ = true;
}

void LastReceivers::merge(const LastReceivers& other) {
    if (other.too_many_) give_up();
    for (const auto& [message, last_ns] : other.last_ns_) {
        arrived(message.first, message.second, last_ns);
    }
}

std::optional<Histogram> LastReceivers::delays() const {
    if (too_many_) return std::nullopt;
    Histogram delays;
    for (const auto& [message, last_ns] : last_ns_) delays.record(last_ns - message.first);
    return delays;
}

void Tally::merge(const Tally& other) {
    latency.merge(other.latency);
    handshake.merge(other.handshake);
    answer.merge(other.answer);
    pacing_lag.merge(other.pacing_lag);
    last_receivers.merge(other.last_receivers);
    window_from_ns = other.window_from_ns;
    window_to_ns = other.window_to_ns;
    received_in_window += other.received_in_window;
    published_in_window += other.published_in_window;
    bytes_in_window += other.bytes_in_window;
    expected_in_window += other.expected_in_window;
    steady.merge(other.steady);
    slow.merge(other.slow);
    opened += other.opened;
    rejoined += other.rejoined;
    failed += other.failed;
    dropped += other.dropped;
    churned += other.churned;
    left += other.left;
    published += other.published;
    refused += other.refused;
    answered += other.answered;
    answered_in_window += other.answered_in_window;
    unanswered += other.unanswered;
    reconnected += other.reconnected;
    resumed_tls += other.resumed_tls;
    withheld += other.withheld;
    caught_up += other.caught_up;
    phases.resize(std::max(phases.size(), other.phases.size()));
    for (std::size_t i = 0; i < other.phases.size(); ++i) phases[i].merge(other.phases[i]);
    for (const auto& [code, times] : other.closes) closes[code] += times;
    for (const auto& [code, times] : other.slow_closes) slow_closes[code] += times;
    for (const auto& [status, times] : other.statuses) statuses[status] += times;
    for (const auto& [reason, times] : other.failures) count_reason(failures, reason, times);
    for (const auto& [reason, times] : other.refusals) count_reason(refusals, reason, times);
}

}  // namespace parley::load
