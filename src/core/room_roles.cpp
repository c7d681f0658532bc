#include "core/room_roles.hpp"

#include <algorithm>
#include <utility>

#include "core/limits.hpp"
#include "core/session.hpp"

namespace parley::core {
namespace {

// What a role is from then on; nothing in it where it has not ended.
std::optional<RoomRole> ended(const RoomRole& role, WallTime now) {
    if (!role.until || *role.until > now) return std::nullopt;
    return RoomRole{role.user, role.after, std::nullopt, Role::none};
}

}  // namespace

RoomRoles::RoomRoles(const RoomRule* rule, RoomRecord&& record, WallTime now)
    : rule_(rule), topic_(std::move(record.topic)) {
    for (RoomRole& role : record.roles) set(ended(role, now).value_or(std::move(role)));
}

RoomKind RoomRoles::kind() const noexcept {
    return rule_ == nullptr ? RoomKind::open : rule_->kind;
}

bool RoomRoles::is_configured_owner(std::string_view name_or_id) const noexcept {
    return rule_ != nullptr && std::ranges::find(rule_->owners, name_or_id) != rule_->owners.end();
}

Role RoomRoles::unlifted_role_of(const User& user) const noexcept {
    // Another system may call its users what it likes: they own by their id alone.
    const bool owns =
        is_signed_in(user) &&
        (is_configured_owner(user.who.id) ||
         (user.grant()->kind != Grant::Kind::jwt && is_configured_owner(user.who.name)));
    return owns ? Role::owner : assigned_role(user.who.id);
}

Role RoomRoles::role_of(const User& user) const noexcept {
    const Grant* const grant = user.grant();
    const Role role = unlifted_role_of(user);
    // Whom an owner has muted or banned a token does not help.
    const bool lifts = grant != nullptr && grant->moderates && role >= Role::none;
    return lifts ? std::max(role, Role::moderator) : role;
}

Role RoomRoles::standing_of(std::string_view id, Role role) const noexcept {
    const RoomRole* const now = assigned(id);
    return now == nullptr ? role : std::max(role, now->after);
}

Role RoomRoles::role_of(const protocol::User& user) const noexcept {
    if (is_configured_owner(user.id) || is_configured_owner(user.name)) return Role::owner;
    return assigned_role(user.id);
}

Role RoomRoles::assigned_role(std::string_view id) const noexcept {
    const RoomRole* const role = assigned(id);
    return role == nullptr ? Role::none : role->role;
}

const RoomRole* RoomRoles::assigned(std::string_view id) const noexcept {
    const auto found = roles_.find(id);
    return found == roles_.end() ? nullptr : &found->second;
}

const RoomRole* RoomRoles::assigned_by_name(std::string_view name) const noexcept {
    const auto found = std::ranges::find_if(
        roles_, [name](const auto& entry) { return entry.second.user.name == name; });
    return found == roles_.end() ? nullptr : &found->second;
}

std::optional<protocol::Error> RoomRoles::refuse(const User& user, Act act) const {
    const Role role = role_of(user);
    if (core::may(role, act, kind())) return std::nullopt;
    const RoomRole* const made = assigned(user.who.id);
    return make_error(errc::forbidden,
                      refusal_text(role, made ? made->until : std::nullopt, act, kind()));
}

bool RoomRoles::may_claim(const User& user) const noexcept {
    if (kind() == RoomKind::open || !is_signed_in(user) || !rule_->owners.empty()) return false;
    if (role_of(user) < Role::none) return false;
    return std::ranges::none_of(roles_,
                                [](const auto& entry) { return entry.second.role == Role::owner; });
}

bool RoomRoles::has_room_for(std::string_view id) const noexcept {
    return roles_.size() < limits::room_roles_max || assigned(id) != nullptr;
}

bool RoomRoles::is_last_owner(std::string_view id) const noexcept {
    if (rule_ != nullptr && !rule_->owners.empty()) return false;
    const auto lasts = [](const RoomRole& role) { return role.role == Role::owner && !role.until; };
    const RoomRole* const own = assigned(id);
    return own != nullptr && lasts(*own) && std::ranges::count_if(roles_, [&](const auto& entry) {
                                                return lasts(entry.second);
                                            }) == 1;
}

RoomRole RoomRoles::made(const protocol::User& user, Role role,
                         std::optional<WallTime> until) const {
    const RoomRole* const before = assigned(user.id);
    if (before == nullptr) return {user, role, until, Role::none};
    const bool passes = before->until || before->role == Role::muted;
    const Role lasting = passes ? before->after : before->role;
    if (role == Role::none) return {user, passes ? lasting : Role::none, std::nullopt, Role::none};
    // A ban for good leaves nothing to come back to.
    return {user, role, until, until || role == Role::muted ? lasting : Role::none};
}

void RoomRoles::set(RoomRole role) {
    if (role.role == Role::none && !role.until) {
        roles_.erase(role.user.id);
        return;
    }
    std::string id = role.user.id;
    roles_.insert_or_assign(std::move(id), std::move(role));
}

std::optional<WallTime> RoomRoles::next_end() const noexcept {
    std::optional<WallTime> next;
    for (const auto& [id, role] : roles_) {
        if (role.until) next = std::min(next.value_or(*role.until), *role.until);
    }
    return next;
}

std::vector<RoomRole> RoomRoles::end_until(WallTime now) {
    std::vector<RoomRole> changed;
    for (const auto& [id, role] : roles_) {
        if (auto now_is = ended(role, now)) changed.push_back(std::move(*now_is));
    }
    for (const RoomRole& role : changed) set(role);
    return changed;
}

}  // namespace parley::core
