// What may be asked of the shard that is a room's home, by sessions and by requests without one.
//
// Path:     Subscriber, frontend → question → [at_home] → RoomHome
// Runs on:  the room's home shard.
// Owned by: nobody; plain functions.
// Bounds:   limits.rooms rooms; those of RoomHome. The room is open (Shard::when_open()).
#pragma once

#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/room_home.hpp"
#include "core/shard.hpp"

namespace parley::core {

template <typename Answer>
using Answered = boost::system::result<Answer, protocol::Error>;

// The error where there are limits.rooms.
[[nodiscard]] protocol::Error too_many_rooms();
// The error where a room must be there and is not.
[[nodiscard]] protocol::Error no_such_room();

// These make the room where there is none; `unavailable` where there are limits.rooms.
[[nodiscard]] Answered<JoinAnswer> join_at_home(Shard& home, const std::string& room,
                                                const JoinRequest& request);
// Publishes; once, where the send has a key.
[[nodiscard]] std::optional<AckAnswer> send_at_home(Shard& home, const UserPtr& user,
                                                    protocol::Send&& send,
                                                    const Later<AckAnswer>& later);
// Edits or deletes a message of a room that is there.
[[nodiscard]] std::optional<AckAnswer> amend_at_home(Shard& home, const UserPtr& user,
                                                     Amendment&& asked,
                                                     const Later<AckAnswer>& later);
[[nodiscard]] Answered<protocol::Visit> visit_at_home(Shard& home, const std::string& room,
                                                      const UserPtr& user);

// These do not: `not_found`.
[[nodiscard]] std::optional<PageAnswer> history_at_home(Shard& home, const protocol::History& asked,
                                                        const Later<PageAnswer>& later);
[[nodiscard]] std::optional<PageAnswer> page_at_home(Shard& home, const protocol::History& asked,
                                                     const Later<PageAnswer>& later);
[[nodiscard]] std::optional<PageAnswer> search_at_home(
    Shard& home, const std::string& room, StoredSearch&& asked,
    const std::optional<protocol::Cursor>& before, const Later<PageAnswer>& later);
[[nodiscard]] Answered<protocol::MemberList> members_at_home(Shard& home, const std::string& room);
[[nodiscard]] Answered<protocol::Ack> push_at_home(Shard& home, const std::string& room,
                                                   PublicationKind kind,
                                                   protocol::ServerMessage&& push);

// Why that user may not do so in that room, there or not; nothing where they may. What follows asks
// nobody: ask this first.
[[nodiscard]] std::optional<protocol::Error> refuse_at_home(Shard& home, std::string_view room,
                                                            const User& user, Act act);
// The same for reading by who comes in, and may own the room by that.
[[nodiscard]] std::optional<protocol::Error> refuse_coming(Shard& home, std::string_view room,
                                                           const User& user);
// Does what is asked for about who may do what.
[[nodiscard]] std::optional<ActAnswer> act_at_home(Shard& home, const UserPtr& by, RoomAct&& act,
                                                   const Later<ActAnswer>& later);
[[nodiscard]] Answered<protocol::RoomInfo> room_info_at_home(Shard& home, const std::string& room,
                                                             const User& user);
[[nodiscard]] Answered<Standing> standing_at_home(Shard& home, const std::string& room,
                                                  const User& user);

// Leaving where nobody is, or there is no room, is no error: it is so already.
void end_visit_at_home(Shard& home, const std::string& room, const UserPtr& user);

// The first `most` rooms with their home on that shard and a name behind `name`, in their order.
[[nodiscard]] std::vector<protocol::ListedRoom> rooms_at_home(Shard& home, std::string_view name,
                                                              std::size_t most);

}  // namespace parley::core
