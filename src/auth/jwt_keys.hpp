// JwtKeys: what signatures are verified by: one algorithm a key, whatever a token says of itself.
//
// Path:     a secret file, PEM files, a JWKS → [JwtKeys] → JwtVerifier
// Runs on:  any thread; immutable once made.
// Owned by: JwtVerifier, behind a shared pointer.
// Bounds:   jwt_keys_max keys of one set; RSA from 2048 bits up to 8192.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::auth {

inline constexpr std::size_t jwt_keys_max = 64;
// Of a key set, from wherever it comes.
inline constexpr std::size_t jwks_bytes_max = 1024 * 1024;
// RFC 7518, 3.2: a key as long as the hash.
inline constexpr std::size_t jwt_secret_bytes_min = 32;

enum class JwtAlgorithm : std::uint8_t { hs256, rs256, es256 };
// "HS256", as `alg` has it.
[[nodiscard]] std::string_view name_of(JwtAlgorithm algorithm) noexcept;

struct JwtKey {
    JwtAlgorithm algorithm;
    std::string id;        // `kid`; empty: tokens of any
    std::string material;  // the secret, or the public key as PEM
};
using JwtKeys = std::vector<JwtKey>;

// All three throw std::runtime_error that says what is wrong, and nothing of what is secret.
// The text of a secret file; a line end at its end is none of it.
[[nodiscard]] JwtKey read_jwt_secret(std::string text);
// A public key, or a certificate's: RSA is RS256, P-256 is ES256.
[[nodiscard]] JwtKey read_jwt_public_key(const std::string& pem);
// A JSON Web Key Set (RFC 7517): its RSA and P-256 keys that are for signatures; the others, secrets
// and what is malformed or too weak among them, are passed over where one is left.
[[nodiscard]] JwtKeys read_jwks(std::string_view json);

}  // namespace parley::auth
