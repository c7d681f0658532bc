#include "auth/jwt_keys.hpp"

#include <gtest/gtest.h>

#include "auth/jwks_fetch.hpp"
#include "auth/jwt_maker.hpp"

namespace parley::auth {
namespace {

using test::KeyPair;

template <typename F>
std::string problem(F f) {
    try {
        static_cast<void>(f());
    } catch (const std::runtime_error& failure) {
        return failure.what();
    }
    return {};
}

// Made once: it takes a tenth of a second.
const KeyPair& an_rsa_key() {
    static const KeyPair key = KeyPair::rsa();
    return key;
}

TEST(JwtKeys, AKeyIsGoodForOneAlgorithm) {
    const auto rsa = read_jwt_public_key(an_rsa_key().public_pem());
    EXPECT_EQ(rsa.algorithm, JwtAlgorithm::rs256);
    const auto ec = read_jwt_public_key(KeyPair::ec().public_pem());
    EXPECT_EQ(ec.algorithm, JwtAlgorithm::es256);
    const auto secret = read_jwt_secret(std::string(32, 'x') + "\n");
    EXPECT_EQ(secret.algorithm, JwtAlgorithm::hs256);
    EXPECT_EQ(secret.material, std::string(32, 'x'));
}

TEST(JwtKeys, RefuseWhatIsTooWeakOrNoPublicKey) {
    EXPECT_EQ(problem([] { return read_jwt_secret(std::string(31, 'x')); }),
              "a secret of 31 bytes (expected 32 or more, e.g. of openssl rand -base64 48)");
    EXPECT_NE(problem([] { return read_jwt_secret(an_rsa_key().public_pem()); }), "")
        << "everybody who has it could sign";
    EXPECT_EQ(problem([] { return read_jwt_public_key(KeyPair::rsa(1024).public_pem()); }),
              "an RSA key has 1024 bits (expected 2048 to 8192)");
    EXPECT_EQ(problem([] { return read_jwt_public_key(KeyPair::ec("P-384").public_pem()); }),
              "neither an RSA key nor one of P-256");
    EXPECT_EQ(problem([] { return read_jwt_public_key(KeyPair::ec().private_pem()); }),
              "a private key (expected the public one)");
    EXPECT_EQ(problem([] { return read_jwt_public_key("hello"); }), "no public key in PEM");
}

TEST(JwtKeys, ReadASetAndPassOverWhatIsForSomethingElse) {
    const KeyPair& rsa = an_rsa_key();
    const auto ec = KeyPair::ec();
    const auto keys = read_jwks(
        R"({"keys":[)" + rsa.jwk(R"("kid":"a","use":"sig","alg":"RS256",)") + "," +
        ec.jwk(R"("kid":"b",)") + "," + rsa.jwk(R"("kid":"c","use":"enc",)") + "," +
        rsa.jwk(R"("kid":"d","alg":"PS256",)") +
        R"(,{"kty":"oct","kid":"e","k":"c2VjcmV0"},{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]})");
    ASSERT_EQ(keys.size(), 2u) << "a secret that everybody can fetch is none";
    EXPECT_EQ(keys[0].id, "a");
    EXPECT_EQ(keys[0].material, rsa.public_pem());
    EXPECT_EQ(keys[1].id, "b");
    EXPECT_EQ(keys[1].algorithm, JwtAlgorithm::es256);
    EXPECT_EQ(keys[1].material, ec.public_pem());
}

TEST(JwtKeys, OneKeyThatIsNoneDoesNotTakeTheOthersWithIt) {
    const auto ec = KeyPair::ec();
    const auto keys =
        read_jwks(R"({"keys":[{"kty":"RSA","kid":"odd"},)" + KeyPair::rsa(1024).jwk() + "," +
                  ec.jwk(R"("kid":"w","key_ops":["sign"],)") + "," +
                  ec.jwk(R"("kid":"b","key_ops":["verify"],)") + "]}");
    ASSERT_EQ(keys.size(), 1u);
    EXPECT_EQ(keys[0].id, "b");
    EXPECT_EQ(problem([] { return read_jwks("{\"keys\":[" + KeyPair::rsa(1024).jwk() + "]}"); }),
              "an RSA key has 1024 bits (expected 2048 to 8192)");
}

TEST(JwtKeys, RefuseASetThatIsNone) {
    for (const char* const text :
         {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[1]})", R"({"keys":[]})",
          R"({"keys":[{"kty":"RSA","n":"!","e":"AQAB"}]})", R"({"keys":[{"kty":"RSA"}]})",
          R"({"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}]})"}) {
        EXPECT_NE(problem([&] { return read_jwks(text); }), "") << text;
    }
    // A point that is not on the curve.
    const std::string point(43, 'A');
    EXPECT_NE(problem([&] {
                  return read_jwks(R"({"keys":[{"kty":"EC","crv":"P-256","x":")" + point +
                                   R"(","y":")" + point + R"("}]})");
              }),
              "");
    std::string many = R"({"keys":[)";
    const std::string one = KeyPair::ec().jwk();
    for (std::size_t i = 0; i <= jwt_keys_max; ++i) many += (i > 0 ? "," : "") + one;
    EXPECT_EQ(problem([&] { return read_jwks(many + "]}"); }), "more than 64 keys");
}

TEST(JwksFetch, TakesUrlsApart) {
    struct Row {
        std::string_view text;
        bool tls, loopback;
    };
    for (const Row& row :
         {Row{"http://a", false, false}, Row{"https://login.example.org/keys?x=1", true, false},
          Row{"https://a:8443/k", true, false}, Row{"https://LOGIN.example/", true, false},
          Row{"http://[::1]:9/k", false, true}, Row{"http://[0:0:0:0:0:0:0:1]/k", false, true},
          Row{"http://[2001:db8::1]/k", false, false}, Row{"http://127.0.0.2/k", false, true},
          Row{"http://127.1/k", false, true}, Row{"https://localhost:1/", true, true},
          Row{"http://127.0.0.1.example/", false, false},
          Row{"http://localhost.example/", false, false}}) {
        const auto url = parse_http_url(row.text);
        ASSERT_TRUE(url) << row.text;
        EXPECT_EQ(url->text, row.text);
        EXPECT_EQ(url->tls, row.tls) << row.text;
        EXPECT_EQ(url->loopback, row.loopback) << row.text;
    }
    for (const std::string_view wrong :
         {"", "a", "ftp://a", "http://", "http:///k", "http://a:x/", "http://a:70000/",
          "http://u@a/", "http://a/ b", "https:/a/k", "http://a/\r\nX: y", "http://a/#f",
          "http://a/?q#"}) {
        EXPECT_FALSE(parse_http_url(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace parley::auth
