#include "core/room_acts.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "core/accounts.hpp"
#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/question.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"
#include "protocol/json_codec.hpp"

namespace parley::core {
namespace {

// A role that ends later than that is looked at again by then.
constexpr std::chrono::hours end_timer_max{24};
std::string until_text(const std::optional<WallTime>& until) {
    return until ? format_rfc3339(*until) : std::string();
}

}  // namespace

void change_standing(Shard& shard, const StandingChange& change) {
    std::vector<Subscriber*> there = shard.user_sessions().with_id(change.user);
    std::ranges::copy(shard.listening_sessions().with_id(change.user), std::back_inserter(there));
    if (change.told) {
        shard.signed_in().each_of(change.user, [&](Subscriber& session) {
            if (!session.listens_to(change.room)) session.tell(*change.told);
        });
    }
    for (Subscriber* session : there) session->change_standing(change);
}

RoomActs::RoomActs(Shard& shard, Audience& audience, RoomRecord&& record)
    : shard_(&shard),
      audience_(&audience),
      roles_(rule_of(shard.hub().config().rooms, audience.name()), std::move(record),
             shard.now().wall),
      end_timer_(*this) {
    audience.room()->set_governed();
    arm_end_timer();
}

RoomActs::~RoomActs() {
    if (!claimer_.empty()) shard_->claims().release(claimer_);
}

bool RoomActs::droppable() const noexcept {
    if (busy_ || posted_ || !queue_.empty()) return false;
    return shard_->hub().records() != nullptr || only_claimed() || roles_.is_blank();
}

// Who claims it next would be given what is stored of it to read.
bool RoomActs::only_claimed() const noexcept {
    if (claimer_.empty() || roles_.all().size() != 1) return false;
    const RoomRole* const own = roles_.assigned(claimer_);
    const bool stored =
        shard_->hub().store() != nullptr && audience_->home()->kept().last_offset() > 0;
    return own != nullptr && own->role == Role::owner && !stored;
}

void RoomActs::note_dropping() const {
    if (!only_claimed()) return;
    shard_->metrics().add(Metric::claims_given_up);
    AuditRecord record;
    record.act = AuditAct::expiry;
    record.room = audience_->name();
    record.user = claimer_;
    record.role = protocol::name_of(Role::none);
    record.reason = "nobody came for as long as a room is kept";
    shard_->audit(record);
}

// ---- one after the other ---------------------------------------------------------------------

std::optional<protocol::Error> RoomActs::refuse(Shard& shard, std::string_view room,
                                                const RoomRoles& roles, const UserPtr& by,
                                                const RoomAct& act) {
    const auto* const set = std::get_if<protocol::SetRole>(&act);
    // Whoever is something here may step down.
    const bool own = set != nullptr && (set->user == by->who.id || set->user == by->who.name);
    if (own && roles.role_of(*by) > Role::none) return std::nullopt;
    const bool topic = std::holds_alternative<protocol::SetTopic>(act);
    auto refused = roles.refuse(*by, topic ? Act::set_topic : Act::moderate);
    if (!refused) return std::nullopt;
    const Pending pending{by, std::visit([](const auto& what) { return Doing(what); }, act), {}};
    AuditRecord record = record_of(pending, {});
    record.room = room;
    record.outcome = AuditOutcome::refused;
    record.cause = refused->message;
    shard.audit(record);
    return refused;
}

void RoomActs::act(const UserPtr& by, RoomAct&& act, Respond<ActAnswer> respond) {
    queue_.push_back(
        {by, std::visit([](auto&& what) { return Doing(std::move(what)); }, std::move(act)),
         std::move(respond)});
    go_on_soon();
}

// In a later turn: whoever asked is not done asking.
void RoomActs::go_on_soon() {
    if (std::exchange(posted_, true)) return;
    shard_->post([this](Shard&) {
        posted_ = false;
        go_on();
    });
}

struct RoomActs::Starter {
    RoomActs& self;
    void operator()(const protocol::SetRole& set) const { self.find_target(set.user); }
    void operator()(const protocol::Kick& kick) const { self.find_target(kick.user); }
    void operator()(const protocol::SetTopic& set) const {
        if (auto refused = self.roles_.refuse(*self.current().by, Act::set_topic)) {
            return self.finish(std::move(*refused));
        }
        self.keep_topic(set);
    }
    void operator()(const Ended& ended) const {
        // Unless they were made something else meanwhile.
        if (!self.still_is(ended.now)) return self.pass_over();
        self.target_ = self.target_of(ended.now.user);
        // Where this can't be kept it is what it says of itself that it has ended.
        if (RoomRecords* records = self.shard_->hub().records()) {
            records->save_role(*self.shard_, self.audience_->name(), ended.now,
                               [](const Refusal&) {});
        }
        self.tell_role(ended.now, "the time is over");
    }
    void operator()(const Claimed& claimed) const { self.keep_claim(claimed); }
};

void RoomActs::go_on() {
    if (busy_ || queue_.empty()) return;
    busy_ = true;
    std::visit(Starter{*this}, current().act);
}

bool RoomActs::still_is(const RoomRole& role) const noexcept {
    const RoomRole* const now = roles_.assigned(role.user.id);
    return now == nullptr ? role.role == Role::none : *now == role;
}

void RoomActs::pass_over() {
    queue_.pop_front();
    busy_ = false;
    if (!queue_.empty()) go_on_soon();
    if (droppable()) shard_->consider_dropping(*audience_);
}

void RoomActs::finish(ActAnswer&& answer) {
    Pending done = std::move(queue_.front());
    queue_.pop_front();
    AuditRecord record = record_of(done, target_.user);
    const protocol::Error why = answer ? protocol::Error() : answer.error();  // a copy: kept for it
    record.room = audience_->name();
    if (answer) {
        record.offset = answer->ack.cursor.offset;
        const RoomRole* const made = answer->role ? roles_.assigned(record.user) : nullptr;
        if (made != nullptr) record.until = made->until;
    } else {
        record.outcome = why.temporary ? AuditOutcome::failed : AuditOutcome::refused;
        record.cause = why.message;
    }
    shard_->audit(record);
    target_ = {};
    busy_ = false;
    if (!queue_.empty()) go_on_soon();
    if (done.respond) done.respond(std::move(answer));
    if (droppable()) shard_->consider_dropping(*audience_);
}

std::optional<protocol::User> RoomActs::actor() const {
    if (!current().by) return std::nullopt;
    return current().by->who;
}

void RoomActs::found(Target&& target) {
    target_ = std::move(target);
    if (const auto* kick = std::get_if<protocol::Kick>(&current().act)) {
        if (auto refused = judge(*kick, target_)) return finish(std::move(*refused));
        return put_out(*kick, target_);
    }
    const auto& set = std::get<protocol::SetRole>(current().act);
    if (auto refused = judge(set, target_)) return finish(std::move(*refused));
    std::optional<WallTime> until;
    if (set.for_ms) until = shard_->now().wall + std::chrono::milliseconds(*set.for_ms);
    keep_role(roles_.made(target_.user, set.role, until));
}

// ---- doing it --------------------------------------------------------------------------------

void RoomActs::keep_role(RoomRole role) {
    const std::string reason = std::get<protocol::SetRole>(current().act).reason;
    const auto kept = [this, role, reason](const Refusal& refused) {
        if (refused) return finish(protocol::Error(*refused));
        roles_.set(role);
        arm_end_timer();
        tell_role(role, reason);
    };
    RoomRecords* const records = shard_->hub().records();
    if (records == nullptr) return kept(std::nullopt);
    records->save_role(*shard_, audience_->name(), role, kept);
}

void RoomActs::note_coming(const User& user) {
    if (!roles_.may_claim(user)) return;
    Claimed claimed{user.who, std::nullopt};
    if (const RoomRole* const before = roles_.assigned(user.who.id)) claimed.before = *before;
    roles_.set({user.who, Role::owner, std::nullopt, Role::none});
    queue_.push_back({nullptr, std::move(claimed), nullptr});
    go_on_soon();
}

void RoomActs::keep_claim(const Claimed& claimed) {
    const protocol::User& owner = claimed.owner;
    target_ = target_of(owner);
    const RoomRole owns{owner, Role::owner, std::nullopt, Role::none};
    const RoomRole none{owner, Role::none, std::nullopt, Role::none};
    RoomRecords* const records = shard_->hub().records();
    const auto kept = [this, owns, before = claimed.before.value_or(none)](const Refusal& refused) {
        if (!refused) return tell_role(owns, {});
        // Not theirs, then: they are what they were, and the next who comes may own it.
        roles_.set(before);
        arm_end_timer();
        StandingChange change{audience_->name(), owns.user.id, true,
                              std::nullopt,      std::nullopt, true};
        if (!core::may(common_role_of(target_), Act::read, roles_.kind())) {
            change.removed = protocol::Removed{change.room, protocol::Removed::Action::kick,
                                               std::nullopt, refused->message};
        }
        tell_shards(std::move(change), [this, why = *refused] { finish(protocol::Error(why)); });
    };
    if (records != nullptr) {
        return records->save_claim(*shard_, audience_->name(), owner, kept);
    }
    if (!shard_->claims().take(owner.id)) return kept(owns_too_many(shard_->claims().most()));
    // Whoever had claimed it before is nobody here by now.
    if (!claimer_.empty()) shard_->claims().release(claimer_);
    claimer_ = owner.id;
    kept(std::nullopt);
}

protocol::Error owns_too_many(std::size_t rooms) {
    return make_error(errc::forbidden, "you own " + std::to_string(rooms) +
                                           " rooms already: let go of one of them first");
}

void RoomActs::tell_role(const RoomRole& role, const std::string& reason) {
    const Role now = common_role_of(target_);
    protocol::RolePush push{audience_->name(),      role.user, role.role,
                            until_text(role.until), actor(),   reason};
    StandingChange change{push.room,    role.user.id, !core::may(now, Act::send, roles_.kind()),
                          std::nullopt, push,         now >= Role::none};
    if (!core::may(now, Act::read, roles_.kind())) {
        const bool ban = now == Role::banned;
        change.removed = protocol::Removed{
            push.room, ban ? protocol::Removed::Action::ban : protocol::Removed::Action::kick,
            push.by, reason};
        audience_->home()->end_visit(UserPtr(new User(role.user)));
    }
    tell_shards(std::move(change), [this, push] {
        // What follows it in the room's order is by the new rules everywhere.
        if (auto unsaid = publish_transient(*audience_, PublicationKind::role, push)) {
            shard_->metrics().add(Metric::publish_refused);
        }
        finish(ActDone{{audience_->name(), {}, {}}, push});
    });
}

void RoomActs::put_out(const protocol::Kick& kick, const Target& target) {
    audience_->home()->end_visit(UserPtr(new User(target.user)));
    tell_shards({audience_->name(), target.user.id, false,
                 protocol::Removed{audience_->name(), protocol::Removed::Action::kick, actor(),
                                   kick.reason},
                 std::nullopt},
                [this] {
                    finish(ActDone{{audience_->name(), {}, {}}});
                });
}

void RoomActs::tell_shards(StandingChange&& change, std::function<void()> then) {
    struct Told {};
    ask_every_shard(
        *shard_, *shard_, Told{},
        [change = std::move(change)](Shard& shard, Told&) { change_standing(shard, change); },
        [then = std::move(then)](Told&&) { then(); });
}

void RoomActs::keep_topic(const protocol::SetTopic& set) {
    if (!shard_->hub().takes_messages()) {
        return finish(store_unavailable("messages can't be stored at the moment"));
    }
    RoomRecords* const records = shard_->hub().records();
    if (records == nullptr) return say_topic(set.topic);
    records->save_topic(*shard_, audience_->name(), set.topic,
                        [this, topic = set.topic](const Refusal& refused) {
                            if (refused) return finish(protocol::Error(*refused));
                            say_topic(topic);
                        });
}

// It holds once it is said: whoever is there has heard of it then.
void RoomActs::say_topic(const std::string& topic) {
    protocol::Send send;
    send.room = audience_->name();
    send.event = "topic";
    send.body.kind = protocol::Body::Kind::data;
    send.body.content = R"({"topic":)";
    protocol::append_json_string(send.body.content, topic);
    send.body.content.push_back('}');
    const Respond<AckAnswer> said = [this, topic](AckAnswer&& ack) {
        if (ack) {
            roles_.set_topic(topic);
            return finish(ActDone{std::move(*ack)});
        }
        // What was kept of it is taken back.
        if (RoomRecords* const records = shard_->hub().records()) {
            records->save_topic(*shard_, audience_->name(), roles_.topic(), [](const Refusal&) {});
        }
        finish(protocol::Error(ack.error()));
    };
    auto now = audience_->home()->send(current().by, std::move(send),
                                       Later<AckAnswer>([&said] { return said; }));
    if (now) said(std::move(*now));
}

// ---- roles that end --------------------------------------------------------------------------

void RoomActs::EndTimer::fire(Timer& timer) noexcept {
    static_cast<EndTimer&>(timer).owner->end_roles();
}

void RoomActs::end_roles() {
    for (RoomRole& role : roles_.end_until(shard_->now().wall)) {
        queue_.push_back({nullptr, Ended{std::move(role)}, nullptr});
    }
    if (!queue_.empty()) go_on_soon();
    arm_end_timer();
}

void RoomActs::arm_end_timer() {
    const auto next = roles_.next_end();
    if (!next) return end_timer_.cancel();
    const Instant& now = shard_->now();
    const Duration left = std::max<Duration>(*next - now.wall, Duration::zero());
    shard_->timers().arm(end_timer_, now.mono + std::min<Duration>(left, end_timer_max));
}

}  // namespace parley::core
