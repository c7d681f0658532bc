// Subscriber: one session on its shard: the rules (Session), the rooms it listens to
// (Subscription) and the transport that carries it.
//
// Path:     Transport → [Subscriber] → Hub, Room; Flush → [Subscriber] → Transport
// Runs on:  its shard, for life.
// Owned by: its frontend's connection; questions under way hold it weakly.
// Bounds:   limits.rooms_per_session subscriptions; one question to a room's home under way.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/accounts.hpp"
#include "core/caller_buckets.hpp"
#include "core/flush_batch.hpp"
#include "core/room_home.hpp"
#include "core/session.hpp"
#include "core/subscription.hpp"
#include "core/transport.hpp"
#include "protocol/json_codec.hpp"

namespace parley::core {

class Shard;
class Trail;
class UserSessions;

// Who is at the other end, as far as the connection tells.
struct PeerIdentity {
    std::string address;              // the peer's address without port
    std::optional<std::string> name;  // asked for; judged by the rules
    // Without a name: the guest of its address, who is the same in every request, and not a new one.
    bool guest_of_address = false;
    UserPtr user{};  // whoever it is already; the rest is not looked at
};

class Subscriber : public std::enable_shared_from_this<Subscriber> {
public:
    // Opens a session: counts it, says `welcome`, and an `error` where the name asked for is
    // refused (the session then goes by a name of the server's). The transport must outlive it.
    [[nodiscard]] static std::shared_ptr<Subscriber> open(Shard& shard, Transport& transport,
                                                          const PeerIdentity& peer);
    ~Subscriber();
    Subscriber(const Subscriber&) = delete;
    Subscriber& operator=(const Subscriber&) = delete;

    // Takes one token for a command; nothing where there is one, else the error to answer unread
    // (and the session is closed where it has been refused too often). Call it before decoding.
    [[nodiscard]] std::optional<protocol::Error> admit();
    // Joins a room as `handle()` would, but for how it listens there. Only while ready().
    void join(protocol::Join&& join, const Listening& how);
    // Goes by another name from now on, in the rooms that it has joined too: whoever watches them is
    // told that one came and another went. The error where something is wrong with the name, or there
    // are fewer tokens than rooms beyond the first.
    [[nodiscard]] std::optional<protocol::Error> take_name(const std::string& name);
    // From now on it is found as its user's: it is joined to the rooms of direct messages to them and
    // from them. For transports whose peers listen to more than what they asked for.
    void take_directs();
    // Joins that room of its user and of that other one, whom it is told of; nothing where it is in
    // it already. `by_other`: that one writes. Where half of the rooms that a session may join are
    // taken the oldest conversation goes that another began and this session has not answered, where
    // there is one, else it is not joined.
    void enter_direct(const std::string& room, const protocol::User& with, bool by_other);
    // Notes what it is handed from now on; null: no more. Only for a session of several rooms: the
    // flush tells of one room's publications only where it has to. `trail` must outlive that.
    void follow(Trail* trail) noexcept { trail_ = trail; }
    // Transport::writer() is another one from now on.
    void writer_changed() noexcept;
    // Where it stands in that room: what follows is what it has not been handed. Nothing where the
    // room is not joined.
    [[nodiscard]] std::optional<protocol::Cursor> cursor_in(std::string_view room) noexcept;
    // One command; call it only while ready(). The answer comes by Transport::reply(), now or later.
    void handle(protocol::CommandFrame&& frame);
    // A frame that is no command: answers `bad_request`, counts towards too many errors.
    void refuse(const protocol::DecodeError& error);
    // As refuse(), with a code of its own.
    void refuse(const protocol::CommandId& id, errc code, std::string_view text);
    // Answers what admit() said.
    void refuse(const protocol::CommandId& id, protocol::Error&& why);
    // False while a room's home has still to answer; hand over nothing until Transport::resume().
    [[nodiscard]] bool ready() const noexcept { return !waiting_ && !closing_; }

    // Publications that it is due and has not been handed, in all its rooms.
    [[nodiscard]] std::uint64_t pending() const noexcept;

    // The transport can write again after it reported `blocked`.
    void writable();
    // Who it is was not let in: tells why, and ends it (4001) where that is for good.
    void refuse_identity(protocol::Error&& why);
    // The connection ended: leaves every room, at once after a goodbye, else after the grace.
    // Counts the session as closed for that reason. Nothing may be called afterwards.
    void closed(const CloseReason& reason);
    // Says `drain` with a retry drawn for this session; the frontend closes it later (1012).
    void announce_drain();

    [[nodiscard]] const Session& session() const noexcept { return session_; }
    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    // What its commands take from, beside the session's own bucket; null before the first admit()
    // and where no rate is held.
    [[nodiscard]] const CallerBuckets* buckets() const noexcept {
        return tokens_ ? &tokens_->caller : nullptr;
    }
    [[nodiscard]] std::size_t room_count() const noexcept { return subscriptions_.size(); }
    [[nodiscard]] Shard& shard() const noexcept { return *shard_; }
    [[nodiscard]] Transport& transport() const noexcept { return *transport_; }

