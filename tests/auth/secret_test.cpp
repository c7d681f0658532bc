#include "auth/secret.hpp"

#include <gtest/gtest.h>

#include <set>

namespace parley::auth {
namespace {

TEST(Secret, TokensAreLongAndNeverTheSame) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const std::string token = make_token("ps_");
        EXPECT_EQ(token.size(), 46u);
        EXPECT_TRUE(token.starts_with("ps_"));
        std::string bytes;
        EXPECT_TRUE(decode_base64url(token.substr(3), bytes));
        EXPECT_EQ(bytes.size(), 32u) << "256 bits";
        EXPECT_TRUE(seen.insert(token).second);
    }
}

TEST(Secret, Base64UrlIsThatOfRfc4648WithoutPadding) {
    struct Row {
        std::string_view bytes, text;
    };
    for (const Row& row : {Row{"", ""}, Row{"f", "Zg"}, Row{"fo", "Zm8"}, Row{"foo", "Zm9v"},
                           Row{"foob", "Zm9vYg"}, Row{"\xFB\xFF", "-_8"}}) {
        EXPECT_EQ(base64url(row.bytes), row.text);
        std::string back;
        EXPECT_TRUE(decode_base64url(row.text, back));
        EXPECT_EQ(back, row.bytes);
    }
    std::string ignored;
    for (const std::string_view wrong : {"Z", "Zg==", "Zm9v+", "Zm 9v", "/w", "Zm9vY"}) {
        EXPECT_FALSE(decode_base64url(wrong, ignored)) << wrong;
    }
}

TEST(Secret, ATokensIdIsItsSha256) {
    const core::TokenId id = id_of_token("abc");
    EXPECT_EQ(id[0], 0xba);
    EXPECT_EQ(id[31], 0xad);
}

}  // namespace
}  // namespace parley::auth
