// The half of Subscriber that knows who it is: names, tokens, and what follows from a new one.
#include <string>
#include <vector>

#include "core/accounts.hpp"
#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/ids.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"

namespace parley::core {

void Subscriber::rename(const std::string& name) {
    act_as(shard_->hub().user_named(address_, name));
}

void Subscriber::act_as(UserPtr user) {
    if (listed_) session_list().remove(*this);
    session_.rename(std::move(user));
    if (listed_) session_list().add(*this);
    if (tokens_) tokens_->caller.set_user(*shard_, session_.user()->who.id);
    if (const Grant* grant = session_.user()->grant()) {
        shard_->signed_in().enter(*this, *grant, shard_->now());
    } else {
        shard_->signed_in().leave(*this);
    }
}

// The rooms that it has joined hear that one went and another came.
void Subscriber::tell_renamed(const UserPtr& before) {
    if (before->who == session_.user()->who) return;
    for (const auto& subscription : subscriptions_) {
        if (!subscription->member) continue;
        rename_at_home(*shard_, subscription->audience->name(), before, session_.user());
    }
    review_standing();
}

// A guest whose name has been registered since they took it goes by another one from their next word
// on, which is refused to tell them. True where that is so.
bool Subscriber::give_up_name(const protocol::CommandFrame& frame) {
    const Hub& hub = shard_->hub();
    const auto edition = static_cast<std::uint8_t>(hub.names_edition());
    if (edition == names_seen_) [[likely]]
        return false;
    // Who says `hello` may be the one who has registered it.
    if (std::holds_alternative<protocol::Hello>(frame.command)) return false;
    names_seen_ = edition;
    const UserPtr before = session_.user();
    if (before->grant() != nullptr || !hub.refuse_anonymous(before->who.name)) return false;
    rename("guest-" + random_id(shard_->random(), 4));
    tell_renamed(before);
    error(frame.id,
          make_error(errc::forbidden,
                     "the name " + before->who.name + " was registered meanwhile: you are " +
                         session_.user()->who.name + " now, or sign in to go by it"));
    return true;
}

void Subscriber::sign_in(const protocol::CommandId& id, std::string&& token) {
    Accounts* const accounts = shard_->hub().accounts();
    if (accounts == nullptr) {
        return error(
            id, make_error(errc::unauthorized, "this server has no accounts: leave out \"token\""));
    }
    if (auto known = accounts->recall(token, shard_->now().wall)) {
        return finish_sign_in(id, std::move(*known));
    }
    waiting_ = true;
    accounts->identify(*shard_, std::move(token),
                       [id, weak = weak_from_this()](Identified&& answer) {
                           const auto self = weak.lock();
                           if (!self || self->closing_) return;
                           self->waiting_ = false;
                           self->finish_sign_in(id, std::move(answer));
                           if (self->ready()) self->transport_->resume();
                       });
}

// Signs in, or goes on with a fresh token: then what it had joined stays joined, as far as that one
// is good for it.
void Subscriber::finish_sign_in(const protocol::CommandId& id, Identified&& answer) {
    if (!answer) return error(id, protocol::Error(answer.error()));
    const UserPtr before = session_.user();
    const UserPtr& user = *answer;
    if (!subscriptions_.empty() && user->who.id != before->who.id) {
        return error(id, make_error(errc::conflict,
                                    "somebody else signs in before the first room is joined"));
    }
    act_as(user);
    tell_renamed(before);
    std::vector<std::string> closed_to;
    for (const auto& subscription : subscriptions_) {
        const std::string& room = subscription->audience->name();
        if (refuse_by_grant(*user, protocol::Members{room})) closed_to.push_back(room);
    }
    for (auto& room : closed_to) leave({}, std::move(room));
    if (before->who == user->who) review_standing();
    welcome(id);
}

void Subscriber::refuse_identity(protocol::Error&& why) {
    const bool for_good = !why.temporary;
    error({}, std::move(why));
    if (for_good) close(close_reasons::unauthorized);
}

std::optional<protocol::Error> Subscriber::take_name(const std::string& name) {
    if (auto refused = refuse_name(name, shard_->config().limits.name_bytes)) {
        return make_error(errc::bad_request, std::move(*refused));
    }
    const UserPtr before = session_.user();
    if (before->who.name == name) return std::nullopt;
    if (is_signed_in(*before)) {
        return make_error(errc::forbidden, "you are signed in as " + before->who.name);
    }
    if (auto taken = shard_->hub().refuse_anonymous(name)) return taken;
    // Every room hears of it: it costs what as many commands do.
    for (std::size_t i = 1; i < subscriptions_.size(); ++i) {
        if (auto refused = admit()) return refused;
    }
    rename(name);
    tell_renamed(before);
    return std::nullopt;
}

}  // namespace parley::core
