#include "core/presence.hpp"

#include <algorithm>
#include <iterator>

namespace parley::core {

Presence::Change Presence::join(const UserPtr& user) {
    const auto [member, fresh] = members_.insert(Member{user});
    ++member->sessions;
    return fresh ? Change::joined : Change::none;
}

Presence::Change Presence::drop_if_gone(Members::iterator member) {
    if (member->sessions > 0 || member->lingering > 0 || member->visit) return Change::none;
    members_.erase(member);
    return Change::left;
}

Presence::Change Presence::leave(const UserPtr& user) {
    const auto member = members_.find(user->who.id);
    if (member == members_.end()) return Change::none;
    if (member->sessions > 0) --member->sessions;
    return drop_if_gone(member);
}

void Presence::linger(const UserPtr& user, TimePoint until) {
    const auto member = members_.find(user->who.id);
    if (member == members_.end()) return;
    if (member->sessions > 0) --member->sessions;
    ++member->lingering;
    if (!lingering_) lingering_ = std::make_unique<std::deque<Stay>>();
    lingering_->push_back({until, user});
}

Presence::Change Presence::visit(const UserPtr& user, TimePoint until) {
    const auto [member, fresh] = members_.insert(Member{user});
    if (!visits_) visits_ = std::make_unique<Visits>();
    if (member->visit) {
        visits_->splice(visits_->end(), *visits_, *member->visit);
        visits_->back().until = until;
    } else {
        visits_->push_back({until, user});
        member->visit = std::prev(visits_->end());
    }
    return fresh ? Change::joined : Change::none;
}

Presence::Change Presence::end_visit(const UserPtr& user) {
    const auto member = members_.find(user->who.id);
    if (member == members_.end() || !member->visit) return Change::none;
    forget_visit(*member);
    return drop_if_gone(member);
}

void Presence::forget_visit(const Member& member) {
    visits_->erase(*member.visit);
    member.visit.reset();
    if (visits_->empty()) visits_.reset();
}

UserPtr Presence::end_oldest_lingering(bool& left) {
    UserPtr user = std::move(lingering_->front().user);
    lingering_->pop_front();
    if (lingering_->empty()) lingering_.reset();
    const auto member = members_.find(user->who.id);
    --member->lingering;
    left = drop_if_gone(member) == Change::left;
    return user;
}

std::optional<UserPtr> Presence::expire(TimePoint now, bool& left) {
    if (lingering_ && lingering_->front().until <= now) return end_oldest_lingering(left);
    if (visits_ && visits_->front().until <= now) {
        const UserPtr user = visits_->front().user;
        left = end_visit(user) == Change::left;
        return user;
    }
    return std::nullopt;
}

std::optional<TimePoint> Presence::next_expiry() const noexcept {
    std::optional<TimePoint> next;
    if (lingering_) next = lingering_->front().until;
    if (visits_) next = std::min(next.value_or(TimePoint::max()), visits_->front().until);
    return next;
}

std::vector<protocol::User> Presence::list(std::size_t most) const {
    std::vector<protocol::User> users;
    users.reserve(std::min(most, members_.size()));
    for (const auto& member : members_) {
        if (users.size() == most) break;
        users.push_back(member.user->who);
    }
    return users;
}

}  // namespace parley::core
