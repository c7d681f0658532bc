// RoomActs: what is done about who may do what in a room, one act after the other: judged, kept,
// told to the shards, said.
//
// Path:     at_home → RoomHome → [RoomActs] → RoomRecords, Accounts; every shard; Room
// Runs on:  the room's home shard.
// Owned by: RoomHome, where the room is not public or anything was done about it.
// Bounds:   limits::rooms_owned_max claims of a user; limits::room_roles_max; one act under way, and
//           one waits for each session or request that asks.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/audit.hpp"
#include "core/later.hpp"
#include "core/pending_sends.hpp"
#include "core/room_act.hpp"
#include "core/room_roles.hpp"
#include "core/timer_wheel.hpp"

namespace parley::core {

class Audience;
class Shard;

// What a shard is to do about the sessions of a user in a room.
struct StandingChange {
    std::string room;
    std::string user;   // id
    bool asks = false;  // whether their sends are judged by the room's home from now on
    std::optional<protocol::Removed> removed{};  // they are out
    std::optional<protocol::RolePush>
        told{};  // to those of their sessions that are not in the room
    // Neither holds for those of their sessions whose token makes them moderators.
    bool spares_moderators = false;
};
void change_standing(Shard& shard, const StandingChange& change);

class RoomActs {
public:
    RoomActs(Shard& shard, Audience& audience, RoomRecord&& record);
    ~RoomActs();

    [[nodiscard]] const RoomRoles& roles() const noexcept { return roles_; }

    // Why nothing of the kind may be done by that user, whoever it is about; nothing where it may.
    // What is refused is written down.
    [[nodiscard]] static std::optional<protocol::Error> refuse(Shard& shard, std::string_view room,
                                                               const RoomRoles& roles,
                                                               const UserPtr& by,
                                                               const RoomAct& act);
    // Does what that user asks for, once it is not refuse()d.
    void act(const UserPtr& by, RoomAct&& act, Respond<ActAnswer> respond);
    // Somebody is about to come: the first may own the room by that.
    void note_coming(const User& user);

    // False where something is under way, or what is known would be forgotten with the room.
    [[nodiscard]] bool droppable() const noexcept;
    // The room goes, and with it what is kept nowhere else: counted and written down.
    void note_dropping() const;

private:
    // Nobody asked for these: a role has ended, whoever came first owns the room.
    struct Ended {
        RoomRole now;
    };
    struct Claimed {
        protocol::User owner;
        std::optional<RoomRole> before;  // what they were made before
    };
    using Doing =
        std::variant<protocol::SetRole, protocol::Kick, protocol::SetTopic, Ended, Claimed>;
    struct Pending {
        UserPtr by;  // null: nobody
        Doing act;
        Respond<ActAnswer> respond;  // null where nobody asked
    };
    // Whom an act is about.
    struct Target {
        protocol::User user;
        UserPtr present{};  // null: not here
    };
    struct EndTimer : Timer {
        explicit EndTimer(RoomActs& acts) noexcept : Timer(&fire), owner(&acts) {}
        static void fire(Timer& timer) noexcept;
        RoomActs* owner;
    };
    struct Starter;
    struct Auditor;
    using Refusal = std::optional<protocol::Error>;

    // ---- one after the other
    void go_on_soon();
    void go_on();
    void finish(ActAnswer&& answer);
    // Of the first in the queue there is nothing to be done any more.
    void pass_over();
    [[nodiscard]] bool still_is(const RoomRole& role) const noexcept;
    [[nodiscard]] const Pending& current() const noexcept { return queue_.front(); }

    // ---- whom it is about
    void find_target(const std::string& named);
    // True for one who asks about themselves and may ask about nobody else.
    [[nodiscard]] bool is_about_itself(const std::string& named) const;
    [[nodiscard]] std::optional<Target> known_by_id(const std::string& id) const;
    [[nodiscard]] std::vector<Target> known_as(const std::string& named) const;
    // Calls f(user) for each who said one of the newest messages that are kept, and may be called so.
    template <typename F>
    void each_sender(const std::string& named, F&& f) const;
    void found(Target&& target);
    [[nodiscard]] Target target_of(const protocol::User& user) const;
    [[nodiscard]] Role role_of(const Target& target) const noexcept;
    // What all their sessions are, by whatever token.
    [[nodiscard]] Role common_role_of(const Target& target) const noexcept;

    // ---- doing it
    [[nodiscard]] Refusal judge(const protocol::SetRole& set, const Target& target) const;
    [[nodiscard]] Refusal judge_own(const protocol::SetRole& set, Role role) const;
    [[nodiscard]] Refusal judge(const protocol::Kick& kick, const Target& target) const;
    void keep_role(RoomRole role);
    void keep_claim(const Claimed& claimed);
    // Whether all that there is of the room is that somebody came first.
    [[nodiscard]] bool only_claimed() const noexcept;
    void keep_topic(const protocol::SetTopic& set);
    void say_topic(const std::string& topic);
    void put_out(const protocol::Kick& kick, const Target& target);
    // Has the shards and then the room told what that user is now.
    void tell_role(const RoomRole& role, const std::string& reason);
    void tell_shards(StandingChange&& change, std::function<void()> then);
    [[nodiscard]] std::optional<protocol::User> actor() const;

    // `about` is whom it is about, where that is known.
    [[nodiscard]] static AuditRecord record_of(const Pending& pending, const protocol::User& about);
    void end_roles();
    void arm_end_timer();

    Shard* shard_;
    Audience* audience_;
    RoomRoles roles_;
    std::deque<Pending> queue_;
    Target target_;        // of the first of them
    bool busy_ = false;    // with it
    bool posted_ = false;  // to go on in a later turn
    // Whose claim is counted here, by their id: as long as the room stays, whatever they are by now.
    std::string claimer_;
    EndTimer end_timer_;
};

}  // namespace parley::core
