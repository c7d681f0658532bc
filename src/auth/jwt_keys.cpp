#include "auth/jwt_keys.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <stdexcept>

#include "auth/secret.hpp"

namespace parley::auth {
namespace {

namespace json = boost::json;

template <auto release>
struct Release {
    template <typename T>
    void operator()(T* object) const noexcept {
        release(object);
    }
};
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;

constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;  // verifying takes the square of them

std::string to_pem(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    if (!bio || PEM_write_bio_PUBKEY(bio.get(), key) != 1) {
        throw std::runtime_error("the key can't be written as PEM");
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

bool is_p256(EVP_PKEY* key) {
    std::array<char, 64> group{};
    std::size_t length = 0;
    return EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
           std::string_view(group.data(), length) == "prime256v1";
}

// The key by the one algorithm that it is good for here.
JwtKey judged(EVP_PKEY* key, std::string id) {
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        const int bits = EVP_PKEY_get_bits(key);
        if (bits < rsa_bits_min || bits > rsa_bits_max) {
            throw std::runtime_error("an RSA key has " + std::to_string(bits) + " bits (expected " +
                                     std::to_string(rsa_bits_min) + " to " +
                                     std::to_string(rsa_bits_max) + ")");
        }
        return {JwtAlgorithm::rs256, std::move(id), to_pem(key)};
    }
    if (EVP_PKEY_is_a(key, "EC") == 1 && is_p256(key)) {
        return {JwtAlgorithm::es256, std::move(id), to_pem(key)};
    }
    throw std::runtime_error("neither an RSA key nor one of P-256");
}

std::string_view text_of(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return value->get_string();
}

Number number_of(const json::object& object, std::string_view name) {
    std::string bytes;
    const auto text = text_of(object, name);
    if (text.empty() || !decode_base64url(text, bytes)) {
        throw std::runtime_error("a key without a proper \"" + std::string(name) + "\"");
    }
    return Number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                            static_cast<int>(bytes.size()), nullptr));
}

Key made_from(const char* type, OSSL_PARAM_BLD* builder) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
    const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
        ERR_clear_error();
        throw std::runtime_error("a key that is none");
    }
    return Key(key);
}

Key rsa_of(const json::object& jwk) {
    const Number n = number_of(jwk, "n");
    const Number e = number_of(jwk, "e");
    const Builder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    return made_from("RSA", builder.get());
}

// SEC 1, 2.3.3: a point, not compressed.
Key p256_of(const json::object& jwk) {
    constexpr std::size_t coordinate = 32;
    std::string point(1, '\x04');
    for (const std::string_view name : {"x", "y"}) {
        std::string bytes;
        if (!decode_base64url(text_of(jwk, name), bytes) || bytes.size() != coordinate) {
            throw std::runtime_error("a P-256 key without a proper \"" + std::string(name) + "\"");
        }
        point += bytes;
    }
    const Builder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                     point.size());
    return made_from("EC", builder.get());
}

// RFC 7517, 4.2 and 4.3.
bool signs(const json::object& jwk) {
    const auto use = text_of(jwk, "use");
    if (!use.empty() && use != "sig") return false;
    const auto* const uses = jwk.if_contains("key_ops");
    if (uses == nullptr) return true;
    return uses->is_array() && std::ranges::any_of(uses->get_array(), [](const json::value& one) {
               return one.is_string() && one.get_string() == "verify";
           });
}

// Nothing for a key that is good for something else.
std::optional<JwtKey> key_in(const json::object& jwk) {
    const auto type = text_of(jwk, "kty");
    const auto algorithm = text_of(jwk, "alg");
    std::string id(text_of(jwk, "kid"));
    if (!signs(jwk)) return std::nullopt;
    if (type == "RSA" && (algorithm.empty() || algorithm == "RS256")) {
        return judged(rsa_of(jwk).get(), std::move(id));
    }
    if (type == "EC" && text_of(jwk, "crv") == "P-256" &&
        (algorithm.empty() || algorithm == "ES256")) {
        return judged(p256_of(jwk).get(), std::move(id));
    }
    return std::nullopt;
}

}  // namespace

std::string_view name_of(JwtAlgorithm algorithm) noexcept {
    switch (algorithm) {
        case JwtAlgorithm::hs256:
            return "HS256";
        case JwtAlgorithm::rs256:
            return "RS256";
        case JwtAlgorithm::es256:
            return "ES256";
    }
    return {};
}

JwtKey read_jwt_secret(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (text.size() < jwt_secret_bytes_min) {
        throw std::runtime_error("a secret of " + std::to_string(text.size()) +
                                 " bytes (expected " + std::to_string(jwt_secret_bytes_min) +
                                 " or more, e.g. of openssl rand -base64 48)");
    }
    // A public key here would let everybody who has it sign.
    if (text.find("-----BEGIN") != std::string::npos) {
        throw std::runtime_error("a PEM file is no secret (expected jwt.public_keys to name it)");
    }
    return {JwtAlgorithm::hs256, {}, std::move(text)};
}

JwtKey read_jwt_public_key(const std::string& pem) {
    const auto source = [&pem] {
        return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    };
    if (pem.find("PRIVATE KEY") != std::string::npos) {
        throw std::runtime_error("a private key (expected the public one)");
    }
    Key key(PEM_read_bio_PUBKEY(source().get(), nullptr, nullptr, nullptr));
    if (!key) {
        const Certificate certificate(PEM_read_bio_X509(source().get(), nullptr, nullptr, nullptr));
        if (certificate) key.reset(X509_get_pubkey(certificate.get()));
    }
    ERR_clear_error();
    if (!key) throw std::runtime_error("no public key in PEM");
    return judged(key.get(), {});
}

JwtKeys read_jwks(std::string_view text) {
    boost::system::error_code failure;
    const json::value document = json::parse(text, failure);
    const auto* const object = failure ? nullptr : document.if_object();
    const auto* const listed = object == nullptr ? nullptr : object->if_contains("keys");
    if (listed == nullptr || !listed->is_array()) {
        throw std::runtime_error("not a key set (expected {\"keys\":[…]})");
    }
    JwtKeys keys;
    std::string why_none;
    for (const json::value& one : listed->get_array()) {
        if (!one.is_object()) throw std::runtime_error("not a key set: a key is no object");
        std::optional<JwtKey> key;
        try {
            key = key_in(one.get_object());
        } catch (const std::runtime_error& problem) {
            if (why_none.empty()) why_none = problem.what();
        }
        if (!key) continue;
        if (keys.size() == jwt_keys_max) {
            throw std::runtime_error("more than " + std::to_string(jwt_keys_max) + " keys");
        }
        keys.push_back(std::move(*key));
    }
    if (keys.empty()) {
        throw std::runtime_error(why_none.empty() ? "no RSA or P-256 key for signatures in it"
                                                  : why_none);
    }
    return keys;
}

}  // namespace parley::auth
