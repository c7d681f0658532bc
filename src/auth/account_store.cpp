#include "auth/account_store.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "auth/auth_config.hpp"
#include "auth/name_fold.hpp"
#include "auth/secret.hpp"

namespace parley::auth {
namespace {

using core::TokenId;
using core::WallTime;
using std::chrono::milliseconds;

// Each brings a file of the version before it to its own, the first one an empty file.
constexpr std::array migrations{
    R"(CREATE TABLE accounts (
           row INTEGER PRIMARY KEY,
           id TEXT NOT NULL UNIQUE,
           name TEXT NOT NULL,
           name_key TEXT NOT NULL UNIQUE,
           hash TEXT NOT NULL,
           created INTEGER NOT NULL) STRICT;
       CREATE TABLE sessions (
           token BLOB PRIMARY KEY,
           account INTEGER NOT NULL REFERENCES accounts(row) ON DELETE CASCADE,
           created INTEGER NOT NULL,
           used INTEGER NOT NULL,
           expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
       CREATE INDEX sessions_of_account ON sessions(account, used);
       CREATE INDEX sessions_by_expiry ON sessions(expires);)",
    R"(CREATE TABLE keys (
           token BLOB PRIMARY KEY,
           id TEXT NOT NULL UNIQUE,
           account INTEGER NOT NULL REFERENCES accounts(row) ON DELETE CASCADE,
           label TEXT NOT NULL,
           reads INTEGER NOT NULL,
           writes INTEGER NOT NULL,
           rooms TEXT NOT NULL,
           created INTEGER NOT NULL,
           used INTEGER,
           expires INTEGER) STRICT, WITHOUT ROWID;
       CREATE INDEX keys_of_account ON keys(account, created);)",
};
static_assert(migrations.size() == AccountStore::schema_version);

std::int64_t in_ms(WallTime at) {
    return std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
}

WallTime from_ms(std::int64_t at) {
    return WallTime(milliseconds(at));
}

std::optional<std::int64_t> in_ms(const std::optional<WallTime>& at) {
    return at ? std::optional(in_ms(*at)) : std::nullopt;
}

std::optional<WallTime> from_ms(std::optional<std::int64_t> at) {
    return at ? std::optional(from_ms(*at)) : std::nullopt;
}

TokenId token_in(std::span<const std::uint8_t> bytes) {
    TokenId token{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), token.size()), token.begin());
    return token;
}

// Patterns of rooms have no blanks.
std::string joined(const std::vector<std::string>& rooms) {
    std::string out;
    for (const auto& room : rooms) out.append(out.empty() ? "" : " ").append(room);
    return out;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> rooms;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        rooms.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return rooms;
}

std::vector<TokenId> all_tokens(Statement& query) {
    std::vector<TokenId> tokens;
    while (query.step()) tokens.push_back(token_in(query.bytes(0)));
    return tokens;
}

}  // namespace

AccountStore::AccountStore(const std::string& path) : database_(path) {
    try {
        migrate();
        fold_names();
    } catch (const DatabaseError& failure) {
        throw DatabaseError(path + ": " + failure.what());
    }
}

void AccountStore::migrate() {
    Database::Transaction all(database_);
    auto query = database_.prepare("PRAGMA user_version");
    const std::int64_t found = query.step() ? query.number(0) : 0;
    query.run();
    if (found > schema_version) {
        throw DatabaseError("written by a later version (schema " + std::to_string(found) +
                            ", this one knows up to " + std::to_string(schema_version) + ")");
    }
    for (auto version = static_cast<std::size_t>(found); version < migrations.size(); ++version) {
        database_.execute(migrations[version]);
    }
    const std::string mark = "PRAGMA user_version = " + std::to_string(schema_version);
    database_.execute(mark.c_str());
    all.commit();
}

