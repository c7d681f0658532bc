// AuthConfig: what an operator may choose of accounts and tokens, with its defaults.
//
// Path:     config_file, command_line → [AuthConfig] → LocalAccounts
// Runs on:  built at start; then read by any thread, changed by none.
// Owned by: the server (composition root), a test.
// Bounds:   the constants below hold what can't be configured away.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace parley::auth {

using std::chrono::milliseconds;

// A longer token is none: a JWT with a long list of rooms has 4 KiB.
inline constexpr std::size_t token_bytes_max = 8 * 1024;
// A longer password is refused before it is hashed; a passphrase of 100 words has 700 bytes.
inline constexpr std::size_t password_bytes_max = 1024;
// Of one account; a further sign-in ends the one that was used least recently.
inline constexpr std::size_t sessions_per_account_max = 64;
inline constexpr std::size_t keys_per_account_max = 64;
// Names that guests are given begin with it, and those of accounts never.
inline constexpr const char* guest_prefix = "guest-";

// Argon2id (RFC 9106). The default is what OWASP asks for: 19 MiB and two passes, 20 to 30 ms of one
// core, and little enough of memory's bandwidth that the shards beside it do not feel it.
struct HashConfig {
    std::size_t memory = 19 * 1024 * 1024;
    std::uint32_t passes = 2;
    std::uint32_t lanes = 1;
    std::uint32_t threads = 1;  // passwords that are hashed at once
    std::size_t queue = 64;     // that wait for it; more are `unavailable`
};

// [accounts]
struct AccountsConfig {
    std::string store;                            // "sqlite:PATH"; empty: no passwords are kept
    bool registration = true;                     // anybody may register
    milliseconds session_ttl{720LL * 3'600'000};  // from signing in on
    HashConfig hash;
    std::size_t password_bytes_min = 8;
    std::size_t name_bytes_max = 64;  // limits.name_bytes
    std::uint32_t guesses = 5;        // wrong passwords before the next has to wait
    milliseconds guess_delay_max{900'000};
    milliseconds token_cache{60'000};  // for which what a token stands for is remembered

    // The path behind "sqlite:"; empty where there is no store.
    [[nodiscard]] std::string store_path() const {
        return store.empty() ? store : store.substr(store.find(':') + 1);
    }
};

// [jwt]
struct JwtConfig {
    std::string secret_file;               // HS256
    std::vector<std::string> public_keys;  // PEM files: RS256 or ES256, whichever key it is
    std::string jwks;                      // a file, or a URL that is asked again
    std::string jwks_ca;                   // who signs that URL's certificate; empty: the machine's
    milliseconds jwks_refresh{300'000};
    std::string issuer;    // what `iss` must be; empty: anything
    std::string audience;  // what must be in `aud`; empty: there must be none
    milliseconds leeway{30'000};
    std::string id_claim = "sub";
    std::string name_claim = "name";
    std::string rooms_claim = "rooms";
    std::string moderate_claim = "moderate";

    [[nodiscard]] bool enabled() const noexcept {
        return !secret_file.empty() || !public_keys.empty() || !jwks.empty();
    }
};

}  // namespace parley::auth
