// Visitor: who makes one request without a session: the user they act as, and whether they may yet.
//
// Path:     frontend → [Visitor] → at_home
// Runs on:  the shard that took the request.
// Owned by: the request.
// Bounds:   limits.user and limits.address, the same buckets that sessions take from.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/caller_buckets.hpp"
#include "core/shard.hpp"
#include "core/user.hpp"
#include "protocol/message.hpp"

namespace parley::core {

class Visitor {
public:
    Visitor(Shard& shard, std::string address);

    // What the address alone says: the error where it has no token left, before anything of the
    // request is read. Takes none.
    [[nodiscard]] std::optional<protocol::Error> admit_address();
    // Takes one token of the address's, or gives the error where it has none: for what somebody costs
    // before it is known who they are.
    [[nodiscard]] std::optional<protocol::Error> admit_unknown();
    // Makes them the user of that name, which the rules have passed; a guest of their address
    // without one.
    void name_user(const std::optional<std::string>& name);
    // Makes them whoever showed a token.
    void sign_in(UserPtr user) noexcept { user_ = std::move(user); }
    // Takes one token of the user's and one of the address's, or gives the error where one is
    // missing. Only once they are named.
    [[nodiscard]] std::optional<protocol::Error> admit_user();

    [[nodiscard]] const UserPtr& user() const noexcept { return user_; }
    // What it takes from; null where no rate is held.
    [[nodiscard]] const CallerBuckets* buckets() const noexcept {
        return buckets_ ? &*buckets_ : nullptr;
    }

private:
    Shard* shard_;
    std::string address_;
    UserPtr user_;
    std::optional<CallerBuckets> buckets_;
};

}  // namespace parley::core
