#include "core/at_home.hpp"

#include <utility>

#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/session.hpp"

namespace parley::core {
namespace {

protocol::Error no_such_room() {
    return make_error(errc::not_found, "there is no such room");
}

// Null where there is none, or just enough of one to ask its store.
Audience* known_room(Shard& home, const std::string& room) {
    Audience* audience = home.find_audience(room);
    if (audience == nullptr || home.hub().store() == nullptr) return audience;
    return audience->home()->vacant() ? nullptr : audience;
}

}  // namespace

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
    Audience* audience = home.home_of(room);
    if (!audience) return too_many_rooms();
    return audience->home()->join(request);
}

std::optional<AckAnswer> send_at_home(Shard& home, const UserPtr& user, protocol::Send&& send,
                                      const Later<AckAnswer>& later) {
    Audience* audience = home.home_of(send.room);
    if (!audience) return too_many_rooms();
    auto ack = audience->home()->send(user, std::move(send), later);
    // A room that was made for what could not be said.
    if (ack && !*ack) home.consider_dropping(*audience);
    return ack;
}

Answered<protocol::Visit> visit_at_home(Shard& home, const std::string& room, const UserPtr& user) {
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
    std::vector<protocol::ListedRoom> rooms;
    for (Audience* audience : home.homes_after(name, most)) {
        rooms.push_back(audience->home()->summary());
    }
    return rooms;
}

}  // namespace parley::core
