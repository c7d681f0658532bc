// AccountStore: accounts, their sessions and their API keys, in a file of SQLite.
//
// Path:     LocalAccounts' desk → [AccountStore] → Database
// Runs on:  one thread at a time, never a shard's: it waits for the disk. Throws DatabaseError.
// Owned by: LocalAccounts.
// Bounds:   sessions_per_account_max, keys_per_account_max; what has expired is swept.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/database.hpp"
#include "core/accounts.hpp"
#include "core/grant.hpp"

namespace parley::auth {

struct Account {
    std::int64_t row = 0;
    std::string id;  // what the rest of the world knows it by
    std::string name;
    std::string hash;
};

// A token as it is kept, and what it is good for.
struct StoredToken {
    core::Grant grant;
    Account account;  // without its hash
    core::WallTime used;
};

struct NewKey {
    core::TokenId token;
    std::string id;
    std::string label;
    bool reads;
    bool writes;
    std::vector<std::string> rooms;
    std::optional<core::WallTime> expires;
};

class AccountStore {
public:
    // The schema that this version writes; an older file is brought up to it, a newer one refused.
    static constexpr std::int64_t schema_version = 2;

    // Throws DatabaseError that names the file.
    explicit AccountStore(const std::string& path);

    // Nothing where that name is taken, as name_key() compares them.
    [[nodiscard]] std::optional<Account> add_account(std::string_view name, std::string_view hash,
                                                     core::WallTime now);
    [[nodiscard]] std::optional<Account> find_account(std::string_view name);
    [[nodiscard]] std::optional<Account> account_of(std::string_view id);
    // False, and nothing is changed, where its hash is not what `account` says any more.
    [[nodiscard]] bool replace_hash(const Account& account, std::string_view hash);
    void each_name(const std::function<void(const std::string&)>& take);

    // Adds a session. The tokens of those that ended for it: there were too many.
    [[nodiscard]] std::vector<core::TokenId> add_session(std::int64_t account,
                                                         const core::TokenId& token,
                                                         core::WallTime now,
                                                         core::WallTime expires);
    // Nothing where there is none, or it has expired.
    [[nodiscard]] std::optional<StoredToken> find_token(const core::TokenId& token,
                                                        core::WallTime now);
    void note_use(const core::TokenId& token, core::WallTime now);
    // False where there was none.
    bool remove_token(const core::TokenId& token);
    // Changes the hash and ends all of the account's sessions but one: both or neither. Their tokens;
    // nothing where its hash is not what `account` says any more.
    [[nodiscard]] std::optional<std::vector<core::TokenId>> change_password(
        const Account& account, std::string_view hash, const core::TokenId& kept);

    // False where the account has keys_per_account_max already.
    [[nodiscard]] bool add_key(std::int64_t account, const NewKey& key, core::WallTime now);
    [[nodiscard]] std::vector<core::ListedKey> keys_of(std::int64_t account);
    // Its token; nothing where the account has no such key.
    [[nodiscard]] std::optional<core::TokenId> remove_key(std::int64_t account,
                                                          std::string_view id);
    // Forgets what has expired.
    void sweep(core::WallTime now);

private:
    void migrate();
    void fold_names();
    [[nodiscard]] std::optional<Account> one_account(Statement& query);

    Database database_;
};

}  // namespace parley::auth
