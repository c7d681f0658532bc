// RoomRoles: what everybody is in one room, what it is about, and what follows for who asks. Rules
// alone: no shard, clock or store.
//
// Path:     RoomActs → [RoomRoles] → permissions
// Runs on:  the room's home shard.
// Owned by: RoomActs; made for one question where a room has none.
// Bounds:   limits::room_roles_max users who are something.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.hpp"
#include "core/permissions.hpp"
#include "core/room_records.hpp"
#include "core/user.hpp"

namespace parley::core {

class RoomRoles {
public:
    // Of a room that this rule is about, or none (null); what has ended by `now` is what it was
    // before. The rule must outlive it.
    RoomRoles(const RoomRule* rule, RoomRecord&& record, WallTime now);

    [[nodiscard]] RoomKind kind() const noexcept;
    [[nodiscard]] const std::string& topic() const noexcept { return topic_; }
    void set_topic(std::string topic) { topic_ = std::move(topic); }

    // What somebody is here. By the configuration and by a token's grant only who has shown one is.
    [[nodiscard]] Role role_of(const User& user) const noexcept;
    // The same of somebody of whom only the names are known, who may be one of the configured owners.
    [[nodiscard]] Role role_of(const protocol::User& user) const noexcept;
    // The same but for what a token lifts them to: what every session of theirs is at least.
    [[nodiscard]] Role unlifted_role_of(const User& user) const noexcept;
    // How high whoever is that stands where others act upon them: as what they come back to, while
    // something passes.
    [[nodiscard]] Role standing_of(std::string_view id, Role role) const noexcept;
    // What they were made; null where they were made nothing.
    [[nodiscard]] const RoomRole* assigned(std::string_view id) const noexcept;
    [[nodiscard]] const RoomRole* assigned_by_name(std::string_view name) const noexcept;

    [[nodiscard]] bool may(const User& user, Act act) const noexcept {
        return core::may(role_of(user), act, kind());
    }
    // Why they may not, nothing where they may.
    [[nodiscard]] std::optional<protocol::Error> refuse(const User& user, Act act) const;
    // Whether that user, by coming here, owns the room: the first who has an account, of a room that
    // is not open to all and has no owner.
    [[nodiscard]] bool may_claim(const User& user) const noexcept;
    // False where somebody would be one too many.
    [[nodiscard]] bool has_room_for(std::string_view id) const noexcept;
    // True for the only one who owns the room for good.
    [[nodiscard]] bool is_last_owner(std::string_view id) const noexcept;

    // What that user becomes where they are made that until then. Behind what passes, which is what is
    // for a time, and being muted, they are what they were before for good: Role::none ends it.
    [[nodiscard]] RoomRole made(const protocol::User& user, Role role,
                                std::optional<WallTime> until) const;
    void set(RoomRole role);

    // When the next role ends.
    [[nodiscard]] std::optional<WallTime> next_end() const noexcept;
    // Those that have ended by then, as they are from now on.
    [[nodiscard]] std::vector<RoomRole> end_until(WallTime now);

    // True where nothing is known but what the configuration says.
    [[nodiscard]] bool is_blank() const noexcept { return roles_.empty() && topic_.empty(); }
    // Everybody who was made something, in the order of their ids.
    [[nodiscard]] const std::map<std::string, RoomRole, std::less<>>& all() const noexcept {
        return roles_;
    }

private:
    [[nodiscard]] bool is_configured_owner(std::string_view name_or_id) const noexcept;
    [[nodiscard]] Role assigned_role(std::string_view id) const noexcept;

    const RoomRule* rule_;
    std::string topic_;
    std::map<std::string, RoomRole, std::less<>> roles_;  // by the user's id
};

}  // namespace parley::core
