#include "server/accounts_setup.hpp"

#include <stdexcept>

#include "auth/jwks_fetch.hpp"
#include "core/clock.hpp"
#include "transports/log.hpp"

namespace parley::server {
namespace {

namespace log = transports::log;
using transports::admin::MetricSource;
using transports::admin::Sample;

constexpr auto counter = MetricSource::Kind::counter;
constexpr auto gauge = MetricSource::Kind::gauge;

template <typename Read>
MetricSource source(const char* name, const char* help, MetricSource::Kind kind, Read read) {
    return {name, help, kind, [read] {
                return std::vector<Sample>{{{}, static_cast<double>(read())}};
            }};
}

}  // namespace

std::unique_ptr<storage::FileLock> lock_accounts(const ServerConfig& config) {
    const auto path = config.accounts.store_path();
    if (path.empty()) return nullptr;
    try {
        return std::make_unique<storage::FileLock>(path);
    } catch (const std::exception& failure) {
        throw std::runtime_error("accounts.store: " + path + ": " + failure.what());
    }
}

std::unique_ptr<auth::LocalAccounts> make_accounts(const ServerConfig& config) {
    if (config.accounts.store.empty() && !config.jwt.enabled()) return nullptr;
    if (const auto url = auth::parse_http_url(config.jwt.jwks);
        url && !url->tls && !url->loopback) {
        log::warn("jwt.jwks comes without TLS: who is in between may sign for anybody",
                  {{"jwks", config.jwt.jwks}});
    }
    auth::AccountsConfig accounts = config.accounts;
    accounts.name_bytes_max = config.core.limits.name_bytes;
    return std::make_unique<auth::LocalAccounts>(
        accounts, config.jwt, [](bool fault, std::string_view what, std::string_view about) {
            if (fault) {
                log::warn(what, {{"cause", about}});
            } else {
                log::info(what, {{"who", about}});
            }
        });
}

std::vector<MetricSource> accounts_metrics(const auth::LocalAccounts& accounts) {
    const auto* const all = &accounts;
    std::vector<MetricSource> sources;
    sources.push_back({"parley_account_events_total",
                       "What happened to accounts and tokens, by what it was.", counter, [all] {
                           std::vector<Sample> samples;
                           for (std::size_t i = 0;
                                i < static_cast<std::size_t>(auth::AuthCount::end_); ++i) {
                               const auto which = static_cast<auth::AuthCount>(i);
                               samples.push_back({{{"event", std::string(auth::name_of(which))}},
                                                  static_cast<double>(all->count(which))});
                           }
                           return samples;
                       }});
    sources.push_back(source("parley_account_desk_waiting",
                             "Questions about accounts and tokens that wait.", gauge,
                             [all] { return all->desk().waiting(); }));
    sources.push_back(source("parley_token_cache_entries", "Tokens that are remembered.", gauge,
                             [all] { return all->cached_tokens(); }));
    sources.push_back(source("parley_guessers",
                             "Names and addresses of which wrong passwords are counted.", gauge,
                             [all] { return all->guessers(); }));
    sources.push_back(source("parley_guessers_forgotten_total",
                             "Of those, the ones forgotten before their time, for want of room.",
                             counter, [all] { return all->guessers_forgotten(); }));
    if (const auto* const hasher = accounts.hasher()) {
        sources.push_back(source("parley_password_hashes_total", "Passwords that were hashed.",
                                 counter, [hasher] { return hasher->pool().begun(); }));
        sources.push_back(source("parley_password_hashes_refused_total",
                                 "Passwords that were not, since accounts.hash_queue waited.",
                                 counter, [hasher] { return hasher->pool().refused(); }));
        sources.push_back(source("parley_password_hashes_waiting",
                                 "Passwords that wait to be hashed.", gauge,
                                 [hasher] { return hasher->pool().waiting(); }));
    }
    if (const auto* const keys = accounts.key_set()) {
        sources.push_back(source("parley_jwks_loads_total", "Times that the key set was read.",
                                 counter, [keys] { return keys->loads(); }));
        sources.push_back(source("parley_jwks_load_failures_total",
                                 "Times that it could not be; the keys of before stay.", counter,
                                 [keys] { return keys->failures(); }));
    }
    return sources;
}

std::string make_test_token(const ServerConfig& config, const auth::JwtOrder& order) {
    auth::JwtConfig secret;
    secret.secret_file = config.jwt.secret_file;
    if (secret.secret_file.empty()) {
        throw std::runtime_error(
            "token: no secret to sign with (expected jwt.secret_file in the configuration)");
    }
    return auth::mint_jwt(config.jwt, auth::read_fixed_keys(secret).front(), order,
                          core::machine_now().wall);
}

}  // namespace parley::server
