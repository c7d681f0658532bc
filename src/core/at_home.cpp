#include "core/at_home.hpp"

#include <algorithm>
#include <utility>

#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/session.hpp"
#include "protocol/direct_room.hpp"

namespace parley::core {
namespace {

// Null where there is none, or just enough of one to ask its store.
Audience* known_room(Shard& home, const std::string& room) {
    Audience* audience = home.find_audience(room);
    if (audience == nullptr || home.hub().store() == nullptr) return audience;
    return audience->home()->vacant() ? nullptr : audience;
}

}  // namespace

protocol::Error no_such_room() {
    return make_error(errc::not_found, "there is no such room");
}

protocol::Error too_many_rooms() {
    return make_error(errc::unavailable, "there are as many rooms as this server keeps");
}

protocol::Error store_unavailable(std::string text) {
    constexpr milliseconds retry_after{1000};
    return make_error(errc::unavailable, std::move(text), retry_after);
}

void tell_stored(Shard& home, const std::vector<StoredOutcome>& outcomes) {
    for (const StoredOutcome& outcome : outcomes) {
        // A home whose sends were all refused may be gone by now.
        Audience* audience = home.find_audience(outcome.room);
        if (audience != nullptr) audience->home()->stored(outcome.ticket, outcome.stored);
    }
}

Answered<JoinAnswer> join_at_home(Shard& home, const std::string& room,
                                  const JoinRequest& request) {
    auto refused = request.how.member ? refuse_coming(home, room, *request.user)
                                      : refuse_at_home(home, room, *request.user, Act::read);
    if (refused) return std::move(*refused);
    Audience* audience = home.home_of(room);
    if (!audience) return too_many_rooms();
    return audience->home()->join(request);
}

std::optional<AckAnswer> send_at_home(Shard& home, const UserPtr& user, protocol::Send&& send,
                                      const Later<AckAnswer>& later) {
    if (auto refused = refuse_at_home(home, send.room, *user, Act::send)) {
        return AckAnswer(std::move(*refused));
    }
    Audience* audience = home.home_of(send.room);
    if (!audience) return too_many_rooms();
    auto ack = audience->home()->send(user, std::move(send), later);
    // A room that was made for what could not be said.
    if (ack && !*ack) home.consider_dropping(*audience);
    return ack;
}

std::optional<AckAnswer> amend_at_home(Shard& home, const UserPtr& user, Amendment&& asked,
                                       const Later<AckAnswer>& later) {
    const Act act = asked.body ? Act::edit : Act::remove;
    if (auto refused = refuse_at_home(home, asked.room, *user, act)) {
        return AckAnswer(std::move(*refused));
    }
    Audience* audience = known_room(home, asked.room);
    if (!audience) return AckAnswer(no_such_room());
    const bool moderates = audience->home()->may_moderate(*user);
    return audience->home()->amend(user, std::move(asked), moderates, later);
}

Answered<protocol::Visit> visit_at_home(Shard& home, const std::string& room, const UserPtr& user) {
    if (auto refused = refuse_coming(home, room, *user)) return std::move(*refused);
    Audience* audience = home.home_of(room);
    if (!audience) return too_many_rooms();
    return audience->home()->visit(user);
}

std::optional<PageAnswer> history_at_home(Shard& home, const protocol::History& asked,
                                          const Later<PageAnswer>& later) {
    Audience* audience = known_room(home, asked.room);
    if (!audience) return no_such_room();
    return audience->home()->history(asked, later);
}

std::optional<PageAnswer> page_at_home(Shard& home, const protocol::History& asked,
                                       const Later<PageAnswer>& later) {
    Audience* audience = known_room(home, asked.room);
    if (!audience) return no_such_room();
    return audience->home()->page(asked, later);
}

std::optional<PageAnswer> search_at_home(Shard& home, const std::string& room, StoredSearch&& asked,
                                         const std::optional<protocol::Cursor>& before,
                                         const Later<PageAnswer>& later) {
    Audience* audience = known_room(home, room);
    if (!audience) return no_such_room();
    return audience->home()->search(std::move(asked), before, later);
}

Answered<protocol::MemberList> members_at_home(Shard& home, const std::string& room) {
    Audience* audience = known_room(home, room);
    if (!audience) return no_such_room();
    return audience->home()->members();
}

Answered<protocol::Ack> push_at_home(Shard& home, const std::string& room, PublicationKind kind,
                                     protocol::ServerMessage&& push) {
    Audience* audience = known_room(home, room);
    if (!audience) return no_such_room();
    if (auto refused = publish_transient(*audience, kind, std::move(push))) {
        return std::move(*refused);
    }
    return protocol::Ack{room, {}, {}};
}

void end_visit_at_home(Shard& home, const std::string& room, const UserPtr& user) {
    if (Audience* audience = home.find_audience(room)) audience->home()->end_visit(user);
}

std::vector<protocol::ListedRoom> rooms_at_home(Shard& home, std::string_view name,
                                                std::size_t most) {
    // Rooms of two are nobody else's business; by name they stand side by side.
    constexpr std::string_view behind_directs = "dm;";
    std::vector<protocol::ListedRoom> rooms;
    const auto list = [&rooms](const Audience* audience) {
        rooms.push_back(audience->home()->summary());
    };
    if (protocol::is_direct_room(name)) name = behind_directs;
    for (const Audience* audience : home.homes_after(name, most)) {
        if (!protocol::is_direct_room(audience->name())) {
            list(audience);
            continue;
        }
        std::ranges::for_each(home.homes_after(behind_directs, most - rooms.size()), list);
        break;
    }
    return rooms;
}

}  // namespace parley::core
