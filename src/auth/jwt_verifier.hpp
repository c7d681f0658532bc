// JwtVerifier: JSON Web Tokens of another system (RFC 7519): whose, and what for (RFC 8725: strictly).
//
// Path:     LocalAccounts' desk → [JwtVerifier] → User, Grant
// Runs on:  any thread; the keys are changed under a lock that is held for a pointer's copy.
// Owned by: LocalAccounts.
// Bounds:   token_bytes_max; candidates_max keys tried a token; rooms_max patterns.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/auth_config.hpp"
#include "auth/jwt_keys.hpp"
#include "core/clock.hpp"
#include "core/user.hpp"

namespace parley::auth {

// Why a token is refused, in words for its bearer.
struct JwtRefusal {
    std::string why;
    bool unknown_key = false;    // it names a key that there is not
    bool unsigned_here = false;  // by none of the keys that there are
};

struct JwtClaims;

class JwtVerifier {
public:
    // `fixed` are the keys that stay; those of a key set come and go beside them.
    JwtVerifier(JwtConfig config, std::size_t name_bytes_max, JwtKeys fixed);

    void set_keys(JwtKeys from_set);
    [[nodiscard]] std::size_t key_count() const;

    [[nodiscard]] boost::system::result<core::UserPtr, JwtRefusal> verify(const std::string& token,
                                                                          core::WallTime now) const;

private:
    [[nodiscard]] std::shared_ptr<const JwtKeys> keys() const;
    [[nodiscard]] std::optional<std::string> refuse_times(const JwtClaims& claims,
                                                          core::WallTime now) const;

    const JwtConfig config_;
    const std::size_t name_bytes_max_;
    const JwtKeys fixed_;
    mutable std::mutex mutex_;
    std::shared_ptr<const JwtKeys> keys_;
};

// What a token is made with.
struct JwtOrder {
    std::string user;
    std::string name;                // empty: the user's id
    std::vector<std::string> rooms;  // empty: all, and no claim
    std::chrono::seconds ttl{3600};
    bool moderates = false;
};
// An HS256 token as the configuration asks for it. Throws std::runtime_error.
[[nodiscard]] std::string mint_jwt(const JwtConfig& config, const JwtKey& secret,
                                   const JwtOrder& order, core::WallTime now);

}  // namespace parley::auth
