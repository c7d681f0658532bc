// RoomHome: what only one shard may decide of a room: who is present, what is retained, which keyed
// sends were made, and when the room may go.
//
// Path:     Subscriber, Visitor → [RoomHome] → Room, History, Presence
// Runs on:  the room's home shard.
// Owned by: the Audience of that shard.
// Bounds:   HistoryConfig; PresenceConfig; limits::idempotency_keys_max.
#pragma once

#include <boost/system/result.hpp>
#include <memory>
#include <optional>

#include "core/history.hpp"
#include "core/idempotency.hpp"
#include "core/presence.hpp"
#include "core/reply.hpp"
#include "core/room.hpp"
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
};

class RoomHome {
public:
    RoomHome(Shard& shard, Audience& audience);
    ~RoomHome();

    [[nodiscard]] JoinAnswer join(const JoinRequest& request);
    void leave(const UserPtr& user, const Listening& how, bool goodbye);
    // One session of `before` goes on as `after`.
    void rename(const UserPtr& before, const UserPtr& after);
    // Presence without a session: lasts for presence.poll_ttl from the last call on.
    [[nodiscard]] protocol::Visit visit(const UserPtr& user);
    void end_visit(const UserPtr& user);
    // A send with a key: published once, acked as often as it comes. `unavailable` when the ring is
    // full.
    [[nodiscard]] boost::system::result<protocol::Ack, protocol::Error> send(const UserPtr& user,
                                                                             protocol::Send&& send);
    [[nodiscard]] boost::system::result<HistoryReply, protocol::Error> history(
        const protocol::History& asked) const;
    // As history(), but a `since` that can't be followed is no error: the answer is then the last
    // messages, and not `recovered`.
    [[nodiscard]] boost::system::result<HistoryReply, protocol::Error> page(
        protocol::History asked) const;
    [[nodiscard]] protocol::MemberList members() const;
    [[nodiscard]] protocol::ListedRoom summary() const;

    // For reports: members present, and what the history holds.
    [[nodiscard]] std::size_t member_count() const noexcept { return presence_.count(); }
    [[nodiscard]] const History& kept() const noexcept { return history_; }
    // The ring's messages, in order.
    void keep(const PublicationPtr& message);
    // True when nobody is present or listens and what was said may be forgotten.
    [[nodiscard]] bool droppable() const noexcept;

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
    // True where everything after that cursor is retained.
    [[nodiscard]] bool can_follow(const std::optional<protocol::Cursor>& since) const noexcept;
    void left(const UserPtr& user);
    // Nobody is present, and nobody listens who is not.
    [[nodiscard]] bool deserted() const noexcept { return presence_.count() + hearers_ == 0; }

    Shard* shard_;
    Audience* audience_;
    History history_;
    Presence presence_;
    std::unique_ptr<IdempotencyKeys> keys_;
    std::uint64_t watchers_ = 0;  // sessions that asked for presence
    std::uint64_t hearers_ = 0;   // sessions that listen without being present
    TimePoint last_count_at_{};
    TimePoint idle_since_;
    bool count_due_ = false;
    HomeTimer timer_;
};

// Publishes one message of that user; its ack, or `rate_limited` over limits.room, or `unavailable`
// when the ring is full.
[[nodiscard]] boost::system::result<protocol::Ack, protocol::Error> publish_message(
    Audience& audience, const User& user, protocol::Send&& send);
// Publishes a transient push; refused like a message, but that limits.room does not bound presence.
[[nodiscard]] std::optional<protocol::Error> publish_transient(Audience& audience,
                                                               PublicationKind kind,
                                                               protocol::ServerMessage&& push);

}  // namespace parley::core
