#include "loadtest/tally.hpp"

namespace parley::load {

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
    auto found = reasons.find(reason);
    if (found == reasons.end()) {
        const std::string_view name = reasons.size() < reasons_max ? reason : "other";
        found = reasons.try_emplace(std::string(name), 0).first;
    }
    found->second += times;
}

void Tally::merge(const Tally& other) {
    latency.merge(other.latency);
    handshake.merge(other.handshake);
    answer.merge(other.answer);
    pacing_lag.merge(other.pacing_lag);
    window_from_ns = other.window_from_ns;
    window_to_ns = other.window_to_ns;
    received_in_window += other.received_in_window;
    published_in_window += other.published_in_window;
    steady.merge(other.steady);
    slow.merge(other.slow);
    opened += other.opened;
    rejoined += other.rejoined;
    failed += other.failed;
    dropped += other.dropped;
    churned += other.churned;
    published += other.published;
    refused += other.refused;
    answered += other.answered;
    answered_in_window += other.answered_in_window;
    unanswered += other.unanswered;
    reconnected += other.reconnected;
    resumed_tls += other.resumed_tls;
    withheld += other.withheld;
    for (const auto& [code, times] : other.closes) closes[code] += times;
    for (const auto& [code, times] : other.slow_closes) slow_closes[code] += times;
    for (const auto& [status, times] : other.statuses) statuses[status] += times;
    for (const auto& [reason, times] : other.failures) count_reason(failures, reason, times);
    for (const auto& [reason, times] : other.refusals) count_reason(refusals, reason, times);
}

}  // namespace parley::load
