#include "auth/jwt_verifier.hpp"

#include <jwt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "auth/secret.hpp"
#include "core/session.hpp"

namespace parley::auth {

struct JwtClaims {
    boost::json::object all;
};

namespace {

namespace json = boost::json;
using std::chrono::seconds;

// Keys without a name that fit a token without one: a set in the middle of a change has two.
constexpr std::size_t candidates_max = 4;
constexpr std::size_t rooms_max = 256;
constexpr std::size_t id_bytes_max = 128;
// What lies beyond is as good as for ever, and near the end of what a clock can count.
constexpr std::int64_t lifetime_max = std::int64_t{10} * 365 * 86'400;

struct FreeJwt {
    void operator()(jwt_t* token) const noexcept { jwt_free(token); }
};
using Jwt = std::unique_ptr<jwt_t, FreeJwt>;
struct FreeText {
    void operator()(char* text) const noexcept { std::free(text); }
};
using Text = std::unique_ptr<char, FreeText>;

template <typename T>
boost::system::result<T, JwtRefusal> refuse(std::string why) {
    return {boost::system::in_place_error, JwtRefusal{std::move(why)}};
}

std::optional<json::object> object_in(std::string_view text) {
    boost::system::error_code failure;
    json::value value = json::parse(text, failure);
    if (failure || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

std::optional<std::string> text_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string(value->get_string());
}

// Seconds since 1970, which may have a fraction (RFC 7519, 2: NumericDate).
std::optional<double> date_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains(name);
    if (value == nullptr || !value->is_number()) return std::nullopt;
    return value->to_number<double>();
}

// What the head says of the key, before anything is believed.
struct Head {
    std::string algorithm;
    std::string key_id;
    std::string type;
};

std::optional<Head> head_of(std::string_view token) {
    const auto first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
        return std::nullopt;
    }
    std::string bytes;
    if (!decode_base64url(token.substr(0, first), bytes)) return std::nullopt;
    const auto object = object_in(bytes);
    // `crit` names what must be understood, and nothing of it is (RFC 7515, 4.1.11).
    if (!object || object->if_contains("crit") != nullptr) return std::nullopt;
    const auto algorithm = text_in(*object, "alg");
    if (!algorithm) return std::nullopt;
    return Head{*algorithm, text_in(*object, "kid").value_or(std::string()),
                text_in(*object, "typ").value_or("JWT")};
}

bool is_jwt(std::string_view type) {
    return std::ranges::equal(type, std::string_view("jwt"),
                              [](char a, char b) { return (a | 0x20) == b; });
}

bool is_public(std::string_view algorithm) {
    return algorithm == name_of(JwtAlgorithm::rs256) || algorithm == name_of(JwtAlgorithm::es256);
}

jwt_alg_t library_name(JwtAlgorithm algorithm) {
    switch (algorithm) {
        case JwtAlgorithm::hs256:
            return JWT_ALG_HS256;
        case JwtAlgorithm::rs256:
            return JWT_ALG_RS256;
        case JwtAlgorithm::es256:
            return JWT_ALG_ES256;
    }
    return JWT_ALG_NONE;
}

// The claims where that key has signed them, by its own algorithm.
std::optional<JwtClaims> signed_claims(const std::string& token, const JwtKey& key) {
    jwt_t* decoded = nullptr;
    const auto* const material = reinterpret_cast<const unsigned char*>(key.material.c_str());
    const int result =
        jwt_decode(&decoded, token.c_str(), material, static_cast<int>(key.material.size()));
    const Jwt jwt(decoded);
    if (result != 0 || !jwt || jwt_get_alg(jwt.get()) != library_name(key.algorithm)) {
        return std::nullopt;
    }
    const Text text(jwt_get_grants_json(jwt.get(), nullptr));
    auto claims = text ? object_in(text.get()) : std::nullopt;
    if (!claims) return std::nullopt;
    return JwtClaims{std::move(*claims)};
}

// `aud` is a text or a list of them.
bool is_for(const json::object& claims, std::string_view audience) {
    const auto* const value = claims.if_contains("aud");
    if (value == nullptr) return false;
    if (value->is_string()) return value->get_string() == audience;
    return value->is_array() &&
           std::ranges::any_of(value->get_array(), [audience](const json::value& one) {
               return one.is_string() && one.get_string() == audience;
           });
}

// A user's id: a text, or a number as many systems have them.
std::string id_in(const json::object& claims, std::string_view name) {
    const auto* const value = claims.if_contains(name);
    if (value == nullptr) return {};
    if (value->is_string()) return std::string(value->get_string());
    if (value->is_int64() || value->is_uint64()) return json::serialize(*value);
    return {};
}

// Nothing where the claim is there and is no list of patterns.
std::optional<std::vector<std::string>> rooms_in(const json::object& claims,
                                                 std::string_view name) {
    std::vector<std::string> rooms;
    const auto* const value = claims.if_contains(name);
    if (value == nullptr) return rooms;
    if (!value->is_array() || value->get_array().size() > rooms_max) return std::nullopt;
    for (const json::value& one : value->get_array()) {
        if (!one.is_string()) return std::nullopt;
        rooms.emplace_back(one.get_string());
    }
    return rooms;
}

std::int64_t in_seconds(core::WallTime at) {
    return std::chrono::floor<seconds>(at.time_since_epoch()).count();
}

}  // namespace