// Keys of names are made anew where they were made by other rules, of an earlier version or of another
// Unicode. Of two that are the same by these the older keeps it, and the other the key that it had.
void AccountStore::fold_names() {
    std::vector<std::pair<std::int64_t, std::string>> stale;
    auto query = database_.prepare("SELECT row, name, name_key FROM accounts ORDER BY row");
    while (query.step()) {
        std::string key = name_key(query.text(1));
        if (key != query.text(2)) stale.emplace_back(query.number(0), std::move(key));
    }
    if (stale.empty()) return;
    Database::Transaction all(database_);
    for (const auto& [row, key] : stale) {
        database_.prepare("UPDATE OR IGNORE accounts SET name_key = ? WHERE row = ?")
            .bind(key)
            .bind(row)
            .run();
    }
    all.commit();
}

// ---- accounts --------------------------------------------------------------------------------

std::optional<Account> AccountStore::one_account(Statement& query) {
    if (!query.step()) return std::nullopt;
    return Account{query.number(0), query.text(1), query.text(2), query.text(3)};
}

std::optional<Account> AccountStore::add_account(std::string_view name, std::string_view hash,
                                                 WallTime now) {
    constexpr std::size_t id_length = 12;
    auto insert = database_.prepare(
        "INSERT INTO accounts (id, name, name_key, hash, created) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (name_key) DO NOTHING");
    insert.bind(make_public_id(id_length)).bind(name).bind(name_key(name)).bind(hash);
    insert.bind(in_ms(now)).run();
    if (database_.changes() == 0) return std::nullopt;
    return find_account(name);
}

std::optional<Account> AccountStore::find_account(std::string_view name) {
    auto query = database_.prepare("SELECT row, id, name, hash FROM accounts WHERE name_key = ?");
    query.bind(name_key(name));
    return one_account(query);
}

std::optional<Account> AccountStore::account_of(std::string_view id) {
    auto query = database_.prepare("SELECT row, id, name, hash FROM accounts WHERE id = ?");
    query.bind(id);
    return one_account(query);
}

bool AccountStore::replace_hash(const Account& account, std::string_view hash) {
    auto update = database_.prepare("UPDATE accounts SET hash = ? WHERE row = ? AND hash = ?");
    update.bind(hash).bind(account.row).bind(account.hash).run();
    return database_.changes() > 0;
}

void AccountStore::each_name(const std::function<void(const std::string&)>& take) {
    auto query = database_.prepare("SELECT name FROM accounts");
    while (query.step()) take(query.text(0));
}

// ---- sessions --------------------------------------------------------------------------------

std::vector<TokenId> AccountStore::add_session(std::int64_t account, const TokenId& token,
                                               WallTime now, WallTime expires) {
    Database::Transaction all(database_);
    auto surplus = database_.prepare(
        "SELECT token FROM sessions WHERE account = ? ORDER BY used DESC LIMIT -1 OFFSET ?");
    surplus.bind(account).bind(static_cast<std::int64_t>(sessions_per_account_max) - 1);
    std::vector<TokenId> ended = all_tokens(surplus);
    for (const TokenId& old : ended) {
        database_.prepare("DELETE FROM sessions WHERE token = ?").bind(old).run();
    }
    auto insert = database_.prepare(
        "INSERT INTO sessions (token, account, created, used, expires) VALUES (?, ?, ?, ?, ?)");
    insert.bind(token).bind(account).bind(in_ms(now)).bind(in_ms(now)).bind(in_ms(expires)).run();
    all.commit();
    return ended;
}

std::optional<StoredToken> AccountStore::find_token(const TokenId& token, WallTime now) {
    StoredToken found;
    found.grant.token = token;
    auto session = database_.prepare(
        "SELECT a.row, a.id, a.name, s.used, s.expires FROM sessions s "
        "JOIN accounts a ON a.row = s.account WHERE s.token = ? AND s.expires > ?");
    session.bind(token).bind(in_ms(now));
    if (session.step()) {
        found.account = {session.number(0), session.text(1), session.text(2), {}};
        found.used = from_ms(session.number(3));
        found.grant.kind = core::Grant::Kind::session;
        found.grant.expires = from_ms(session.number(4));
        return found;
    }
    auto key = database_.prepare(
        "SELECT a.row, a.id, a.name, k.used, k.expires, k.reads, k.writes, k.rooms FROM keys k "
        "JOIN accounts a ON a.row = k.account "
        "WHERE k.token = ? AND (k.expires IS NULL OR k.expires > ?)");
    key.bind(token).bind(in_ms(now));
    if (!key.step()) return std::nullopt;
    found.account = {key.number(0), key.text(1), key.text(2), {}};
    found.used = from_ms(key.optional_number(3).value_or(0));
    found.grant.kind = core::Grant::Kind::api_key;
    found.grant.expires = from_ms(key.optional_number(4));
    found.grant.reads = key.number(5) != 0;
    found.grant.writes = key.number(6) != 0;
    found.grant.rooms = split(key.text(7));
    found.grant.all_rooms = found.grant.rooms.empty();
    return found;
}

