// The half of RoomActs that finds out whom an act is about and whether it may be done, and how that is
// written down.
#include <algorithm>
#include <utility>

#include "core/accounts.hpp"
#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/room_acts.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"
#include "protocol/json_codec.hpp"

namespace parley::core {
namespace {

// Senders of messages that are kept are known here; so many of the newest are looked at.
constexpr std::size_t senders_looked_at_max = 1'000;

protocol::Error forbidden(std::string why) {
    return make_error(errc::forbidden, std::move(why));
}

}  // namespace

// ---- whom it is about ------------------------------------------------------------------------

template <typename F>
void RoomActs::each_sender(const std::string& named, F&& f) const {
    std::string text;
    protocol::append_json_string(text, named);
    const HistorySlice kept = audience_->home()->kept().last(senders_looked_at_max);
    std::vector<std::string_view> seen;
    for (const auto& message : kept.messages) {
        // Looked at as text first: few messages are of whom is looked for, and each is read once.
        const std::string_view sender = protocol::sender_in(message->json());
        if (sender.find(text) == std::string_view::npos) continue;
        if (std::ranges::find(seen, sender) != seen.end()) continue;
        seen.push_back(sender);
        const auto frame = protocol::decode_server_frame(message->json());
        const auto* said = frame ? std::get_if<protocol::Message>(&frame->message) : nullptr;
        if (said != nullptr) f(said->from);
    }
}

std::optional<RoomActs::Target> RoomActs::known_by_id(const std::string& id) const {
    if (UserPtr present = audience_->home()->find_present(id)) {
        return Target{present->who, present};
    }
    if (const UserPtr& by = current().by; by->who.id == id) return Target{by->who, by};
    if (const RoomRole* const role = roles_.assigned(id)) return Target{role->user, {}};
    std::optional<Target> known;
    each_sender(id, [&](const protocol::User& user) {
        if (user.id == id) known = Target{user, {}};
    });
    return known;
}

std::vector<RoomActs::Target> RoomActs::known_as(const std::string& named) const {
    std::vector<Target> known;
    const auto offer = [&](const protocol::User& user, const UserPtr& present) {
        if (user.name != named) return;
        const auto same =
            std::ranges::find(known, user.id, [](const Target& one) { return one.user.id; });
        if (same == known.end()) known.push_back({user, present});
    };
    audience_->home()->each_present([&](const UserPtr& user) { offer(user->who, user); });
    offer(current().by->who, current().by);
    for (const auto& [id, role] : roles_.all()) offer(role.user, {});
    each_sender(named, [&](const protocol::User& user) { offer(user, {}); });
    return known;
}

RoomActs::Target RoomActs::target_of(const protocol::User& user) const {
    return {user, audience_->home()->find_present(user.id)};
}

bool RoomActs::is_about_itself(const std::string& named) const {
    const protocol::User& by = current().by->who;
    return named == by.id ||
           (named == by.name && roles_.refuse(*current().by, Act::moderate).has_value());
}

void RoomActs::find_target(const std::string& named) {
    // An id is somebody's alone, and names are searched for by those only who may act upon others.
    if (is_about_itself(named)) return found({current().by->who, current().by});
    if (auto known = known_by_id(named)) return found(std::move(*known));
    auto known = known_as(named);
    if (known.size() == 1) return found(std::move(known.front()));
    if (known.size() > 1) {
        return finish(make_error(errc::conflict,
                                 "more than one here goes by that name: give the id instead"));
    }
    Accounts* const accounts = shard_->hub().accounts();
    const auto nobody = [] {
        return make_error(errc::not_found,
                          "nobody is known by that: give the name or id of somebody who is here, "
                          "whose messages are kept here, or who has an account");
    };
    if (accounts == nullptr) return finish(nobody());
    // Whom only the tokens of another system know by their ids.
    if (!accounts->has_store()) return found({{named, named}, {}});
    accounts->ask(*shard_, FindAccount{named}, {}, [this, nobody](AccountAnswer&& answer) {
        if (!answer && answer.error().temporary) return finish(protocol::Error(answer.error()));
        const auto* const user = answer ? std::get_if<protocol::User>(&*answer) : nullptr;
        if (user == nullptr) return finish(nobody());
        found({*user, {}});
    });
}

Role RoomActs::role_of(const Target& target) const noexcept {
    return target.present ? roles_.role_of(*target.present) : roles_.role_of(target.user);
}

Role RoomActs::common_role_of(const Target& target) const noexcept {
    return target.present ? roles_.unlifted_role_of(*target.present) : roles_.role_of(target.user);
}

// ---- whether they may ------------------------------------------------------------------------

RoomActs::Refusal RoomActs::judge(const protocol::SetRole& set, const Target& target) const {
    const Role actor = roles_.role_of(*current().by);
    const Role now = role_of(target);
    if (target.user.id == current().by->who.id) return judge_own(set, now);
    if (auto refused = roles_.refuse(*current().by, Act::moderate)) return refused;
    const Role stands = roles_.standing_of(target.user.id, now);
    if (!may_make(actor, stands, set.role)) {
        return forbidden(stands >= actor ? "nobody acts upon somebody of their own or a higher role"
                                         : "only owners make moderators and owners");
    }
    if (set.role == Role::muted && !core::may(now, Act::read, roles_.kind()) &&
        now != Role::banned) {
        return make_error(errc::conflict, "they are no member here: there is nothing to mute");
    }
    if (set.role != Role::none && !roles_.has_room_for(target.user.id)) {
        return make_error(errc::conflict, "as many users are something here as a room keeps (" +
                                              std::to_string(limits::room_roles_max) +
                                              "): lift a role first");
    }
    return std::nullopt;
}

// Nobody raises themselves; whoever steps down leaves an owner behind.
RoomActs::Refusal RoomActs::judge_own(const protocol::SetRole& set, Role role) const {
    if (set.role >= role || set.role < Role::none || set.for_ms) {
        return forbidden("about yourself you may only step down, for good");
    }
    const RoomRole* const own = roles_.assigned(target_.user.id);
    if (own == nullptr || own->role != role) {
        return make_error(errc::conflict,
                          "what you are here the server's configuration or your token says");
    }
    if (roles_.is_last_owner(target_.user.id)) {
        return make_error(errc::conflict, "the last owner stays: make somebody else one first");
    }
    return std::nullopt;
}

RoomActs::Refusal RoomActs::judge(const protocol::Kick&, const Target& target) const {
    if (auto refused = roles_.refuse(*current().by, Act::moderate)) return refused;
    if (target.user.id == current().by->who.id) {
        return forbidden("nobody puts themselves out: leave the room instead");
    }
    const Role stands = roles_.standing_of(target.user.id, role_of(target));
    if (stands >= roles_.role_of(*current().by)) {
        return forbidden("nobody acts upon somebody of their own or a higher role");
    }
    return std::nullopt;
}

// ---- the log ---------------------------------------------------------------------------------

struct RoomActs::Auditor {
    AuditRecord& record;
    const protocol::User& found;

    void about(std::string_view named) const {
        record.user = found.id.empty() ? named : std::string_view(found.id);
        record.user_name = found.name;
    }
    void operator()(const protocol::SetRole& set) const {
        record.act = AuditAct::role;
        about(set.user);
        record.role = protocol::name_of(set.role);
        record.reason = set.reason;
    }
    void operator()(const protocol::Kick& kick) const {
        record.act = AuditAct::kick;
        about(kick.user);
        record.reason = kick.reason;
    }
    void operator()(const protocol::SetTopic&) const { record.act = AuditAct::topic; }
    void operator()(const Ended& ended) const {
        record.act = AuditAct::expiry;
        about(ended.now.user.id);
        record.role = protocol::name_of(ended.now.role);
    }
    void operator()(const Claimed& claimed) const {
        record.act = AuditAct::claim;
        about(claimed.owner.id);
        record.role = protocol::name_of(Role::owner);
    }
};

AuditRecord RoomActs::record_of(const Pending& pending, const protocol::User& about) {
    AuditRecord record;
    record.by = pending.by ? &pending.by->who : nullptr;
    std::visit(Auditor{record, about}, pending.act);
    return record;
}

}  // namespace parley::core
