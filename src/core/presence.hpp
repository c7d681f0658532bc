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
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/stepwise_set.hpp"
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
    // Whoever has that id; null where nobody has.
    [[nodiscard]] UserPtr find(std::string_view id) const noexcept {
        const Member* const member = members_.find(id);
        return member == nullptr ? UserPtr() : member->user;
    }
    // Calls f(const UserPtr&) for each, in no order.
    template <typename F>
    void each(F&& f) const {
        members_.each(members_.size(), [&f](const Member& member) { f(member.user); });
    }
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
        Visits::iterator visit{};  // where visiting
        std::uint32_t sessions = 0;
        std::uint32_t lingering : 31 = 0;
        std::uint32_t visiting : 1 = 0;
    };
    [[nodiscard]] static std::string_view id_of(const Member& member) noexcept {
        return member.user->who.id;
    }
    using Members = StepwiseSet<Member, &id_of>;
    // The member, and whether they have just become one.
    [[nodiscard]] std::pair<Member*, Change> enter(const UserPtr& user);
    [[nodiscard]] Change drop_if_gone(const Member& member);
    [[nodiscard]] UserPtr end_oldest_lingering(bool& left);
    void forget_visit(Member& member);

    Members members_;
    // In order of their ends, since the grace is the same for all. Made when first needed: an empty
    // deque costs half a kilobyte.
    std::unique_ptr<std::deque<Stay>> lingering_;
    std::unique_ptr<Visits> visits_;
};

}  // namespace parley::core