void AccountStore::note_use(const TokenId& token, WallTime now) {
    for (const char* const sql : {"UPDATE sessions SET used = ? WHERE token = ?",
                                  "UPDATE keys SET used = ? WHERE token = ?"}) {
        database_.prepare(sql).bind(in_ms(now)).bind(token).run();
    }
}

bool AccountStore::remove_token(const TokenId& token) {
    database_.prepare("DELETE FROM sessions WHERE token = ?").bind(token).run();
    return database_.changes() > 0;
}

std::optional<std::vector<TokenId>> AccountStore::change_password(const Account& account,
                                                                  std::string_view hash,
                                                                  const TokenId& kept) {
    Database::Transaction all(database_);
    if (!replace_hash(account, hash)) return std::nullopt;
    auto others = database_.prepare("SELECT token FROM sessions WHERE account = ? AND token <> ?");
    others.bind(account.row).bind(kept);
    std::vector<TokenId> ended = all_tokens(others);
    auto remove = database_.prepare("DELETE FROM sessions WHERE account = ? AND token <> ?");
    remove.bind(account.row).bind(kept).run();
    all.commit();
    return ended;
}

// ---- keys ------------------------------------------------------------------------------------

bool AccountStore::add_key(std::int64_t account, const NewKey& key, WallTime now) {
    Database::Transaction all(database_);
    auto count = database_.prepare("SELECT count(*) FROM keys WHERE account = ?");
    count.bind(account);
    const std::int64_t there = count.step() ? count.number(0) : 0;
    count.run();
    if (there >= static_cast<std::int64_t>(keys_per_account_max)) return false;
    auto insert = database_.prepare(
        "INSERT INTO keys (token, id, account, label, reads, writes, rooms, created, expires) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(key.token).bind(key.id).bind(account).bind(key.label);
    insert.bind(std::int64_t{key.reads}).bind(std::int64_t{key.writes}).bind(joined(key.rooms));
    insert.bind(in_ms(now)).bind(in_ms(key.expires)).run();
    all.commit();
    return true;
}

std::vector<core::ListedKey> AccountStore::keys_of(std::int64_t account) {
    auto query = database_.prepare(
        "SELECT id, label, reads, writes, rooms, created, expires, used FROM keys "
        "WHERE account = ? ORDER BY created, id");
    query.bind(account);
    std::vector<core::ListedKey> keys;
    while (query.step()) {
        keys.push_back({query.text(0), query.text(1), query.number(2) != 0, query.number(3) != 0,
                        split(query.text(4)), from_ms(query.number(5)),
                        from_ms(query.optional_number(6)), from_ms(query.optional_number(7))});
    }
    return keys;
}

std::optional<TokenId> AccountStore::remove_key(std::int64_t account, std::string_view id) {
    auto remove =
        database_.prepare("DELETE FROM keys WHERE account = ? AND id = ? RETURNING token");
    remove.bind(account).bind(id);
    if (!remove.step()) return std::nullopt;
    const TokenId token = token_in(remove.bytes(0));
    remove.run();
    return token;
}

void AccountStore::sweep(WallTime now) {
    database_.prepare("DELETE FROM sessions WHERE expires <= ?").bind(in_ms(now)).run();
    auto keys = database_.prepare("DELETE FROM keys WHERE expires IS NOT NULL AND expires <= ?");
    keys.bind(in_ms(now)).run();
}

}  // namespace parley::auth
