#include "core/at_home.hpp"

#include <utility>

#include "core/audience.hpp"
#include "core/session.hpp"

namespace parley::core {
namespace {

protocol::Error too_many_rooms() {
    return make_error(errc::unavailable, "there are as many rooms as this server keeps");
}

protocol::Error no_such_room() {
    return make_error(errc::not_found, "there is no such room");
}

}  // namespace

Answered<JoinAnswer> join_at_home(Shard& home, const std::string& room,
                                  const JoinRequest& request) {
    Audience* audience = home.home_of(room);
    if (!audience) return too_many_rooms();
    return audience->home()->join(request);
}

Answered<protocol::Ack> send_at_home(Shard& home, const UserPtr& user, protocol::Send&& send) {
    Audience* audience = home.home_of(send.room);
    if (!audience) return too_many_rooms();
    auto ack = send.key.empty() ? publish_message(*audience, *user, std::move(send))
                                : audience->home()->send(user, std::move(send));
    // A room that was made for what could not be said.
    if (!ack) home.consider_dropping(*audience);
    return ack;
}

Answered<protocol::Visit> visit_at_home(Shard& home, const std::string& room, const UserPtr& user) {
    Audience* audience = home.home_of(room);
    if (!audience) return too_many_rooms();
    return audience->home()->visit(user);
}

Answered<HistoryReply> history_at_home(Shard& home, const protocol::History& asked) {
    Audience* audience = home.find_audience(asked.room);
    if (!audience) return no_such_room();
    return audience->home()->history(asked);
}

Answered<HistoryReply> page_at_home(Shard& home, const protocol::History& asked) {
    Audience* audience = home.find_audience(asked.room);
    if (!audience) return no_such_room();
    return audience->home()->page(asked);
}

Answered<protocol::MemberList> members_at_home(Shard& home, const std::string& room) {
    Audience* audience = home.find_audience(room);
    if (!audience) return no_such_room();
    return audience->home()->members();
}

Answered<protocol::Ack> push_at_home(Shard& home, const std::string& room, PublicationKind kind,
                                     protocol::ServerMessage&& push) {
    Audience* audience = home.find_audience(room);
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
