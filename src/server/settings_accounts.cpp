// [accounts] and [jwt]
#include <array>

#include "auth/jwks_fetch.hpp"
#include "server/settings.hpp"

namespace parley::server {
namespace {

using namespace std::chrono_literals;

template <auto Member>
auto& in_accounts(ServerConfig& config) {
    return config.accounts.*Member;
}
template <auto Member>
auto& in_hash(ServerConfig& config) {
    return config.accounts.hash.*Member;
}
template <auto Member>
auto& in_jwt(ServerConfig& config) {
    return config.jwt.*Member;
}
bool& anonymous(ServerConfig& config) {
    return config.core.access.anonymous;
}

using Accounts = auth::AccountsConfig;
using Hash = auth::HashConfig;
using Jwt = auth::JwtConfig;

constexpr std::size_t public_keys_max = 16;
constexpr std::size_t claim_bytes_max = 64;
constexpr std::size_t identifier_bytes_max = 1024;

constexpr TextRule store_rule{
    [](std::string_view text) {
        return text.empty() || (text.starts_with("sqlite:") && text.size() > 7);
    },
    "a store of accounts (expected e.g. \"sqlite:/var/lib/parley/accounts.db\", or \"\")"};
constexpr TextRule claim_rule{[](std::string_view text) { return !text.empty(); },
                              "the name of a claim (expected e.g. \"sub\")"};
constexpr TextRule jwks_rule{[](std::string_view text) {
                                 return text.find("://") == std::string_view::npos ||
                                        auth::parse_http_url(text).has_value();
                             },
                             "a file or a URL (expected e.g. \"https://login.example/keys\")"};

const std::array settings{
    Setting{"accounts.store",
            TextKind{in_accounts<&Accounts::store>, file_name_bytes_max, store_rule},
            "Where accounts are kept: \"sqlite:PATH\"; empty: there are none."},
    Setting{"accounts.anonymous", FlagKind{anonymous},
            "false: who shows no token may do nothing but sign in."},
    Setting{"accounts.registration", FlagKind{in_accounts<&Accounts::registration>},
            "Whether anybody may register."},
    Setting{"accounts.session_ttl",
            DurationKind{in_accounts<&Accounts::session_ttl>, 1s, 24h * 3650},
            "How long a session lasts, from signing in on."},
    Setting{"accounts.password_bytes_min",
            CountKind<std::size_t>{in_accounts<&Accounts::password_bytes_min>, 1,
                                   auth::password_bytes_max},
            "A shorter password is refused."},
    Setting{"accounts.hash_memory", SizeKind{in_hash<&Hash::memory>, 8 * kib, 4 * gib},
            "Memory that hashing a password takes (Argon2id); more is slower to guess."},
    Setting{"accounts.hash_passes", CountKind<std::uint32_t>{in_hash<&Hash::passes>, 1, 1'000},
            "How often it goes over that."},
    Setting{"accounts.hash_lanes", CountKind<std::uint32_t>{in_hash<&Hash::lanes>, 1, 16},
            "Threads that each hash takes."},
    Setting{"accounts.hash_threads", CountKind<std::uint32_t>{in_hash<&Hash::threads>, 1, 64},
            "Passwords that are hashed at once, in what time everything else leaves."},
    Setting{"accounts.hash_queue", CountKind<std::size_t>{in_hash<&Hash::queue>, 1, 100'000},
            "Passwords that wait for it; more are told to come back."},
    Setting{"accounts.guesses", CountKind<std::uint32_t>{in_accounts<&Accounts::guesses>, 1, 1'000},
            "Wrong passwords, by name and by address, before the next has to wait."},
    Setting{"accounts.guess_delay_max",
            DurationKind{in_accounts<&Accounts::guess_delay_max>, 1s, 24h},
            "The longest such wait; it doubles from 1s. By name a minute at most."},
    Setting{"accounts.token_cache", DurationKind{in_accounts<&Accounts::token_cache>, 0s, 1h},
            "How long it is remembered what a token stands for; revoking one ends that too."},

    Setting{"jwt.secret_file", TextKind{in_jwt<&Jwt::secret_file>, file_name_bytes_max},
            "The secret of HS256 tokens: a file of 32 bytes or more."},
    Setting{"jwt.public_keys", FileListKind{in_jwt<&Jwt::public_keys>, public_keys_max},
            "Public keys or certificates (PEM): RSA for RS256, P-256 for ES256."},
    Setting{"jwt.jwks", TextKind{in_jwt<&Jwt::jwks>, file_name_bytes_max, jwks_rule},
            "A key set (JWKS): a file, or a URL that is asked again."},
    Setting{"jwt.jwks_ca", TextKind{in_jwt<&Jwt::jwks_ca>, file_name_bytes_max},
            "Who may have signed that URL's certificate (PEM); empty: whom this machine trusts."},
    Setting{"jwt.jwks_refresh", DurationKind{in_jwt<&Jwt::jwks_refresh>, 1s, 24h},
            "The key set is read again this often."},
    Setting{"jwt.issuer", TextKind{in_jwt<&Jwt::issuer>, identifier_bytes_max},
            "What a token's iss must be; empty: anything."},
    Setting{"jwt.audience", TextKind{in_jwt<&Jwt::audience>, identifier_bytes_max},
            "What must be in a token's aud; empty: tokens with one are refused."},
    Setting{"jwt.leeway", DurationKind{in_jwt<&Jwt::leeway>, 0s, 1h},
            "By how much the clocks of who signs and of this machine may differ."},
    Setting{"jwt.id_claim", TextKind{in_jwt<&Jwt::id_claim>, claim_bytes_max, claim_rule},
            "The claim that has the user's id."},
    Setting{"jwt.name_claim", TextKind{in_jwt<&Jwt::name_claim>, claim_bytes_max, claim_rule},
            "The claim that has the user's name; without it the id."},
    Setting{"jwt.rooms_claim", TextKind{in_jwt<&Jwt::rooms_claim>, claim_bytes_max, claim_rule},
            "The claim that lists the rooms it is good for; without it all."},
    Setting{"jwt.moderate_claim",
            TextKind{in_jwt<&Jwt::moderate_claim>, claim_bytes_max, claim_rule},
            "The claim that is true for who moderates those rooms."},
};

}  // namespace

std::span<const Setting> accounts_settings() {
    return settings;
}

}  // namespace parley::server
