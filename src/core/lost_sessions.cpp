#include "core/lost_sessions.hpp"

#include <utility>

#include "core/metrics.hpp"

namespace parley::core {

LostSessions::~LostSessions() {
    metrics_->move(Level::lost_sessions, kept_.size(), 0);
}

void LostSessions::keep(std::string key, LostSession&& session, const Terms& terms) {
    if (terms.most == 0) return;
    if (const auto known = by_key_.find(key); known != by_key_.end()) forget(known->second);
    while (kept_.size() >= terms.most) {
        forget(kept_.begin());
        metrics_->add(Metric::lost_sessions_dropped);
    }
    kept_.push_back({std::move(key), std::move(session), terms.until});
    by_key_.emplace(kept_.back().key, std::prev(kept_.end()));
    metrics_->add(Metric::lost_sessions_kept);
    metrics_->move(Level::lost_sessions, 0, 1);
    arm();
}

void LostSessions::hold(std::string_view key, HeldSession& session) {
    held_.emplace(key, &session);
}

void LostSessions::let_go(std::string_view key, const HeldSession& session) noexcept {
    // It may be another's already, who took it up.
    const auto held = held_.find(key);
    if (held != held_.end() && held->second == &session) held_.erase(held);
}

std::optional<LostSession> LostSessions::take(std::string_view key) {
    if (const auto held = held_.find(key); held != held_.end()) {
        HeldSession& session = *held->second;
        held_.erase(held);
        return session.surrender();
    }
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    std::optional<LostSession> session(std::move(found->second->session));
    forget(found->second);
    arm();
    return session;
}

void LostSessions::forget(List::iterator kept) {
    by_key_.erase(kept->key);
    kept_.erase(kept);
    metrics_->move(Level::lost_sessions, 1, 0);
}

void LostSessions::ExpiryTimer::fire(Timer& timer) noexcept {
    static_cast<ExpiryTimer&>(timer).owner->expire();
}

void LostSessions::expire() noexcept {
    // The timer fires at the oldest one's end, rounded up: whoever shares its time goes with it.
    const TimePoint due = kept_.front().until;
    while (!kept_.empty() && kept_.front().until <= due) {
        forget(kept_.begin());
        metrics_->add(Metric::lost_sessions_expired);
    }
    arm();
}

void LostSessions::arm() noexcept {
    if (kept_.empty()) {
        timer_.cancel();
    } else {
        timers_->arm(timer_, kept_.front().until);
    }
}

}  // namespace parley::core
