#include "core/subscriber.hpp"

#include <algorithm>

#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/direct.hpp"
#include "core/hub.hpp"
#include "core/ids.hpp"
#include "core/my_rooms.hpp"
#include "core/question.hpp"
#include "core/shard.hpp"

namespace parley::core {
namespace {

// Comes at once when it is over: the peer said so, or was told not to return.
bool is_goodbye(const CloseReason& reason) {
    return reason.code == close_reasons::normal.code ||
           reason.code == close_reasons::going_away.code || !may_reconnect(reason);
}

errc code_named(const std::string& name) {
    const auto row = std::ranges::find(errc_rows, std::string_view(name), &ErrcRow::name);
    return row == errc_rows.end() ? errc::internal : row->value;
}

}  // namespace

std::shared_ptr<Subscriber> Subscriber::open(Shard& shard, Transport& transport,
                                             const PeerIdentity& peer) {
    const Hub& hub = shard.hub();
    std::optional<protocol::Error> refused;
    if (peer.name && !peer.user) {
        auto reason = refuse_name(*peer.name, shard.config().limits.name_bytes);
        refused = reason ? make_error(errc::bad_request, std::move(*reason))
                         : hub.refuse_anonymous(*peer.name);
    }
    auto user = peer.user               ? peer.user
                : peer.name && !refused ? hub.user_named(peer.address, *peer.name)
                : peer.guest_of_address
                    ? hub.guest_at(peer.address)
                    : hub.user_named(peer.address, "guest-" + random_id(shard.random(), 4));
    auto self =
        std::make_shared<Subscriber>(Key{}, shard, transport, std::move(user), peer.address);
    shard.metrics().session_opened(transport.traits());
    if (const Grant* grant = self->session_.user()->grant()) {
        shard.signed_in().enter(*self, *grant, shard.now());
    }
    self->welcome({});
    if (refused) self->refuse(protocol::CommandId{}, std::move(*refused));
    return self;
}

Subscriber::Subscriber(Key, Shard& shard, Transport& transport, UserPtr user, std::string address)
    : shard_(&shard),
      transport_(&transport),
      session_(shard.config().limits, std::move(user)),
      names_seen_(static_cast<std::uint8_t>(shard.hub().names_edition())),
      address_(std::move(address)) {}

Subscriber::~Subscriber() {
    if (session_.user()->grant() != nullptr) shard_->signed_in().leave(*this);
    // Leaving asks who the session was: before that goes.
    subscriptions_.clear();
    if (listed_) session_list().remove(*this);
}

void Subscriber::welcome(const protocol::CommandId& id) {
    const Config& config = shard_->config();
    reply(id, protocol::Welcome{
                  random_id(shard_->random(), 12),
                  session_.user()->who,
                  static_cast<std::uint64_t>(config.heartbeat.ping_every.count()),
                  {config.limits.text_bytes, config.limits.message_bytes,
                   config.limits.rooms_per_session, limits::history_answer_max, config.file_bytes},
                  config.server_name,
                  config.features,
                  is_signed_in(*session_.user())});
}

std::optional<protocol::Error> Subscriber::admit() {
    shard_->metrics().add(Metric::commands);
    const LimitsConfig& limits = shard_->config().limits;
    if (!limits.enabled) return std::nullopt;
    const auto now = shard_->now().mono;
    if (!tokens_) {
        tokens_ = std::make_unique<Tokens>(Tokens{{}, CallerBuckets(*shard_, address_)});
        tokens_->caller.set_user(*shard_, session_.user()->who.id);
    }
    auto& [session, caller] = *tokens_;
    const auto wait = std::max(session.wait(limits.session, now), caller.wait(limits, now));
    // Nothing is taken in a dry run either, or it would count far more than would be refused.
    if (wait > Duration::zero()) return refuse_rate(*shard_, wait);
    session.take(limits.session, now);
    caller.take(limits, now);
    return std::nullopt;
}

// Carries out what the rules decided about one command.
struct Subscriber::Executor {
    Subscriber& self;
    const protocol::CommandId& id;

