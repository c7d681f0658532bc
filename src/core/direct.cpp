#include "core/direct.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/accounts.hpp"
#include "core/at_home.hpp"
#include "core/hub.hpp"
#include "core/question.hpp"
#include "core/room_access.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"
#include "protocol/direct_room.hpp"

namespace parley::core {
namespace {

using Users = std::vector<Someone>;

// More than one is enough to know that a name says too little.
constexpr std::size_t users_max = 2;

void note_users(const std::vector<Subscriber*>& sessions, Users& users) {
    for (const Subscriber* session : sessions) {
        const User& user = *session->session().user();
        // Where nobody is anybody without an account, whoever has not signed in can't be told.
        if (refuse_stranger(user)) continue;
        if (users.size() < users_max &&
            std::ranges::find(users, user.who, &Someone::user) == users.end()) {
            users.push_back({user.who, is_signed_in(user)});
        }
    }
}

// Both are looked for at once: an id comes before a name.
struct Present {
    Users by_id;
    Users by_name;
};

FoundUser choose(Present&& present) {
    Users& users = present.by_id.empty() ? present.by_name : present.by_id;
    if (users.empty()) {
        return make_error(errc::not_found, "nobody of that name or id has an account or is here");
    }
    if (users.size() > 1) {
        return make_error(errc::conflict, "several go by that name: say the id of one");
    }
    return std::move(users.front());
}

void find_present(Shard& here, const std::string& who, std::function<void(FoundUser&&)> done) {
    const auto visit = [who](Shard& shard, Present& present) {
        note_users(shard.user_sessions().with_id(who), present.by_id);
        note_users(shard.user_sessions().with_name(who), present.by_name);
    };
    ask_every_shard(here, here, Present(), visit, [done = std::move(done)](Present&& present) {
        done(choose(std::move(present)));
    });
}

// Said once every shard has asked the room's home to let its sessions in: they are before it.
void say(Shard& here, const UserPtr& from, const Someone& to, protocol::Send&& send,
         std::function<void(AckAnswer&&)> done) {
    const std::string room = send.room;
    auto ask = [send = std::move(send), from](Shard& home, const Later<AckAnswer>& later) mutable {
        return send_at_home(home, from, std::move(send), later);
    };
    const auto said = [&here, from, to, done = std::move(done)](AckAnswer&& ack) {
        if (ack) {
            here.metrics().add(Metric::directs_sent);
            // It is among the rooms of both from now on.
            ReadMarks& marks = here.hub().read_marks();
            marks.note(*from, {ack->room, ack->cursor.epoch, ack->cursor.offset});
            // Where they have read nothing there it takes of those that others may make.
            marks.note(to.user, to.has_account, {ack->room, ack->cursor.epoch, 0});
        }
        done(std::move(ack));
    };
    auto now = ask_home_later<AckAnswer>(here, room, std::move(ask), [&said] { return said; });
    if (now) said(std::move(*now));
}

}  // namespace

void find_user(Shard& here, std::string who, const std::string& address,
               std::function<void(FoundUser&&)> done) {
    Accounts* const accounts = here.hub().accounts();
    if (accounts == nullptr || !accounts->has_store()) {
        return find_present(here, who, std::move(done));
    }
    accounts->ask(here, FindAccount{who}, address,
                  [&here, who, done = std::move(done)](AccountAnswer&& answer) {
                      if (!answer) {
                          if (answer.error().code != row_of(errc::not_found).name) {
                              return done(FoundUser(answer.error()));
                          }
                          return find_present(here, who, done);
                      }
                      auto* const user = std::get_if<protocol::User>(&*answer);
                      if (user == nullptr) return find_present(here, who, done);
                      done(Someone{std::move(*user), true});
                  });
}

void send_direct(Shard& here, const UserPtr& from, const std::string& address,
                 protocol::Direct&& direct, std::function<void(AckAnswer&&)> done) {
    const std::string to = direct.to;
    auto found = [&here, from, direct = std::move(direct),
                  done = std::move(done)](FoundUser&& someone) mutable {
        if (!someone) return done(AckAnswer(someone.error()));
        const protocol::User& user = someone->user;
        if (user.id == from->who.id) {
            return done(AckAnswer(make_error(errc::bad_request, "nobody writes to themselves")));
        }
        protocol::Send send{protocol::direct_room(from->who.id, user.id),
                            std::move(direct.body),
                            std::move(direct.key),
                            {}};
        if (auto refused = refuse_write(*from, send.room)) {
            return done(AckAnswer(std::move(*refused)));
        }
        const auto enter = [room = send.room, one = from->who, other = user](Shard& shard, bool&) {
            enter_direct(shard, room, one, other);
        };
        ask_every_shard(here, here, true, enter,
                        [&here, from, to = *someone, send = std::move(send), done](bool) mutable {
                            say(here, from, to, std::move(send), std::move(done));
                        });
    };
    find_user(here, to, address, std::move(found));
}

void enter_direct(Shard& shard, const std::string& room, const protocol::User& from,
                  const protocol::User& to) {
    const auto let_in = [&](const protocol::User& user, const protocol::User& with, bool by_other) {
        for (Subscriber* session : shard.user_sessions().with_id(user.id)) {
            session->enter_direct(room, with, by_other);
        }
    };
    let_in(from, to, false);
    let_in(to, from, true);
}

std::optional<protocol::Error> refuse_outsider(const User& user, std::string_view room) {
    if (!protocol::is_direct_room(room) || protocol::is_party_of(room, user.who.id)) {
        return std::nullopt;
    }
    return make_error(errc::forbidden, "this room belongs to two others");
}

}  // namespace parley::core
