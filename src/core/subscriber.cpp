#include "core/subscriber.hpp"

#include <algorithm>

#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/ids.hpp"
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
    const auto refused = peer.name && !peer.user
                             ? refuse_name(*peer.name, shard.config().limits.name_bytes)
                             : std::nullopt;
    const Hub& hub = shard.hub();
    auto user = peer.user               ? peer.user
                : peer.name && !refused ? hub.user_named(peer.address, *peer.name)
                : peer.guest_of_address
                    ? hub.guest_at(peer.address)
                    : hub.user_named(peer.address, "guest-" + random_id(shard.random(), 4));
    auto self =
        std::make_shared<Subscriber>(Key{}, shard, transport, std::move(user), peer.address);
    shard.metrics().session_opened(transport.traits());
    self->welcome({});
    if (refused) self->refuse(protocol::CommandId{}, errc::bad_request, *refused);
    return self;
}

Subscriber::Subscriber(Key, Shard& shard, Transport& transport, UserPtr user, std::string address)
    : shard_(&shard),
      transport_(&transport),
      session_(shard.config().limits, std::move(user)),
      address_(std::move(address)) {}

Subscriber::~Subscriber() {
    // Leaving asks who the session was: before that goes.
    subscriptions_.clear();
}

void Subscriber::welcome(const protocol::CommandId& id) {
    const Config& config = shard_->config();
    reply(id, protocol::Welcome{random_id(shard_->random(), 12),
                                session_.user()->who,
                                static_cast<std::uint64_t>(config.heartbeat.ping_every.count()),
                                {config.limits.text_bytes, config.limits.message_bytes,
                                 config.limits.rooms_per_session, limits::history_answer_max},
                                config.server_name});
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
        if (!action.name.empty()) self.rename(action.name);
        self.welcome(id);
    }
    void operator()(JoinRoom&& action) const {
        const Listening how{action.join.presence ? all_kinds : all_but_presence, true};
        self.join(id, std::move(action.join), how);
    }
    void operator()(LeaveRoom&& action) const {
        const auto found = std::ranges::find_if(self.subscriptions_, [&action](const auto& s) {
            return s->audience->name() == action.room;
        });
        // What was said before it left is not to be lost for waiting.
        if ((*found)->audience->has_news(**found)) self.flush();
        (*found)->goodbye = true;
        self.subscriptions_.erase(found);
        self.review_direct();
        self.reply(id, protocol::Left{std::move(action.room)});
    }
    void operator()(PublishMessage&& action) const { self.publish(id, std::move(action.send)); }
    void operator()(PublishTyping&& action) const {
        auto& typing = action.typing;
        self.publish_push(
            id, typing.room, PublicationKind::typing,
            protocol::TypingPush{typing.room, self.session_.user()->who, typing.active});
    }
    void operator()(PublishRead&& action) const {
        auto& read = action.read;
        self.publish_push(id, read.room, PublicationKind::read,
                          protocol::ReadPush{read.room, self.session_.user()->who, read.offset});
    }
    void operator()(AskHistory&& action) const {
        const auto ask = [asked = action.history](Shard& home, const Later<PageAnswer>& later) {
            return history_at_home(home, asked, later);
        };
        self.ask_home<PageAnswer>(
            action.history.room, ask,
            [id = id](Subscriber& me, PageAnswer&& answer) { me.finish(id, std::move(answer)); });
    }
    void operator()(AskMembers&& action) const {
        using Answer = Answered<protocol::MemberList>;
        const auto ask = [room = action.room](Shard& home, const Later<Answer>&) {
            return std::optional<Answer>(members_at_home(home, room));
        };
        self.ask_home<Answer>(action.room, ask, [id = id](Subscriber& me, Answer&& answer) {
            me.finish(id, std::move(answer));
        });
    }
};

void Subscriber::handle(protocol::CommandFrame&& frame) {
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

void Subscriber::rename(const std::string& name) {
    session_.rename(shard_->hub().user_named(address_, name));
    if (tokens_) tokens_->caller.set_user(*shard_, session_.user()->who.id);
}

std::optional<protocol::Error> Subscriber::take_name(const std::string& name) {
    if (auto refused = refuse_name(name, shard_->config().limits.name_bytes)) {
        return make_error(errc::bad_request, std::move(*refused));
    }
    const UserPtr before = session_.user();
    if (before->who.name == name) return std::nullopt;
    // Every room hears of it: it costs what as many commands do.
    for (std::size_t i = 1; i < subscriptions_.size(); ++i) {
        if (auto refused = admit()) return refused;
    }
    rename(name);
    for (const auto& subscription : subscriptions_) {
        if (!subscription->member) continue;
        rename_at_home(*shard_, subscription->audience->name(), before, session_.user());
    }
    return std::nullopt;
}

Subscription* Subscriber::find(std::string_view room) noexcept {
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

void Subscriber::publish(const protocol::CommandId& id, protocol::Send&& send) {
    if (send.key.empty() && !shard_->hub().stores_first()) {
        Audience& audience = *find(send.room)->audience;
        return finish_ack(id, publish_message(audience, *session_.user(), std::move(send)));
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
    shard_->metrics().session_closed(transport_->traits(), reason);
    const bool goodbye = is_goodbye(reason);
    for (const auto& subscription : subscriptions_) subscription->goodbye = goodbye;
    subscriptions_.clear();
}

}  // namespace parley::core
