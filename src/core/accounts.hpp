// Accounts: who may call themselves what, as the rest of the server asks for it. What stands behind
// it (src/auth) hashes, reads files and verifies signatures on threads of its own.
//
// Path:     HttpConnection, Subscriber, account frontend → [Accounts] → src/auth
// Runs on:  asked on a shard, which never waits; answered there, in a later turn.
// Owned by: the server (composition root). It outlives the hub's shards' threads and the gates.
// Bounds:   questions under way are counted by what stands behind it: beyond that `unavailable`.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/clock.hpp"
#include "core/user.hpp"
#include "protocol/message.hpp"

namespace parley::core {

class Shard;

// The bearer of a token, or why it is none: `unauthorized`, or `unavailable` for the moment.
using Identified = boost::system::result<UserPtr, protocol::Error>;

// What may be asked for on the way in, and by those who are in. Passwords and tokens are bounded by
// what a request may hold.
struct Register {
    std::string name;
    std::string password;
};
struct PasswordSignIn {
    std::string name;
    std::string password;
};
struct SignOut {
    UserPtr user;
};
struct ChangePassword {
    UserPtr user;
    std::string password;
    std::string new_password;
};
struct MakeKey {
    UserPtr user;
    std::string label;
    bool reads = true;
    bool writes = true;
    std::vector<std::string> rooms;  // patterns; empty: all
    std::optional<std::chrono::seconds> ttl;
};
struct ListKeys {
    UserPtr user;
};
struct RevokeKey {
    UserPtr user;
    std::string id;
};
// Asked by the server itself: the account of that name or id; `not_found` where there is none.
struct FindAccount {
    std::string who;
};
using AccountRequest = std::variant<Register, PasswordSignIn, SignOut, ChangePassword, MakeKey,
                                    ListKeys, RevokeKey, FindAccount>;

struct Done {};
struct SignedInSession {
    protocol::User user;
    std::string token;  // said this once, and nowhere kept
    WallTime expires;
};
// An API key as its owner sees it.
struct ListedKey {
    std::string id;
    std::string label;
    bool reads;
    bool writes;
    std::vector<std::string> rooms;
    WallTime created;
    std::optional<WallTime> expires;
    std::optional<WallTime> used;
};
struct MadeKey {
    ListedKey key;
    std::string token;  // said this once, and nowhere kept
};
using AccountAnswer = boost::system::result<
    std::variant<Done, protocol::User, SignedInSession, MadeKey, std::vector<ListedKey>>,
    protocol::Error>;

class Accounts {
public:
    Accounts() = default;
    virtual ~Accounts() = default;
    Accounts(const Accounts&) = delete;
    Accounts& operator=(const Accounts&) = delete;

    // True where passwords are kept here: who may register and sign in.
    [[nodiscard]] virtual bool has_store() const noexcept = 0;
    // True for the name of an account: nobody else may go by it. Any thread, at once.
    [[nodiscard]] virtual bool is_registered(std::string_view name) const noexcept = 0;
    // Another number with each name that is registered. Any thread, at once.
    [[nodiscard]] virtual std::uint32_t names_edition() const noexcept = 0;

    // Who bears that token, where that was found out a moment ago. Any thread, at once.
    [[nodiscard]] virtual std::optional<Identified> recall(std::string_view token,
                                                           WallTime now) = 0;
    // Finds it out, and tells `done` on that shard in a later turn; what it holds must be weak. Ask
    // recall() first, and then the rate of whoever shows it: it costs a look into the database, or a
    // signature.
    virtual void identify(Shard& here, std::string token,
                          std::function<void(Identified&&)> done) = 0;
    // Does what is asked for and tells `done` on that shard in a later turn. `address` is who asks:
    // guessing is slowed by it.
    virtual void ask(Shard& here, AccountRequest request, const std::string& address,
                     std::function<void(AccountAnswer&&)> done) = 0;
};

}  // namespace parley::core
