#include "auth/jwt_verifier.hpp"

#include <gtest/gtest.h>

#include "auth/jwt_maker.hpp"

namespace parley::auth {
namespace {

using namespace std::chrono_literals;
using test::forged_token;
using test::KeyPair;
using test::signed_token;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr core::WallTime now{std::chrono::seconds(now_s)};
const std::string secret(48, 's');

std::string claims(const std::string& more = "", std::int64_t expires = now_s + 600) {
    return R"({"sub":"42","name":"ann","exp":)" + std::to_string(expires) + more + "}";
}

// Made once: it takes a tenth of a second.
const KeyPair& first_rsa() {
    static const KeyPair key = KeyPair::rsa();
    return key;
}
const KeyPair& second_rsa() {
    static const KeyPair key = KeyPair::rsa();
    return key;
}

struct VerifierFixture {
    JwtConfig config;
    const KeyPair& rsa = first_rsa();
    const KeyPair ec = KeyPair::ec();

    JwtVerifier verifier() const {
        JwtKeys keys{read_jwt_secret(secret), read_jwt_public_key(rsa.public_pem()),
                     read_jwt_public_key(ec.public_pem())};
        return JwtVerifier(config, 64, std::move(keys));
    }
    std::string why(const std::string& token, core::WallTime at = now) const {
        const auto answer = verifier().verify(token, at);
        return answer ? std::string() : answer.error().why;
    }
};

TEST(JwtVerifier, TakesEachAlgorithmByItsKey) {
    const VerifierFixture f;
    for (const std::string& token : {signed_token(JWT_ALG_HS256, secret, claims()),
                                     signed_token(JWT_ALG_RS256, f.rsa.private_pem(), claims()),
                                     signed_token(JWT_ALG_ES256, f.ec.private_pem(), claims())}) {
        const auto user = f.verifier().verify(token, now);
        ASSERT_TRUE(user) << user.error().why;
        EXPECT_EQ((*user)->who, (protocol::User{"42", "ann"}));
        const core::Grant* const grant = (*user)->grant();
        ASSERT_NE(grant, nullptr);
        EXPECT_EQ(grant->kind, core::Grant::Kind::jwt);
        EXPECT_TRUE(grant->all_rooms);
        EXPECT_EQ(grant->token, id_of_token(token));
        EXPECT_EQ(grant->expires, now + 600s + f.config.leeway);
    }
}

TEST(JwtVerifier, RefusesForgedTokens) {
    const VerifierFixture f;
    const KeyPair& other = second_rsa();
    const std::string good = signed_token(JWT_ALG_HS256, secret, claims());
    const auto body = good.substr(0, good.rfind('.'));
    std::string altered = good;
    const auto dot = altered.find('.');
    altered.replace(dot + 1, altered.rfind('.') - dot - 1,
                    base64url(R"({"sub":"1","name":"root","exp":9999999999})"));
    struct Row {
        const char* what;
        std::string token;
    };
    for (const Row& row : {
             Row{"alg none", signed_token(JWT_ALG_NONE, "", claims())},
             Row{"alg none, spelled otherwise",
                 forged_token(R"({"alg":"nOnE","typ":"JWT"})", claims(), "")},
             Row{"no signature", body + "."},
             Row{"none over a good signature", forged_token(R"({"alg":"none"})", claims(), "") +
                                                   good.substr(good.rfind('.') + 1)},
             Row{"key confusion: HS256 by the public RSA key",
                 signed_token(JWT_ALG_HS256, f.rsa.public_pem(), claims())},
             Row{"key confusion: HS256 by the public P-256 key",
                 signed_token(JWT_ALG_HS256, f.ec.public_pem(), claims())},
             Row{"another secret", signed_token(JWT_ALG_HS256, std::string(48, 't'), claims())},
             Row{"another RSA key", signed_token(JWT_ALG_RS256, other.private_pem(), claims())},
             Row{"another algorithm of the same secret",
                 signed_token(JWT_ALG_HS512, secret, claims())},
             Row{"another algorithm of the same key",
                 signed_token(JWT_ALG_RS512, f.rsa.private_pem(), claims())},
             Row{"other claims under a good signature", altered},
             Row{"two heads in one", forged_token(R"({"alg":"HS256","alg":"none"})", claims(), "")},
             Row{"a head that must be understood",
                 forged_token(R"({"alg":"HS256","crit":["exp"],"exp":1})", claims(), "x")},
             Row{"a signature cut short", good.substr(0, good.size() - 4)},
         }) {
        EXPECT_NE(f.why(row.token), "") << row.what;
    }
    EXPECT_EQ(f.why(good), "");
}

TEST(JwtVerifier, RefusesWhatIsNoToken) {
    const VerifierFixture f;
    for (const std::string& text :
         {std::string(), std::string("."), std::string(".."), std::string("a.b.c"),
          std::string("a.b.c.d"), std::string(8000, '.'), forged_token("[]", claims(), "x"),
          forged_token("{}", claims(), "x"), forged_token(R"({"alg":1})", claims(), "x"),
          forged_token(R"({"alg":"HS256","typ":"at+jwt"})", claims(), "x"),
          signed_token(JWT_ALG_HS256, secret, claims()) + ".x"}) {
        EXPECT_NE(f.why(text), "") << text.substr(0, 80);
    }
}

TEST(JwtVerifier, EveryCharacterOfASignedTokenCounts) {
    const VerifierFixture f;
    const auto verifier = f.verifier();
    const std::string good = signed_token(JWT_ALG_HS256, secret, claims());
    // The last one carries two bits of the signature, and four that nobody reads.
    for (std::size_t i = 0; i + 1 < good.size(); ++i) {
        std::string other = good;
        other[i] = other[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(verifier.verify(other, now)) << i;
    }
}

TEST(JwtVerifier, HoldsTokensToTheirTimesWithLeeway) {
    const VerifierFixture f;
    const std::string token = signed_token(JWT_ALG_HS256, secret, claims("", now_s));
    EXPECT_EQ(f.why(token, now), "");
    EXPECT_EQ(f.why(token, now + 29s), "") << "30 s of leeway";
    EXPECT_EQ(f.why(token, now + 30s), "the token has expired");
    EXPECT_EQ(f.why(signed_token(JWT_ALG_HS256, secret, R"({"sub":"42"})")),
              "the token never expires (expected a claim exp)");
    EXPECT_EQ(f.why(signed_token(JWT_ALG_HS256, secret, R"({"sub":"42","exp":"tomorrow"})")),
              "the token never expires (expected a claim exp)");
    for (const char* const from : {"nbf", "iat"}) {
        const auto at = [&](std::int64_t time) {
            return signed_token(JWT_ALG_HS256, secret,
                                claims(",\"" + std::string(from) + "\":" + std::to_string(time)));
        };
        EXPECT_EQ(f.why(at(now_s + 30)), "") << from;
        EXPECT_EQ(f.why(at(now_s + 31)), "the token is not valid yet") << from;
    }
    const auto far = f.verifier().verify(
        signed_token(JWT_ALG_HS256, secret, claims("", 999'999'999'999'999)), now);
    ASSERT_TRUE(far);
    EXPECT_LT((*far)->grant()->expires, now + 24h * 3660) << "nothing that overflows a clock";
}

TEST(JwtVerifier, HoldsTokensToIssuerAndAudience) {
    VerifierFixture f;
    f.config.issuer = "https://login.example";
    f.config.audience = "chat";
    struct Row {
        const char* more;
        const char* why;
    };
    for (const Row& row : {
             Row{R"(,"iss":"https://login.example","aud":"chat")", ""},
             Row{R"(,"iss":"https://login.example","aud":["web","chat"])", ""},
             Row{R"(,"aud":"chat")", "the token is of another issuer"},
             Row{R"(,"iss":"https://login.example.evil","aud":"chat")",
                 "the token is of another issuer"},
             Row{R"(,"iss":"https://login.example")", "the token is for another audience"},
             Row{R"(,"iss":"https://login.example","aud":"chats")",
                 "the token is for another audience"},
             Row{R"(,"iss":"https://login.example","aud":["web"])",
                 "the token is for another audience"},
         }) {
        EXPECT_EQ(f.why(signed_token(JWT_ALG_HS256, secret, claims(row.more))), row.why)
            << row.more;
    }
}

TEST(JwtVerifier, RefusesATokenForAnAudienceWhereItIsNone) {
    const VerifierFixture f;
    EXPECT_EQ(f.why(signed_token(JWT_ALG_HS256, secret, claims(R"(,"aud":"mail")"))),
              "the token is for an audience, and this server has no name as one");
    EXPECT_EQ(f.why(signed_token(JWT_ALG_HS256, secret, claims(R"(,"iss":"anybody")"))), "");
}

TEST(JwtVerifier, TakesUserAndRoomsFromTheClaimsThatItIsTold) {
    VerifierFixture f;
    f.config.id_claim = "uid";
    f.config.name_claim = "nick";
    f.config.rooms_claim = "channels";
    const auto user = f.verifier().verify(
        signed_token(JWT_ALG_HS256, secret,
                     claims(R"(,"uid":7,"nick":"Bob","channels":["team.*","lobby"])")),
        now);
    ASSERT_TRUE(user) << user.error().why;
    EXPECT_EQ((*user)->who, (protocol::User{"7", "Bob"}));
    EXPECT_TRUE((*user)->grant()->covers("team.a"));
    EXPECT_FALSE((*user)->grant()->covers("other"));
    const auto none = f.verifier().verify(
        signed_token(JWT_ALG_HS256, secret, claims(R"(,"uid":"7","channels":[])")), now);
    ASSERT_TRUE(none) << none.error().why;
    EXPECT_EQ((*none)->who.name, "7") << "without a name the id";
    EXPECT_FALSE((*none)->grant()->covers("lobby")) << "an empty list is no room at all";
}

TEST(JwtVerifier, RefusesClaimsThatNameNobody) {
    const VerifierFixture f;
    for (const std::string& wrong :
         {std::string(R"({"exp":9999999999})"), std::string(R"({"exp":9999999999,"sub":""})"),
          std::string(R"({"exp":9999999999,"sub":true})"),
          R"({"exp":9999999999,"sub":")" + std::string(129, 'x') + "\"}",
          std::string(R"({"exp":9999999999,"sub":"1","name":" ann"})"),
          R"({"exp":9999999999,"sub":"1","name":")" + std::string(65, 'x') + "\"}",
          std::string(R"({"exp":9999999999,"sub":"1","rooms":"lobby"})"),
          std::string(R"({"exp":9999999999,"sub":"1","rooms":[1]})")}) {
        EXPECT_NE(f.why(signed_token(JWT_ALG_HS256, secret, wrong)), "") << wrong.substr(0, 80);
    }
}

TEST(JwtVerifier, ChoosesBetweenKeysOfASetByTheirNames) {
    const KeyPair& first = first_rsa();
    const KeyPair& second = second_rsa();
    JwtVerifier verifier({}, 64, {read_jwt_secret(secret)});
    const auto by = [](const KeyPair& key, const std::string& kid) {
        return signed_token(JWT_ALG_RS256, key.private_pem(), claims(), kid);
    };
    const auto before = verifier.verify(by(first, "1"), now);
    ASSERT_FALSE(before);
    verifier.set_keys(read_jwks("{\"keys\":[" + first.jwk(R"("kid":"1",)") + "," +
                                second.jwk(R"("kid":"2",)") + "]}"));
    EXPECT_EQ(verifier.key_count(), 3u);
    EXPECT_TRUE(verifier.verify(by(first, "1"), now));
    EXPECT_TRUE(verifier.verify(by(second, "2"), now));
    EXPECT_FALSE(verifier.verify(by(second, "1"), now)) << "the name is of another key";
    EXPECT_TRUE(verifier.verify(signed_token(JWT_ALG_HS256, secret, claims()), now))
        << "fixed keys stay";
    verifier.set_keys({});
    EXPECT_FALSE(verifier.verify(by(first, "1"), now)) << "gone from the set";
}

TEST(JwtVerifier, SaysWhereAKeyIsMissingThatASetMayHaveSoon) {
    JwtConfig config;
    JwtVerifier verifier(config, 64, {read_jwt_secret(secret)});
    const KeyPair& key = first_rsa();
    const auto refused = [&](const std::string& token) {
        return verifier.verify(token, now).error().unknown_key;
    };
    EXPECT_TRUE(refused(signed_token(JWT_ALG_RS256, key.private_pem(), claims(), "new")));
    EXPECT_FALSE(refused(signed_token(JWT_ALG_RS256, key.private_pem(), claims())));
    EXPECT_FALSE(refused(forged_token(R"({"alg":"none","kid":"new"})", claims(), "")));
    EXPECT_FALSE(refused(signed_token(JWT_ALG_HS256, std::string(48, 't'), claims(), "new")));
    const auto unsigned_here = [&](const std::string& token) {
        return verifier.verify(token, now).error().unsigned_here;
    };
    EXPECT_TRUE(unsigned_here(signed_token(JWT_ALG_RS256, key.private_pem(), claims())));
    EXPECT_TRUE(unsigned_here(signed_token(JWT_ALG_HS256, std::string(48, 't'), claims())));
    EXPECT_FALSE(unsigned_here(signed_token(JWT_ALG_HS256, secret, claims("", 1))));
    EXPECT_FALSE(unsigned_here("a.b.c"));
}

TEST(JwtVerifier, TakesWhatItMints) {
    VerifierFixture f;
    f.config.issuer = "parley";
    f.config.audience = "chat";
    const std::string token = mint_jwt(f.config, read_jwt_secret(secret),
                                       {"7", "Ann", {"team.*"}, std::chrono::seconds(60)}, now);
    const auto user = f.verifier().verify(token, now);
    ASSERT_TRUE(user) << user.error().why;
    EXPECT_EQ((*user)->who, (protocol::User{"7", "Ann"}));
    EXPECT_FALSE((*user)->grant()->covers("lobby"));
    EXPECT_EQ(f.why(token, now + 91s), "the token has expired");
}

TEST(JwtVerifier, MakesAModeratorOfWhoseClaimIsTrueAndOfNobodyElse) {
    VerifierFixture f;
    f.config.moderate_claim = "mod";
    JwtOrder order{"7", "Ann", {"team.*"}, std::chrono::seconds(60)};
    for (const bool moderates : {false, true}) {
        order.moderates = moderates;
        const auto user =
            f.verifier().verify(mint_jwt(f.config, read_jwt_secret(secret), order, now), now);
        ASSERT_TRUE(user) << user.error().why;
        EXPECT_EQ((*user)->grant()->moderates, moderates);
    }
    for (const std::string claim : {R"("mod":"true")", R"("mod":1)", R"("moderate":true)"}) {
        const auto user = f.verifier().verify(
            signed_token(JWT_ALG_HS256, secret, R"({"exp":9999999999,"sub":"1",)" + claim + "}"),
            now);
        ASSERT_TRUE(user) << claim;
        EXPECT_FALSE((*user)->grant()->moderates) << claim;
    }
}

}  // namespace
}  // namespace parley::auth
