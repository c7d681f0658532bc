#include "core/presence.hpp"

namespace parley::core {

Presence::Change Presence::join(const UserPtr& user) {
    const auto [member, fresh] = members_.insert(Member{user});
    ++member->sessions;
    return fresh ? Change::joined : Change::none;
}

Presence::Change Presence::drop_if_gone(Members::iterator member) {
    if (member->sessions > 0 || member->lingering > 0) return Change::none;
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
    if (!lingering_) lingering_ = std::make_unique<std::deque<Lingering>>();
    lingering_->push_back({until, user});
}

std::optional<UserPtr> Presence::expire(TimePoint now, bool& left) {
    if (!lingering_ || lingering_->front().until > now) return std::nullopt;
    UserPtr user = std::move(lingering_->front().user);
    lingering_->pop_front();
    if (lingering_->empty()) lingering_.reset();
    const auto member = members_.find(user->who.id);
    --member->lingering;
    left = drop_if_gone(member) == Change::left;
    return user;
}

std::optional<TimePoint> Presence::next_expiry() const noexcept {
    if (!lingering_) return std::nullopt;
    return lingering_->front().until;
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
