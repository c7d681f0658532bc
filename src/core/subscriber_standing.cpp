// The half of Subscriber that is told what its user may do where it listens.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/question.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"

namespace parley::core {

void Subscriber::change_standing(const StandingChange& change) {
    const auto found = std::ranges::find_if(subscriptions_, [&change](const auto& subscription) {
        return subscription->audience->name() == change.room;
    });
    if (found == subscriptions_.end() || closing_) return;
    const Grant* const grant = session_.user()->grant();
    const bool lifted = change.spares_moderators && grant != nullptr && grant->moderates;
    if (!change.removed || lifted) {
        (*found)->asks = change.asks && !lifted;
        return;
    }
    // What was said before is still theirs.
    if ((*found)->audience->has_news(**found)) flush();
    (*found)->goodbye = true;
    subscriptions_.erase(found);
    review_direct();
    transport_->reply({{}, *change.removed});
    if (change.told) tell(*change.told);
}

void Subscriber::tell(const protocol::RolePush& role) {
    if (!closing_) transport_->reply({{}, role});
}

// Somebody else from now on, or by another token: where not everybody may do everything its home is
// asked what that is.
void Subscriber::review_standing() {
    std::vector<std::string> governed;
    for (const auto& subscription : subscriptions_) {
        if (!subscription->audience->room()->governed()) continue;
        subscription->asks = true;
        governed.push_back(subscription->audience->name());
    }
    for (const std::string& room : governed) {
        const UserPtr user = session_.user();
        const auto ask = [room, user](Shard& home) { return standing_at_home(home, room, *user); };
        const auto make_done = [this, room, user] {
            return [room, user, weak = weak_from_this()](Answered<Standing>&& standing) {
                const auto self = weak.lock();
                // Another question is on its way where it has changed once more.
                if (!self || !standing || self->session_.user() != user) return;
                self->apply(room, *standing);
            };
        };
        const auto now = core::ask_home(*shard_, room, ask, make_done);
        if (now && *now) apply(room, **now);
    }
}

void Subscriber::apply(const std::string& room, const Standing& standing) {
    StandingChange change{room, session_.user()->who.id, !standing.sends, {}, {}};
    if (!standing.reads) {
        change.removed = protocol::Removed{room, protocol::Removed::Action::kick, std::nullopt,
                                           "as who you are now you may not read this room"};
    }
    change_standing(change);
}

}  // namespace parley::core