JwtVerifier::JwtVerifier(JwtConfig config, std::size_t name_bytes_max, JwtKeys fixed)
    : config_(std::move(config)),
      name_bytes_max_(name_bytes_max),
      fixed_(std::move(fixed)),
      keys_(std::make_shared<const JwtKeys>(fixed_)) {}

void JwtVerifier::set_keys(JwtKeys from_set) {
    auto all = std::make_shared<JwtKeys>(fixed_);
    std::ranges::move(from_set, std::back_inserter(*all));
    const std::scoped_lock lock(mutex_);
    keys_ = std::move(all);
}

std::shared_ptr<const JwtKeys> JwtVerifier::keys() const {
    const std::scoped_lock lock(mutex_);
    return keys_;
}

std::size_t JwtVerifier::key_count() const {
    return keys()->size();
}

std::optional<std::string> JwtVerifier::refuse_times(const JwtClaims& claims,
                                                     core::WallTime now) const {
    const auto at = static_cast<double>(in_seconds(now));
    const double leeway = std::chrono::duration<double>(config_.leeway).count();
    const auto expires = date_in(claims.all, "exp");
    if (!expires) return "the token never expires (expected a claim exp)";
    if (at >= *expires + leeway) return "the token has expired";
    for (const std::string_view name : {"nbf", "iat"}) {
        const auto* const value = claims.all.if_contains(name);
        if (value == nullptr) continue;
        const auto from = date_in(claims.all, name);
        if (!from || at + leeway < *from) return "the token is not valid yet";
    }
    return std::nullopt;
}

