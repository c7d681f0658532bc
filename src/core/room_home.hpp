// RoomHome: what only one shard may decide of a room: who is present, what is retained, which keyed
// sends were made, what the store is told and asked, and when the room may go.
//
// Path:     Subscriber, Visitor → [RoomHome] → Room, History, Presence, HistoryStore
// Runs on:  the room's home shard.
// Owned by: the Audience of that shard.
// Bounds:   HistoryConfig; PresenceConfig; limits::idempotency_keys_max; PendingSends.
#pragma once

#include <boost/system/result.hpp>
#include <memory>
#include <optional>

#include "core/amendment.hpp"
#include "core/history.hpp"
#include "core/history_store.hpp"
#include "core/idempotency.hpp"
#include "core/later.hpp"
#include "core/pending_sends.hpp"
#include "core/presence.hpp"
#include "core/reply.hpp"
#include "core/room.hpp"
#include "core/room_acts.hpp"
#include "core/room_records.hpp"
#include "core/subscription.hpp"
#include "core/timer_wheel.hpp"

namespace parley::core {

// What a session asks of a home when it joins.
struct JoinRequest {
    UserPtr user;
    std::optional<protocol::Cursor> since;
    std::uint32_t history = 0;
    Listening how;
};

// Where in the room's order the session's listening begins: right behind what the reply holds.
struct JoinAnswer {
    RoomPtr room;
    std::uint64_t sequence = 0;
    JoinedReply reply;
    bool asks = false;  // Subscription::asks
};

// What somebody may do in a room, for a session that listens there as somebody else now.
struct Standing {
    bool reads = true;
    bool sends = true;
};

using PageAnswer = boost::system::result<HistoryReply, protocol::Error>;

class RoomHome {
public:
    // Of a room as its store and its records have it, or a new one.
    RoomHome(Shard& shard, Audience& audience, const StoredRoom& stored, RoomRecord&& record);
    ~RoomHome();

    // Why that user may not do so here; nothing where they may.
    [[nodiscard]] std::optional<protocol::Error> refuse(const User& user, Act act) const {
        if (!acts_) return std::nullopt;
        return acts_->roles().refuse(user, act);
    }
    // Whether what others said is theirs to delete.
    [[nodiscard]] bool may_moderate(const User& user) const;
    [[nodiscard]] Standing standing_of(const User& user) const noexcept;
    // Whether they would own it by coming here.
    [[nodiscard]] bool may_claim(const User& user) const noexcept {
        return acts_ && acts_->roles().may_claim(user);
    }
    // What this room is, to that user.
    [[nodiscard]] protocol::RoomInfo info_for(const User& user) const;
    // Does what they ask for, now or later.
    [[nodiscard]] std::optional<ActAnswer> act(const UserPtr& by, RoomAct&& act,
                                               const Later<ActAnswer>& later);
    // Who is present with that id; null where nobody is.
    [[nodiscard]] UserPtr find_present(std::string_view id) const noexcept {
        return presence_.find(id);
    }
    // Calls f(const UserPtr&) for everybody who is present.
    template <typename F>
    void each_present(F&& f) const {
        presence_.each(std::forward<F>(f));
    }

    [[nodiscard]] JoinAnswer join(const JoinRequest& request);
    void leave(const UserPtr& user, const Listening& how, bool goodbye);
    // One session of `before` goes on as `after`.
    void rename(const UserPtr& before, const UserPtr& after);
    // Presence without a session: lasts for presence.poll_ttl from the last call on.
    [[nodiscard]] protocol::Visit visit(const UserPtr& user);
    void end_visit(const UserPtr& user);
    // Published once, and acked as often as it comes where it has a key; `unavailable` when the ring
    // is full, or the store can't take it. At once, but where it is stored before it is said.
    [[nodiscard]] std::optional<AckAnswer> send(const UserPtr& user, protocol::Send&& send,
                                                const Later<AckAnswer>& later);
    // Edits or deletes a message, by a publication that is acked as a send is; `not_found` where there
    // is none or it is no longer kept, `forbidden` where it is somebody else's (judge_amendment()).
    [[nodiscard]] std::optional<AckAnswer> amend(const UserPtr& user, Amendment&& asked,
                                                 bool moderates, const Later<AckAnswer>& later);
    // At once from memory; what is older the store is asked for.
    [[nodiscard]] std::optional<PageAnswer> history(const protocol::History& asked,
                                                    const Later<PageAnswer>& later) const;
    // As history(), but a `since` that can't be followed is no error: the answer is then the last
    // messages, and not `recovered`.
    [[nodiscard]] std::optional<PageAnswer> page(protocol::History asked,
                                                 const Later<PageAnswer>& later) const;
    // What the store finds, of what was said before that cursor where one is given; `not_found` where
    // what is said is kept in memory alone.
    [[nodiscard]] std::optional<PageAnswer> search(StoredSearch&& asked,
                                                   const std::optional<protocol::Cursor>& before,
                                                   const Later<PageAnswer>& later) const;
    // The store's word on a message of this home's.
    void stored(std::uint64_t ticket, bool written) { pending_->stored(ticket, written); }
    // What a message of this home's changes that has its place and is not kept yet.
    [[nodiscard]] PendingAmendments& amendments();
    // A keyed send was published.
    void remember(const std::string& user, const std::string& key,
                  const IdempotencyKeys::Published& published);
    [[nodiscard]] protocol::MemberList members() const;
    [[nodiscard]] protocol::ListedRoom summary() const;

