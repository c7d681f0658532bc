// The half of RoomHome that knows who may do what.
#include <utility>

#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/direct.hpp"
#include "core/hub.hpp"
#include "core/room_home.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"
#include "protocol/direct_room.hpp"

namespace parley::core {
namespace {

// What a room without any says of itself.
RoomRoles no_roles(const Shard& shard, std::string_view room) {
    return {rule_of(shard.hub().config().rooms, room), {}, shard.now().wall};
}

protocol::RoomInfo info_of(const RoomRoles& roles, const User& user) {
    protocol::RoomInfo info;
    info.kind = roles.kind();
    info.topic = roles.topic();
    info.role = roles.role_of(user);
    for (std::size_t i = 0; i < act_names.size(); ++i) {
        if (roles.may(user, static_cast<Act>(i))) info.may.emplace_back(act_names[i]);
    }
    if (!roles.may(user, Act::moderate)) return info;
    info.roles.emplace();
    for (const auto& [id, role] : roles.all()) {
        info.roles->push_back(
            {role.user, role.role, role.until ? format_rfc3339(*role.until) : std::string()});
    }
    return info;
}

}  // namespace

Standing RoomHome::standing_of(const User& user) const noexcept {
    if (!acts_) return {};
    const RoomRoles& roles = acts_->roles();
    return {roles.may(user, Act::read), roles.may(user, Act::send)};
}

bool RoomHome::may_moderate(const User& user) const {
    if (protocol::is_direct_room(audience_->name())) return false;
    return acts_ ? acts_->roles().may(user, Act::moderate)
                 : no_roles(*shard_, audience_->name()).may(user, Act::moderate);
}

protocol::RoomInfo RoomHome::info_for(const User& user) const {
    protocol::RoomInfo info =
        acts_ ? info_of(acts_->roles(), user) : info_of(no_roles(*shard_, audience_->name()), user);
    info.room = audience_->name();
    info.count = presence_.count();
    return info;
}

bool RoomHome::holds_roles() const noexcept {
    return acts_ && !acts_->roles().is_blank() && shard_->hub().records() == nullptr;
}

std::optional<ActAnswer> RoomHome::act(const UserPtr& by, RoomAct&& act,
                                       const Later<ActAnswer>& later) {
    if (!acts_) {
        if (auto refused = RoomActs::refuse(*shard_, audience_->name(),
                                            no_roles(*shard_, audience_->name()), by, act)) {
            return ActAnswer(std::move(*refused));
        }
        acts_ = std::make_unique<RoomActs>(*shard_, *audience_, RoomRecord());
    } else if (auto refused =
                   RoomActs::refuse(*shard_, audience_->name(), acts_->roles(), by, act)) {
        return ActAnswer(std::move(*refused));
    }
    acts_->act(by, std::move(act), later());
    return std::nullopt;
}

// ---- rooms that may not be there -------------------------------------------------------------

std::optional<protocol::Error> refuse_at_home(Shard& home, std::string_view room, const User& user,
                                              Act act) {
    // Both are equal in a room of two, and nobody else is anything there.
    if (protocol::is_direct_room(room)) {
        if (auto refused = refuse_outsider(user, room)) return refused;
        const bool theirs =
            act == Act::read || act == Act::send || act == Act::edit || act == Act::remove;
        if (theirs) return std::nullopt;
        return make_error(errc::forbidden, "nobody moderates a room of two");
    }
    const Audience* const audience = home.find_audience(room);
    if (audience != nullptr && audience->home() != nullptr) {
        return audience->home()->refuse(user, act);
    }
    const RoomRule* const rule = rule_of(home.hub().config().rooms, room);
    if (rule == nullptr || rule->kind == RoomKind::open) return std::nullopt;
    return no_roles(home, room).refuse(user, act);
}

std::optional<protocol::Error> refuse_coming(Shard& home, std::string_view room, const User& user) {
    auto refused = refuse_at_home(home, room, user, Act::read);
    if (!refused) return std::nullopt;
    const Audience* const audience = home.find_audience(room);
    const bool is_there = audience != nullptr && audience->home() != nullptr;
    const bool claims =
        is_there ? audience->home()->may_claim(user) : no_roles(home, room).may_claim(user);
    return claims ? std::nullopt : std::move(refused);
}

std::optional<ActAnswer> act_at_home(Shard& home, const UserPtr& by, RoomAct&& act,
                                     const Later<ActAnswer>& later) {
    const std::string room = std::visit([](const auto& what) { return what.room; }, act);
    if (protocol::is_direct_room(room)) {
        return ActAnswer(make_error(errc::forbidden, "nobody moderates a room of two"));
    }
    if (const Audience* there = home.find_audience(room); there == nullptr || !there->home()) {
        // No room is made for what is refused.
        if (auto refused = RoomActs::refuse(home, room, no_roles(home, room), by, act)) {
            return ActAnswer(std::move(*refused));
        }
    }
    Audience* const audience = home.home_of(room);
    if (audience == nullptr) return ActAnswer(too_many_rooms());
    auto answer = audience->home()->act(by, std::move(act), later);
    if (answer) home.consider_dropping(*audience);
    return answer;
}

Answered<protocol::RoomInfo> room_info_at_home(Shard& home, const std::string& room,
                                               const User& user) {
    if (auto refused = refuse_at_home(home, room, user, Act::read)) return std::move(*refused);
    const Audience* const audience = home.find_audience(room);
    if (audience != nullptr && audience->home() != nullptr && !audience->home()->vacant()) {
        return audience->home()->info_for(user);
    }
    // One that everybody may see is not there; of another it is known what it would be.
    if (kind_of(home.hub().config().rooms, room) == RoomKind::open) {
        return make_error(errc::not_found, "there is no such room");
    }
    protocol::RoomInfo info = info_of(no_roles(home, room), user);
    info.room = room;
    return info;
}

Answered<Standing> standing_at_home(Shard& home, const std::string& room, const User& user) {
    const Audience* const audience = home.find_audience(room);
    if (audience == nullptr || audience->home() == nullptr) return Standing{};
    return audience->home()->standing_of(user);
}

}  // namespace parley::core
