#include "core/subscription.hpp"

#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"

namespace parley::core {

Subscription::Subscription(Audience& room, Subscriber& who, const Place& from, bool wants_presence)
    : audience(&room), subscriber(&who), presence(wants_presence) {
    room.add(*this, from);
}

Subscription::~Subscription() {
    audience->remove(*this);
    leave_at_home(audience->shard(), audience->name(), subscriber->session().user(), presence,
                  goodbye);
}

void leave_at_home(Shard& from, const std::string& room, const UserPtr& user, bool presence,
                   bool goodbye) {
    Shard& home = from.hub().home_of(room);
    const auto leave = [room, user, presence, goodbye](Shard& shard) {
        Audience* audience = shard.find_audience(room);
        if (audience && audience->home()) audience->home()->leave(user, presence, goodbye);
    };
    if (&home == &from) {
        leave(home);
    } else {
        home.post(leave);
    }
}

}  // namespace parley::core
