// Presence: who is in a room, each user once however many sessions they joined from, and for a
// while after the last of them was lost without a goodbye.
//
// Path:     Subscriber → RoomHome → [Presence] → members, presence pushes
// Runs on:  the room's home shard.
// Owned by: RoomHome.
// Bounds:   one entry a user; lingering ones leave after PresenceConfig::grace.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "core/clock.hpp"
#include "core/user.hpp"

namespace parley::core {

class Presence {
public:
    enum class Change : std::uint8_t { none, joined, left };

    // One more session of that user.
    [[nodiscard]] Change join(const UserPtr& user);
    // One session less, at once.
    [[nodiscard]] Change leave(const UserPtr& user);
    // One session less; the user stays until then if it was the last.
    void linger(const UserPtr& user, TimePoint until);
    // Ends the next lingering that is over, and says whose; nothing when none is. `changed` tells
    // whether the user left by it.
    [[nodiscard]] std::optional<UserPtr> expire(TimePoint now, bool& left);
    [[nodiscard]] std::optional<TimePoint> next_expiry() const noexcept;

    [[nodiscard]] std::size_t count() const noexcept { return members_.size(); }
    // The first `most`, in no order.
    [[nodiscard]] std::vector<protocol::User> list(std::size_t most) const;

private:
    struct Member {
        UserPtr user;
        mutable std::uint32_t sessions = 0;
        mutable std::uint32_t lingering = 0;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const Member& m) const { return (*this)(m.user->who.id); }
        std::size_t operator()(const std::string& id) const { return std::hash<std::string>{}(id); }
    };
    struct Same {
        using is_transparent = void;
        bool operator()(const Member& a, const Member& b) const {
            return a.user->who.id == b.user->who.id;
        }
        bool operator()(const std::string& id, const Member& m) const {
            return id == m.user->who.id;
        }
        bool operator()(const Member& m, const std::string& id) const {
            return id == m.user->who.id;
        }
    };
    struct Lingering {
        TimePoint until;
        UserPtr user;
    };
    using Members = std::unordered_set<Member, Hash, Same>;

    [[nodiscard]] Change drop_if_gone(Members::iterator member);

    Members members_;
    // In order of their ends, since the grace is the same for all. Made when first needed: an empty
    // deque costs half a kilobyte.
    std::unique_ptr<std::deque<Lingering>> lingering_;
};

}  // namespace parley::core
