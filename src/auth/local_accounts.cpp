#include "auth/local_accounts.hpp"

#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "auth/secret.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"

namespace parley::auth {
namespace {

using core::errc;
using core::make_error;
using std::chrono::milliseconds;

constexpr milliseconds retry_soon{1'000};
// When a token was last used is written down no more often than this: it is a write of the disk.
constexpr std::chrono::minutes use_noted_every{5};
// Who guesses a name's password from many addresses keeps its owner from signing in meanwhile: no
// longer than this at a time.
constexpr std::chrono::minutes name_delay_max{1};
// Where somebody has signed in, their name is guessed at apart from everybody else's guesses: who floods
// it with wrong ones from elsewhere doesn't keep them out.
constexpr auto place_known = std::chrono::hours(24 * 90);
constexpr std::size_t places_max = 65'536;
// Accounts from one address at once; the next has to wait.
constexpr std::uint32_t registrations_free = 20;

GuessConfig guesses_by_name(const AccountsConfig& config) {
    GuessConfig guesses;
    guesses.free = config.guesses;
    guesses.longest = std::min<core::Duration>(config.guess_delay_max, name_delay_max);
    return guesses;
}

GuessConfig guesses_by_address(const AccountsConfig& config) {
    GuessConfig guesses;
    guesses.free = config.guesses;
    guesses.longest = config.guess_delay_max;
    return guesses;
}

GuessConfig registrations(const AccountsConfig& config) {
    GuessConfig guesses = guesses_by_address(config);
    guesses.free = registrations_free;
    return guesses;
}

std::string text_of_file(const std::string& setting, const std::string& path) {
    constexpr std::size_t bytes_max = 64 * 1024;
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(setting + ": " + path + ": cannot be opened");
    std::string text(bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > bytes_max) {
        throw std::runtime_error(setting + ": " + path + ": larger than a key may be");
    }
    return text;
}

template <typename Read>
JwtKey key_of_file(const std::string& setting, const std::string& path, Read read) {
    try {
        return read(text_of_file(setting, path));
    } catch (const std::runtime_error& failure) {
        const std::string why = failure.what();
        throw std::runtime_error(why.starts_with(setting) ? why
                                                          : setting + ": " + path + ": " + why);
    }
}

}  // namespace

JwtKeys read_fixed_keys(const JwtConfig& config) {
    JwtKeys keys;
    if (!config.secret_file.empty()) {
        keys.push_back(key_of_file("jwt.secret_file", config.secret_file, &read_jwt_secret));
    }
    for (const auto& path : config.public_keys) {
        keys.push_back(key_of_file("jwt.public_keys", path, &read_jwt_public_key));
    }
    return keys;
}

std::string_view name_of(AuthCount count) noexcept {
    constexpr std::array<std::string_view, static_cast<std::size_t>(AuthCount::end_)> names{
        "registered",    "signed_in",      "sign_in_refused", "guess_slowed", "token_accepted",
        "token_refused", "token_recalled", "token_revoked",   "unavailable"};
    return names[static_cast<std::size_t>(count)];
}

LocalAccounts::LocalAccounts(const AccountsConfig& accounts, const JwtConfig& jwt, Tell tell)
    : config_(accounts),
      jwt_config_(jwt),
      tell_(std::move(tell)),
      cache_(accounts.token_cache),
      by_name_(guesses_by_name(accounts)),
      by_address_(guesses_by_address(accounts)),
      by_place_(guesses_by_name(accounts)),
      places_(place_known, places_max),
      registrations_(registrations(accounts)),
      desk_("parley-desk", 1, desk_queue_max, WorkPriority::behind) {
    if (jwt.enabled()) {
        verifier_ =
            std::make_unique<JwtVerifier>(jwt, accounts.name_bytes_max, read_fixed_keys(jwt));
    }
    if (const auto path = accounts.store_path(); !path.empty()) {
        try {
            store_ = std::make_unique<AccountStore>(path);
            store_->each_name([this](const std::string& name) { book_.add(name); });
        } catch (const DatabaseError& failure) {
            throw std::runtime_error(std::string("accounts.store: ") + failure.what());
        }
        hasher_ = std::make_unique<PasswordHasher>(accounts.hash);
    }
    if (jwt.jwks.empty()) return;
    key_set_ = std::make_unique<JwksKeeper>(
        jwt.jwks_refresh,
        [jwt](const std::atomic<bool>& stopping) { return load_jwks(jwt, stopping); },
        [this](JwtKeys&& keys) { verifier_->set_keys(std::move(keys)); },
        [this](const std::string& why) {
            tell_(true, "key set not read, the keys of before stay", why);
        });
}

void LocalAccounts::stop() noexcept {
    if (key_set_) key_set_->stop();
    if (hasher_) hasher_->stop();
    desk_.stop();
}

// ---- tokens ----------------------------------------------------------------------------------

std::optional<core::Identified> LocalAccounts::recall(std::string_view token, core::WallTime now) {
    if (token.size() > token_bytes_max) return refuse_token("a token of this length is none");
    core::UserPtr user = cache_.find(id_of_token(token), now);
    if (!user) return std::nullopt;
    note(AuthCount::token_recalled);
    return core::Identified(std::move(user));
}

void LocalAccounts::identify(core::Shard& here, std::string token,
                             std::function<void(core::Identified&&)> done) {
    const auto told = [&here, done = std::move(done)](core::Identified&& answer) {
        here.post(
            [done, answer = std::move(answer)](core::Shard&) mutable { done(std::move(answer)); });
    };
    const bool taken = desk_.submit([this, told, token = std::move(token), now = here.now().wall] {
        told(find_out(token, now));
    });
    if (!taken) told(core::Identified(boost::system::in_place_error, too_much()));
}

// At the desk, as is what it is made of: a token that is revoked there afterwards is not kept.
core::Identified LocalAccounts::find_out(const std::string& token, core::WallTime now) {
    try {
        core::Identified answer = token.find('.') == std::string::npos ? find_stored(token, now)
                                                                       : find_signed(token, now);
        if (answer) {
            note(AuthCount::token_accepted);
            cache_.keep((*answer)->grant()->token, *answer, now);
        }
        return answer;
    } catch (const std::exception& failure) {
        return {boost::system::in_place_error, store_failed(failure)};
    }
}

core::Identified LocalAccounts::find_stored(const std::string& token, core::WallTime now) {
    if (!store_) return refuse_token("the token is none that this server knows");
    const core::TokenId id = id_of_token(token);
    auto found = store_->find_token(id, now);
    if (!found) return refuse_token("the token is not known, has expired or was revoked");
    if (found->used + use_noted_every < now) note_use(id, now);
    return core::UserPtr(
        new core::GrantedUser({found->account.id, found->account.name}, std::move(found->grant)));
}

// A disk that is full, or a file that may only be read, signs nobody out.
void LocalAccounts::note_use(const core::TokenId& token, core::WallTime now) {
    try {
        store_->note_use(token, now);
        use_noted_ = true;
    } catch (const DatabaseError& failure) {
        if (std::exchange(use_noted_, false)) {
            tell_(true, "the use of tokens can't be noted", failure.what());
        }
    }
}

core::Identified LocalAccounts::find_signed(const std::string& token, core::WallTime now) {
    if (!verifier_) return refuse_token("the token is none that this server knows");
    auto verified = verifier_->verify(token, now);
    if (verified) {
        // The other system may let its users choose their ids, and those of accounts are no secret.
        if (store_ && store_->account_of((*verified)->who.id)) {
            return refuse_token("the token's user has the id of an account here");
        }
        return std::move(*verified);
    }
    // Nobody can say yet.
    if (verified.error().unsigned_here && key_set_ && key_set_->loads() == 0) {
        return {boost::system::in_place_error,
                make_error(errc::unavailable, "the keys of tokens can't be had at the moment",
                           retry_soon)};
    }
    // A key that was changed a moment ago: it will be known when they come again.
    if (verified.error().unknown_key && key_set_ && key_set_->want()) {
        return {boost::system::in_place_error,
                make_error(errc::unavailable, "the token's key is being looked up", retry_soon)};
    }
    return refuse_token(verified.error().why);
}

core::Identified LocalAccounts::refuse_token(std::string why) {
    note(AuthCount::token_refused);
    return {boost::system::in_place_error, make_error(errc::unauthorized, std::move(why))};
}

protocol::Error LocalAccounts::too_much() noexcept {
    note(AuthCount::unavailable);
    return make_error(errc::unavailable, "too many are signing in, try again", retry_soon);
}

protocol::Error LocalAccounts::store_failed(const std::exception& failure) noexcept {
    note(AuthCount::unavailable);
    tell_(true, "the store of accounts failed", failure.what());
    return make_error(errc::unavailable, "accounts can't be looked up at the moment", retry_soon);
}

// At the desk. Sessions that act by it are told on their shards, behind whatever told them that it
// was good.
void LocalAccounts::revoke(const core::TokenId& token) {
    note(AuthCount::token_revoked);
    cache_.forget(token);
    if (hub_ == nullptr) return;
    for (std::size_t i = 0; i < hub_->shard_count(); ++i) {
        hub_->shard(i).post(
            [token](core::Shard& shard) { shard.signed_in().revoke(token, shard.now().mono); });
    }
}

void LocalAccounts::sweep(core::WallTime now) {
    if (now - swept_ < std::chrono::hours(1)) return;
    swept_ = now;
    store_->sweep(now);
}

}  // namespace parley::auth
