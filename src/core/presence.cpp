#include "core/presence.hpp"

#include <algorithm>
#include <iterator>

namespace parley::core {

std::pair<Presence::Member*, Presence::Change> Presence::enter(const UserPtr& user) {
    if (Member* member = members_.find(user->who.id)) return {member, Change::none};
    return {&members_.add(Member{user}), Change::joined};
}

Presence::Change Presence::join(const UserPtr& user) {
    const auto [member, change] = enter(user);
    ++member->sessions;
    return change;
}

Presence::Change Presence::drop_if_gone(const Member& member) {
    if (member.sessions > 0 || member.lingering > 0 || member.visiting) return Change::none;
    // Held until it is out: the name that it is found by is its user's.
    const UserPtr user = member.user;
    members_.erase(user->who.id);
    return Change::left;
}

Presence::Change Presence::leave(const UserPtr& user) {
    Member* member = members_.find(user->who.id);
    if (member == nullptr) return Change::none;
    if (member->sessions > 0) --member->sessions;
    return drop_if_gone(*member);
}

void Presence::linger(const UserPtr& user, TimePoint until) {
    Member* member = members_.find(user->who.id);
    if (member == nullptr) return;
    if (member->sessions > 0) --member->sessions;
    ++member->lingering;
    if (!lingering_) lingering_ = std::make_unique<std::deque<Stay>>();
    lingering_->push_back({until, user});
}

Presence::Change Presence::visit(const UserPtr& user, TimePoint until) {
    const auto [member, change] = enter(user);
    if (!visits_) visits_ = std::make_unique<Visits>();
    if (member->visiting) {
        visits_->splice(visits_->end(), *visits_, member->visit);
        visits_->back().until = until;
    } else {
        visits_->push_back({until, user});
        member->visit = std::prev(visits_->end());
        member->visiting = 1;
    }
    return change;
}

Presence::Change Presence::end_visit(const UserPtr& user) {
    Member* member = members_.find(user->who.id);
    if (member == nullptr || !member->visiting) return Change::none;
    forget_visit(*member);
    return drop_if_gone(*member);
}

void Presence::forget_visit(Member& member) {
    visits_->erase(member.visit);
    member.visiting = 0;
    if (visits_->empty()) visits_.reset();
}

UserPtr Presence::end_oldest_lingering(bool& left) {
    UserPtr user = std::move(lingering_->front().user);
    lingering_->pop_front();
    if (lingering_->empty()) lingering_.reset();
    Member* member = members_.find(user->who.id);
    --member->lingering;
    left = drop_if_gone(*member) == Change::left;
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
    members_.each(most, [&users](const Member& member) { users.push_back(member.user->who); });
    return users;
}

}  // namespace parley::core
