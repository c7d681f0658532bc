// Presence: who is in a room, each user once however many sessions they joined from, for a while
// after the last of them was lost without a goodbye, and for a while after each visit: somebody
// without a session says again and again that they are there.
//
// Path:     Subscriber, Visitor → RoomHome → [Presence] → members, presence pushes
// Runs on:  the room's home shard.
// Owned by: RoomHome.
// Bounds:   one entry a user, one visit a user; lingering ones leave after PresenceConfig::grace,
//           visitors after PresenceConfig::poll_ttl.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
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
    // The user stays until then, whatever becomes of their sessions. Again: until then instead. No
    // visit ends before one that was begun or renewed earlier.
    [[nodiscard]] Change visit(const UserPtr& user, TimePoint until);
    // Ends the visit at once.
    [[nodiscard]] Change end_visit(const UserPtr& user);
    // Ends the next lingering or visit that is over, and says whose; nothing when none is. `left`
    // tells whether the user left by it.
    [[nodiscard]] std::optional<UserPtr> expire(TimePoint now, bool& left);
    [[nodiscard]] std::optional<TimePoint> next_expiry() const noexcept;

    [[nodiscard]] std::size_t count() const noexcept { return members_.size(); }
    // The first `most`, in no order.
    [[nodiscard]] std::vector<protocol::User> list(std::size_t most) const;

private:
    struct Stay {
        TimePoint until;
        UserPtr user;
    };
    // In order of their ends: a visit that is renewed goes to the back.
    using Visits = std::list<Stay>;
    struct Member {
        UserPtr user;
        mutable std::uint32_t sessions = 0;
        mutable std::uint32_t lingering = 0;
        mutable std::optional<Visits::iterator> visit{};
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
    using Members = std::unordered_set<Member, Hash, Same>;

    [[nodiscard]] Change drop_if_gone(Members::iterator member);
    [[nodiscard]] UserPtr end_oldest_lingering(bool& left);
    void forget_visit(const Member& member);

    Members members_;
    // In order of their ends, since the grace is the same for all. Made when first needed: an empty
    // deque costs half a kilobyte.
    std::unique_ptr<std::deque<Stay>> lingering_;
    std::unique_ptr<Visits> visits_;
};

}  // namespace parley::core
