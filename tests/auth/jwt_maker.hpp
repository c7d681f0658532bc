// Keys and tokens as another system would make them, for tests.
#pragma once

#include <jwt.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include "auth/secret.hpp"

namespace parley::auth::test {

class KeyPair {
public:
    [[nodiscard]] static KeyPair rsa(unsigned bits = 2048) { return KeyPair(EVP_RSA_gen(bits)); }
    [[nodiscard]] static KeyPair ec(const char* group = "P-256") {
        return KeyPair(EVP_EC_gen(group));
    }

    [[nodiscard]] std::string public_pem() const {
        return pem([this](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key_.get()); });
    }
    [[nodiscard]] std::string private_pem() const {
        return pem([this](BIO* bio) {
            return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }
    // As a member of a key set; `more` is what else it says, each with a comma behind it.
    [[nodiscard]] std::string jwk(const std::string& more = "") const {
        if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
            return "{" + more + R"("kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N, 0) +
                   R"(","e":")" + number(OSSL_PKEY_PARAM_RSA_E, 0) + "\"}";
        }
        return "{" + more + R"("kty":"EC","crv":"P-256","x":")" +
               number(OSSL_PKEY_PARAM_EC_PUB_X, 32) + R"(","y":")" +
               number(OSSL_PKEY_PARAM_EC_PUB_Y, 32) + "\"}";
    }

private:
    struct Free {
        void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    };
    explicit KeyPair(EVP_PKEY* key) : key_(key) {
        if (key == nullptr) throw std::runtime_error("no key");
    }
    template <typename Write>
    static std::string pem(Write write) {
        const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()),
                                                                &BIO_free_all);
        if (write(bio.get()) != 1) throw std::runtime_error("no PEM");
        char* data = nullptr;
        const long size = BIO_get_mem_data(bio.get(), &data);
        return {data, static_cast<std::size_t>(size)};
    }
    [[nodiscard]] std::string number(const char* name, int width) const {
        BIGNUM* found = nullptr;
        if (EVP_PKEY_get_bn_param(key_.get(), name, &found) != 1) throw std::runtime_error(name);
        const std::unique_ptr<BIGNUM, decltype(&BN_free)> value(found, &BN_free);
        std::string bytes(static_cast<std::size_t>(width == 0 ? BN_num_bytes(found) : width), '\0');
        BN_bn2binpad(found, reinterpret_cast<unsigned char*>(bytes.data()),
                     static_cast<int>(bytes.size()));
        return base64url(bytes);
    }

    std::unique_ptr<EVP_PKEY, Free> key_;
};

// A token signed by that algorithm, whatever the key is: a secret, or a private key in PEM.
inline std::string signed_token(jwt_alg_t algorithm, const std::string& key,
                                const std::string& claims, const std::string& kid = "") {
    jwt_t* made = nullptr;
    if (jwt_new(&made) != 0) throw std::runtime_error("no token");
    const std::unique_ptr<jwt_t, decltype(&jwt_free)> jwt(made, &jwt_free);
    const auto* const bytes = reinterpret_cast<const unsigned char*>(key.data());
    const int size = algorithm == JWT_ALG_NONE ? 0 : static_cast<int>(key.size());
    if (jwt_add_grants_json(made, claims.c_str()) != 0 ||
        (!kid.empty() && jwt_add_header(made, "kid", kid.c_str()) != 0) ||
        jwt_set_alg(made, algorithm, size == 0 ? nullptr : bytes, size) != 0) {
        throw std::runtime_error("no token");
    }
    const std::unique_ptr<char, decltype(&std::free)> text(jwt_encode_str(made), &std::free);
    if (!text) throw std::runtime_error("not signed");
    return text.get();
}

// Three parts, as whoever forges them writes them.
inline std::string forged_token(const std::string& head, const std::string& claims,
                                const std::string& signature) {
    return base64url(head) + "." + base64url(claims) + "." + base64url(signature);
}

}  // namespace parley::auth::test