    void operator()(SendReply&& action) const { self.reply(id, std::move(action.message)); }
    void operator()(Refuse&& action) const { self.error(id, std::move(action.error)); }
    void operator()(Rename&& action) const {
        if (!action.name.empty()) {
            if (auto taken = self.shard_->hub().refuse_anonymous(action.name)) {
                return self.error(id, std::move(*taken));
            }
            self.rename(action.name);
        }
        self.welcome(id);
    }
    void operator()(SignIn&& action) const { self.sign_in(id, std::move(action.token)); }
    void operator()(JoinRoom&& action) const {
        const Listening how{action.join.presence ? all_kinds : all_but_presence, true};
        self.join_with_mark({id,
                             action.join.room,
                             {self.session_.user(), action.join.since, action.join.history, how},
                             {},
                             {}});
    }
    void operator()(LeaveRoom&& action) const { self.leave(id, std::move(action.room)); }
    void operator()(PublishMessage&& action) const { self.publish(id, std::move(action.send)); }
    void operator()(PublishTyping&& action) const {
        auto& typing = action.typing;
        protocol::TypingPush push{typing.room, self.session_.user()->who, typing.active};
        if (self.find(typing.room)->asks) return self.ask_push(id, std::move(push));
        self.publish_push(id, typing.room, PublicationKind::typing, std::move(push));
    }
    void operator()(PublishRead&& action) const {
        auto& read = action.read;
        // Nobody has read what they were not handed.
        Subscription& subscription = *self.find(read.room);
        subscription.unanswered = false;
        Audience& audience = *subscription.audience;
        const std::uint64_t handed = audience.place_of(subscription).offset;
        read.offset = std::min(read.offset, handed);
        self.shard_->hub().read_marks().note(*self.session_.user(),
                                             {read.room, audience.room()->epoch(), read.offset});
        self.publish_push(id, read.room, PublicationKind::read,
                          protocol::ReadPush{read.room, self.session_.user()->who, read.offset});
    }
    void operator()(AmendMessage&& action) const {
        const std::string room = action.asked.room;
        auto ask = [asked = std::move(action.asked), user = self.session_.user()](
                       Shard& home, const Later<AckAnswer>& later) mutable {
            return amend_at_home(home, user, std::move(asked), later);
        };
        self.ask_home<AckAnswer>(room, std::move(ask), [id = id](Subscriber& me, AckAnswer&& ack) {
            me.finish_ack(id, std::move(ack));
        });
    }
    void operator()(SendDirect&& action) const {
        send_direct(*self.shard_, self.session_.user(), self.address_, std::move(action.direct),
                    self.when_answered<AckAnswer>(id));
    }
    void operator()(AskMyRooms&&) const {
        list_my_rooms(*self.shard_, self.session_.user(),
                      self.when_answered<Answered<protocol::MyRooms>>(id));
    }
    void operator()(AskHistory&& action) const {
        self.ask_as_reader<PageAnswer>(
            id, action.history.room,
            [asked = action.history](Shard& home, const Later<PageAnswer>& later) {
                return history_at_home(home, asked, later);
            });
    }
    void operator()(AskMembers&& action) const {
        using Answer = Answered<protocol::MemberList>;
        self.ask_as_reader<Answer>(id, action.room,
                                   [room = action.room](Shard& home, const Later<Answer>&) {
                                       return std::optional<Answer>(members_at_home(home, room));
                                   });
    }
    void operator()(ActInRoom&& action) const { self.act(id, std::move(action.act)); }
    void operator()(AskRoomInfo&& action) const {
        using Answer = Answered<protocol::RoomInfo>;
        self.ask_as_reader<Answer>(
            id, action.room,
            [room = action.room, user = self.session_.user()](Shard& home, const Later<Answer>&) {
                return std::optional<Answer>(room_info_at_home(home, room, *user));
            });
    }
};

void Subscriber::handle(protocol::CommandFrame&& frame) {
    if (give_up_name(frame)) return;
    const auto room = room_of(frame.command);
    const JoinedRooms rooms{!room.empty() && find(room) != nullptr, subscriptions_.size()};
    std::visit(
        [this, &frame](auto&& action) {
            Executor{*this, frame.id}(std::forward<decltype(action)>(action));
        },
        session_.on(std::move(frame.command), rooms));
}

void Subscriber::refuse(const protocol::DecodeError& error) {
    refuse(error.id, errc::bad_request, error.message);
}

void Subscriber::refuse(const protocol::CommandId& id, errc code, std::string_view text) {
    error(id, make_error(code, std::string(text)));
}

void Subscriber::refuse(const protocol::CommandId& id, protocol::Error&& why) {
    error(id, std::move(why));
}

void Subscriber::reply(const protocol::CommandId& id, ReplyMessage&& message) {
    session_.clear_refusals();
    transport_->reply({id, std::move(message)});
}

void Subscriber::error(const protocol::CommandId& id, protocol::Error&& why) {
    const auto code = code_named(why.code);
    shard_->metrics().count_error(code);
    transport_->reply({id, std::move(why)});
    if (const auto reason = session_.count_refusal(code)) close(*reason);
}

bool Subscriber::close(const CloseReason& reason) {
    if (closing_) return false;
    closing_ = true;
    review_direct();
    transport_->close(reason);
    return true;
}

Subscription* Subscriber::find(std::string_view room) const noexcept {
    for (const auto& subscription : subscriptions_) {
        if (subscription->audience->name() == room) return subscription.get();
    }
    return nullptr;
}

template <typename Answer>
void Subscriber::finish(const protocol::CommandId& id, Answer&& answer) {
    if (answer) {
        reply(id, std::move(*answer));
    } else {
        error(id, protocol::Error(answer.error()));
    }
}

// For what is answered in a later turn: until then it is handed no command.
template <typename Answer>
std::function<void(Answer&&)> Subscriber::when_answered(const protocol::CommandId& id) {
    waiting_ = true;
    return [id, weak = weak_from_this()](Answer&& answer) {
        const auto me = weak.lock();
        if (!me || me->closing_) return;
        me->waiting_ = false;
        if constexpr (std::is_same_v<Answer, AckAnswer>) {
            me->finish_ack(id, std::move(answer));
        } else {
            me->finish(id, std::move(answer));
        }
        if (me->ready()) me->transport_->resume();
    };
}

template <typename Answer, typename Ask, typename Done>
void Subscriber::ask_home(const std::string& room, Ask ask, Done done) {
    auto now = core::ask_home_later<Answer>(*shard_, room, std::move(ask), [&] {
        waiting_ = true;
        return [done, weak = weak_from_this()](Answer&& answer) {
            const auto self = weak.lock();
            if (!self || self->closing_) return;
            self->waiting_ = false;
            done(*self, std::move(answer));
            if (self->ready()) self->transport_->resume();
        };
    });
    if (now) done(*this, std::move(*now));
}

// What only who may read the room is told, `ask(home, later)`.
template <typename Answer, typename Ask>
void Subscriber::ask_as_reader(const protocol::CommandId& id, const std::string& room, Ask ask) {
    auto judged = [room, ask = std::move(ask), user = session_.user()](
                      Shard& home, const Later<Answer>& later) -> std::optional<Answer> {
        if (auto refused = refuse_at_home(home, room, *user, Act::read)) {
            return Answer(std::move(*refused));
        }
        return ask(home, later);
    };
    ask_home<Answer>(room, std::move(judged),
                     [id](Subscriber& me, Answer&& answer) { me.finish(id, std::move(answer)); });
}

void Subscriber::act(const protocol::CommandId& id, RoomAct&& act) {
    const std::string room = std::visit([](const auto& what) { return what.room; }, act);
    auto ask = [act = std::move(act), user = session_.user()](
                   Shard& home, const Later<ActAnswer>& later) mutable {
        return act_at_home(home, user, std::move(act), later);
    };
    ask_home<ActAnswer>(room, std::move(ask), [id](Subscriber& me, ActAnswer&& answer) {
        if (!answer) return me.error(id, protocol::Error(answer.error()));
        me.finish_ack(id, std::move(answer->ack));
    });
}

// Of somebody who perhaps may not.
void Subscriber::ask_push(const protocol::CommandId& id, protocol::TypingPush&& push) {
    using Answer = Answered<protocol::Ack>;
    const std::string room = push.room;
    auto ask = [push = std::move(push), user = session_.user()](
                   Shard& home, const Later<Answer>&) mutable -> std::optional<Answer> {
        if (auto refused = refuse_at_home(home, push.room, *user, Act::send)) {
            return Answer(std::move(*refused));
        }
        const std::string where = push.room;
        return push_at_home(home, where, PublicationKind::typing, std::move(push));
    };
    ask_home<Answer>(room, std::move(ask), [id](Subscriber& me, Answer&& answer) {
        me.finish_ack(id, std::move(answer));
    });
}

void Subscriber::publish(const protocol::CommandId& id, protocol::Send&& send) {
    Subscription& subscription = *find(send.room);
    if (subscription.unanswered) [[unlikely]]
        subscription.unanswered = false;
    if (send.key.empty() && !subscription.asks && !shard_->hub().stores_first()) {
        return finish_ack(
            id, publish_message(*subscription.audience, *session_.user(), std::move(send)));
    }
    const std::string room = send.room;
    auto ask = [send = std::move(send), user = session_.user()](
                   Shard& home, const Later<AckAnswer>& later) mutable {
        return send_at_home(home, user, std::move(send), later);
    };
    ask_home<AckAnswer>(room, std::move(ask), [id](Subscriber& me, AckAnswer&& answer) {
        me.finish_ack(id, std::move(answer));
    });
}

void Subscriber::finish_ack(const protocol::CommandId& id,
                            boost::system::result<protocol::Ack, protocol::Error>&& answer) {
    const bool asked = !std::holds_alternative<std::monostate>(id);
    if (answer && !asked) {
        session_.clear_refusals();
        return;
    }
    finish(id, std::move(answer));
}

void Subscriber::publish_push(const protocol::CommandId& id, const std::string& room,
                              PublicationKind kind, protocol::ServerMessage&& push) {
    boost::system::result<protocol::Ack, protocol::Error> answer = protocol::Ack{room, {}, {}};
    if (auto refused = publish_transient(*find(room)->audience, kind, std::move(push))) {
        answer = std::move(*refused);
    }
    finish_ack(id, std::move(answer));
}

void Subscriber::announce_drain() {
    flush();  // what is held for it: the connection may end at any moment from here
    const DrainConfig& drain = shard_->config().drain;
    std::uniform_int_distribution<std::int64_t> draw(drain.retry_min.count(),
                                                     drain.retry_max.count());
    transport_->reply({{}, protocol::Drain{static_cast<std::uint64_t>(draw(shard_->random()))}});
}

void Subscriber::closed(const CloseReason& reason) {
    closing_ = true;
    if (session_.user()->grant() != nullptr) shard_->signed_in().leave(*this);
    shard_->metrics().session_closed(transport_->traits(), reason);
    const bool goodbye = is_goodbye(reason);
    for (const auto& subscription : subscriptions_) subscription->goodbye = goodbye;
    subscriptions_.clear();
}

}  // namespace parley::core