boost::system::result<core::UserPtr, JwtRefusal> JwtVerifier::verify(const std::string& token,
                                                                     core::WallTime now) const {
    using User = core::UserPtr;
    const auto head = head_of(token);
    if (!head) return refuse<User>("this is no token");
    if (!is_jwt(head->type)) return refuse<User>("the token's typ is another one than JWT");
    // The key says which algorithm it is good for, and a token that names another finds no key:
    // `none`, or a public key taken for a secret.
    std::optional<JwtClaims> claims;
    std::size_t tried = 0;
    bool named = head->key_id.empty() || !is_public(head->algorithm);
    const auto keys = this->keys();
    for (const JwtKey& key : *keys) {
        named = named || key.id == head->key_id;
        if (name_of(key.algorithm) != head->algorithm) continue;
        if (!key.id.empty() && !head->key_id.empty() && key.id != head->key_id) continue;
        if (tried++ == candidates_max) break;
        claims = signed_claims(token, key);
        if (claims) break;
    }
    if (!claims) {
        return {boost::system::in_place_error,
                JwtRefusal{tried == 0 ? "the token is signed by nobody known here"
                                      : "the token's signature is wrong",
                           tried == 0 && !named, true}};
    }
    if (auto why = refuse_times(*claims, now)) return refuse<User>(std::move(*why));
    if (!config_.issuer.empty() && text_in(claims->all, "iss") != config_.issuer) {
        return refuse<User>("the token is of another issuer");
    }
    if (!config_.audience.empty() && !is_for(claims->all, config_.audience)) {
        return refuse<User>("the token is for another audience");
    }
    // Who does not know what they are called must not take it for theirs (RFC 7519, 4.1.3).
    if (config_.audience.empty() && claims->all.if_contains("aud") != nullptr) {
        return refuse<User>("the token is for an audience, and this server has no name as one");
    }
    std::string id = id_in(claims->all, config_.id_claim);
    if (id.empty() || id.size() > id_bytes_max) {
        return refuse<User>("the token's " + config_.id_claim + " is no user (expected a text of " +
                            std::to_string(id_bytes_max) + " bytes at most)");
    }
    std::string name = text_in(claims->all, config_.name_claim).value_or(id);
    if (auto why = core::refuse_name(name, name_bytes_max_)) {
        return refuse<User>("the token's " + config_.name_claim + ": " + *why);
    }
    auto rooms = rooms_in(claims->all, config_.rooms_claim);
    if (!rooms) {
        return refuse<User>("the token's " + config_.rooms_claim + " is no list of at most " +
                            std::to_string(rooms_max) + " patterns");
    }
    core::Grant grant;
    grant.kind = core::Grant::Kind::jwt;
    grant.token = id_of_token(token);
    grant.all_rooms = claims->all.if_contains(config_.rooms_claim) == nullptr;
    grant.rooms = std::move(*rooms);
    const auto* const moderates = claims->all.if_contains(config_.moderate_claim);
    grant.moderates = moderates != nullptr && moderates->is_bool() && moderates->get_bool();
    const double end = std::min(
        *date_in(claims->all, "exp") + std::chrono::duration<double>(config_.leeway).count(),
        static_cast<double>(in_seconds(now) + lifetime_max));
    grant.expires = core::WallTime(seconds(static_cast<std::int64_t>(end)));
    return User(new core::GrantedUser({std::move(id), std::move(name)}, std::move(grant)));
}

std::string mint_jwt(const JwtConfig& config, const JwtKey& secret, const JwtOrder& order,
                     core::WallTime now) {
    json::object claims;
    claims[config.id_claim] = order.user;
    claims[config.name_claim] = order.name.empty() ? order.user : order.name;
    if (!order.rooms.empty()) {
        claims[config.rooms_claim] = json::array(order.rooms.begin(), order.rooms.end());
    }
    if (order.moderates) claims[config.moderate_claim] = true;
    if (!config.issuer.empty()) claims["iss"] = config.issuer;
    if (!config.audience.empty()) claims["aud"] = config.audience;
    claims["iat"] = in_seconds(now);
    claims["exp"] = in_seconds(now) + order.ttl.count();
    jwt_t* made = nullptr;
    if (jwt_new(&made) != 0) throw std::runtime_error("no memory for a token");
    const Jwt jwt(made);
    const auto* const material = reinterpret_cast<const unsigned char*>(secret.material.data());
    const int size = static_cast<int>(secret.material.size());
    if (jwt_add_grants_json(jwt.get(), json::serialize(claims).c_str()) != 0 ||
        jwt_set_alg(jwt.get(), JWT_ALG_HS256, material, size) != 0) {
        throw std::runtime_error("the token can't be made");
    }
    const Text text(jwt_encode_str(jwt.get()));
    if (!text) throw std::runtime_error("the token can't be signed");
    return text.get();
}

}  // namespace parley::auth
