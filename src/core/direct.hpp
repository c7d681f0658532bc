// Direct messages: what one user says to another, in a room that is theirs alone.
//
// Path:     Subscriber, frontend → [direct] → Accounts, every shard, at_home, and back
// Runs on:  called on the shard that asks, which is answered there in a later turn.
// Owned by: nobody; plain functions.
// Bounds:   one question under way a session or request, a look at every shard for each; who is asked
//           about is bounded by Accounts.
#pragma once

#include <boost/system/result.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/pending_sends.hpp"
#include "core/user.hpp"
#include "protocol/message.hpp"

namespace parley::core {

class Shard;

struct Someone {
    protocol::User user;
    bool has_account = false;  // here, or with who made their token
};
using FoundUser = boost::system::result<Someone, protocol::Error>;

// Who is meant by that id or name: an account, or somebody who is there now. `not_found` where nobody
// is, `conflict` where several are. `address` is who asks. What `done` holds must be weak.
void find_user(Shard& here, std::string who, const std::string& address,
               std::function<void(FoundUser&&)> done);

// Says it in the room of the two, which all their sessions have joined by then, and gives its ack.
void send_direct(Shard& here, const UserPtr& from, const std::string& address,
                 protocol::Direct&& direct, std::function<void(AckAnswer&&)> done);

// Has that shard's sessions of both join the room, those that it is not too much for.
void enter_direct(Shard& shard, const std::string& room, const protocol::User& from,
                  const protocol::User& to);

// Why the room of two others is none of that user's; nothing where it is theirs, or any other room.
[[nodiscard]] std::optional<protocol::Error> refuse_outsider(const User& user,
                                                             std::string_view room);

}  // namespace parley::core
