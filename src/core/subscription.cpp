#include "core/subscription.hpp"

#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"

namespace parley::core {

Subscription::Subscription(Audience& room, Subscriber& who, const Place& from, const Listening& how)
    : audience(&room), subscriber(&who), kinds(how.kinds), member(how.member) {
    room.add(*this, from);
}

Subscription::~Subscription() {
    audience->remove(*this);
    leave_at_home(audience->shard(), audience->name(), subscriber->session().user(),
                  {kinds, member}, goodbye);
}

namespace {

// Has `tell(home)` run where the room's home is; nothing where there is no such room any more.
template <typename Tell>
void tell_home(Shard& from, const std::string& room, Tell tell) {
    Shard& home = from.hub().home_of(room);
    const auto task = [room, tell](Shard& shard) {
        Audience* audience = shard.find_audience(room);
        if (audience && audience->home()) tell(*audience->home());
    };
    if (&home == &from) {
        task(home);
    } else {
        home.post(task);
    }
}

}  // namespace

void leave_at_home(Shard& from, const std::string& room, const UserPtr& user, const Listening& how,
                   bool goodbye) {
    tell_home(from, room, [user, how, goodbye](RoomHome& home) { home.leave(user, how, goodbye); });
}

void rename_at_home(Shard& from, const std::string& room, const UserPtr& before,
                    const UserPtr& after) {
    tell_home(from, room, [before, after](RoomHome& home) { home.rename(before, after); });
}

}  // namespace parley::core