    // Where it stands: of the newest message.
    [[nodiscard]] protocol::Cursor cursor() const;
    // How it looks to that user, who has read so far.
    [[nodiscard]] protocol::MyRoom overview(const protocol::User& user, const ReadMark& mark) const;

    // For reports: members present, and what the history holds.
    [[nodiscard]] std::size_t member_count() const noexcept { return presence_.count(); }
    [[nodiscard]] const History& kept() const noexcept { return history_; }
    // The ring's messages, in order.
    void keep(const PublicationPtr& message);
    // True when nobody is present or listens and what was said may be forgotten, or read again.
    [[nodiscard]] bool droppable() const noexcept;
    // It goes.
    void note_dropping() const {
        if (acts_) acts_->note_dropping();
    }
    // True where there is nothing of a room: nobody, and nothing was ever said.
    [[nodiscard]] bool vacant() const noexcept {
        return deserted() && history_.last_offset() == 0 && !pending() &&
               (!acts_ || acts_->roles().is_blank());
    }

private:
    struct HomeTimer : Timer {
        explicit HomeTimer(RoomHome& home) noexcept : Timer(&fire), owner(&home) {}
        static void fire(Timer& timer) noexcept;
        RoomHome* owner;
    };

    void on_timer();
    void arm_timer();
    void announce(protocol::PresencePush::Action action, const UserPtr& user);
    void publish_presence(protocol::PresencePush::Action action, const User* user);
    [[nodiscard]] bool others_attached() const noexcept;
    // For how long a deserted room stays.
    [[nodiscard]] Duration idle_ttl() const noexcept;
    [[nodiscard]] bool pending() const noexcept { return pending_ && !pending_->empty(); }
    // The ack of a keyed send that was made already, or the word that it is under way.
    struct Repeated {
        std::optional<AckAnswer> ack;
    };
    [[nodiscard]] std::optional<Repeated> repeated(const UserPtr& user, const std::string& key,
                                                   const Later<AckAnswer>& later);
    void note_key(const UserPtr& user, const std::string& key, const AckAnswer& ack);
    void ask_for_target(const UserPtr& user, Amendment&& asked, bool moderates,
                        Respond<AckAnswer> respond) const;
    [[nodiscard]] std::optional<AckAnswer> amend_target(const UserPtr& user, Amendment&& asked,
                                                        bool moderates, const Retained& target,
                                                        const Later<AckAnswer>& later);
    [[nodiscard]] std::vector<RetainedPtr> carry_out_amendments(std::uint64_t publication);
    void audit_refusal(const User& user, const Amendment& asked, const protocol::Error& why) const;
    [[nodiscard]] std::optional<PageAnswer> ask_store(const protocol::History& asked, bool recover,
                                                      const Later<PageAnswer>& later) const;
    [[nodiscard]] HistoryReply empty_reply() const;
    // True where everything after that cursor is retained.
    [[nodiscard]] bool can_follow(const std::optional<protocol::Cursor>& since) const noexcept;
    void left(const UserPtr& user);
    // Who is what is known nowhere else.
    [[nodiscard]] bool holds_roles() const noexcept;
    // Nobody is present, and nobody listens who is not.
    [[nodiscard]] bool deserted() const noexcept { return presence_.count() + hearers_ == 0; }

    Shard* shard_;
    Audience* audience_;
    History history_;
    Presence presence_;
    std::unique_ptr<IdempotencyKeys> keys_;
    std::unique_ptr<RoomActs> acts_;         // only where not everybody may do everything
    std::unique_ptr<PendingSends> pending_;  // only where messages are stored before they are said
    std::unique_ptr<PendingAmendments> amendments_;  // made when first needed
    std::uint32_t amended_ = 0;                      // how often that was
    std::uint64_t watchers_ = 0;                     // sessions that asked for presence
    std::uint64_t hearers_ = 0;                      // sessions that listen without being present
    TimePoint last_count_at_{};
    TimePoint idle_since_;
    bool used_ = false;  // somebody was here, or said something: not only asked
    bool count_due_ = false;
    HomeTimer timer_;
};

// Publishes one message of that user, on any shard that takes part in the room; its ack, or
// `rate_limited` over limits.room, or `unavailable` when the ring is full or the store too far
// behind. Not where messages are stored before they are said (Hub::stores_first()).
[[nodiscard]] AckAnswer publish_message(Audience& audience, const User& user,
                                        protocol::Send&& send);
// Why no message may be published in that room now: the store takes none, or the room's rate is used
// up, which this takes one token of.
[[nodiscard]] std::optional<protocol::Error> admit_message(Audience& audience);
// Publishes a transient push; refused like a message, but that limits.room does not bound presence.
[[nodiscard]] std::optional<protocol::Error> publish_transient(Audience& audience,
                                                               PublicationKind kind,
                                                               protocol::ServerMessage&& push);

}  // namespace parley::core