    // For the flush alone: hands over news from all rooms in one write. True when something went.
    bool flush();
    // For the flush alone: the transport answered `blocked` to a room that wrote to it directly.
    void blocked();
    // For a room's home alone, where its user is something else there now: it is put out, or what it
    // says is judged otherwise. Nothing where it does not listen there.
    void change_standing(const StandingChange& change);
    // Calls f(name) for each of its rooms.
    template <typename F>
    void each_room(F&& f) const {
        for (const auto& subscription : subscriptions_) f(room_name(*subscription));
    }
    [[nodiscard]] bool listens_to(std::string_view room) const noexcept {
        return find(room) != nullptr;
    }
    // Says to this session alone what somebody is in a room where it does not listen.
    void tell(const protocol::RolePush& role);

    // For lag policies and rules: ends the session; false when it is ending already.
    bool close(const CloseReason& reason);

private:
    struct Executor;
    // What its commands take from.
    struct Tokens {
        TokenBucket session;
        CallerBuckets caller;
    };

    // Only open() makes one.
    struct Key {};

public:
    Subscriber(Key, Shard& shard, Transport& transport, UserPtr user, std::string address);

private:
    void welcome(const protocol::CommandId& id);
    void rename(const std::string& name);
    void sign_in(const protocol::CommandId& id, std::string&& token);
    void finish_sign_in(const protocol::CommandId& id, Identified&& answer);
    void act_as(UserPtr user);
    [[nodiscard]] bool give_up_name(const protocol::CommandFrame& frame);
    void tell_renamed(const UserPtr& before);
    void reply(const protocol::CommandId& id, ReplyMessage&& message);
    void error(const protocol::CommandId& id, protocol::Error&& error);
    [[nodiscard]] Subscription* find(std::string_view room) const noexcept;
    [[nodiscard]] static const std::string& room_name(const Subscription& subscription) noexcept;
    void review_standing();
    void apply(const std::string& room, const Standing& standing);
    void leave(const protocol::CommandId& id, std::string&& room);
    // A join that was asked for, or (`with`) a room of two that the session is put into.
    struct Joining {
        protocol::CommandId id;
        std::string room;
        JoinRequest request;
        std::optional<protocol::User> with;
        std::optional<ReadMark> mark{};  // of its user there
        bool by_other = false;           // whom it is put into the room with, and who writes
    };
    void join_with_mark(Joining&& joining);
    template <typename Answer>
    [[nodiscard]] std::function<void(Answer&&)> when_answered(const protocol::CommandId& id);
    void join(Joining&& joining);
    // Half of the rooms that it may join are taken: no conversation more without one less.
    [[nodiscard]] bool directs_fill_rooms() const noexcept;
    [[nodiscard]] const Subscription* oldest_unanswered() const noexcept;
    [[nodiscard]] bool make_room_for_direct();
    void join_answered(const Joining& joining,
                       boost::system::result<JoinAnswer, protocol::Error>&& answer);
    void finish_join(const protocol::CommandId& id, Audience& audience, JoinAnswer&& answer,
                     const Listening& how);
    void publish(const protocol::CommandId& id, protocol::Send&& send);
    void publish_push(const protocol::CommandId& id, const std::string& room, PublicationKind kind,
                      protocol::ServerMessage&& push);
    // Puts a question to the room's home, `ask(home, later)`, and hands its answer to `done` on this
    // shard: at once where this is the home and knows it. `done` is not called when the session has
    // ended meanwhile.
    template <typename Answer, typename Ask, typename Done>
    void ask_home(const std::string& room, Ask ask, Done done);
    template <typename Answer, typename Ask>
    void ask_as_reader(const protocol::CommandId& id, const std::string& room, Ask ask);
    void act(const protocol::CommandId& id, RoomAct&& act);
    void ask_push(const protocol::CommandId& id, protocol::TypingPush&& push);
    // An ack goes only to a frame with an id; an error always.
    void finish_ack(const protocol::CommandId& id,
                    boost::system::result<protocol::Ack, protocol::Error>&& answer);
    template <typename Answer>
    void finish(const protocol::CommandId& id, Answer&& answer);
    void advance(const FlushBatch& batch, std::size_t taken);
    void mark_behind();
    void review_direct() noexcept;
    // Where its shard finds it by its user, once it is listed.
    [[nodiscard]] UserSessions& session_list() const noexcept;
    void enter_list();

    // What a flush looks at comes first.
    Shard* shard_;
    Transport* transport_;
    boost::container::small_vector<std::unique_ptr<Subscription>, 1> subscriptions_;
    Trail* trail_ = nullptr;
    // The flags behind it lie in what it leaves of its last word.
    [[no_unique_address]] Session session_;
    bool waiting_ = false;  // for a home's answer
    bool blocked_ = false;  // the transport takes nothing more for now
    bool closing_ : 1 = false;
    bool takes_directs_ : 1 = false;
    bool listed_ : 1 = false;  // as one of its user's: see session_list()
    std::uint8_t names_seen_;  // Hub::names_edition() when its name was looked at: the last bits
    std::unique_ptr<Tokens> tokens_;  // made with the first command
    std::string address_;
};

// Millions stand idle: with its counts of references and the allocator's header one fills a block of
// 160 bytes.
static_assert(sizeof(Subscriber) <= 136);

}  // namespace parley::core
