#include "auth/name_fold.hpp"

#include <gtest/gtest.h>

namespace parley::auth {
namespace {

TEST(NameFold, AKeyIsWhatANameIsWithoutItsCaseAndItsSpareBlanks) {
    EXPECT_EQ(name_key("Ann  Smith "), "ann smith");
    EXPECT_EQ(name_key("J\xC3\x96RG"), "j\xC3\xB6rg");
    EXPECT_EQ(name_key(name_key("STRA\xC3\x9F"
                                "E")),
              name_key("stra\xC3\x9F"
                       "e"));
    EXPECT_EQ(name_key(""), "");
    EXPECT_EQ(name_key("\xE2\x80\x8B"), "") << "nothing is seen of it";
    EXPECT_EQ(name_key("a\xFF"), "a\xEF\xBF\xBD");
    const std::string longest(1024, 'A');
    EXPECT_EQ(name_key(longest), std::string(1024, 'a'));
    EXPECT_EQ(name_key("\xEF\xB7\xBA").size(), 33u) << "one character may become eighteen";
}

TEST(NameFold, AnAsciiLookIsThatOfUnicode) {
    EXPECT_EQ(name_look("m"), "rn");
    EXPECT_EQ(name_look("1"), name_look("l"));
    EXPECT_EQ(name_look("ann"), name_look("\xD0\xB0nn"));
    EXPECT_NE(name_look("ann"), name_look("anna"));
}

TEST(NameFold, AnAccountHasANameThatCanBeSeenAndTold) {
    for (const std::string_view good :
         {"ann", "Ann Smith", "J\xC3\xB6rg", "\xE5\xBC\xA0\xE4\xBC\x9F", "ann \xF0\x9F\x98\x80",
          "\xE2\x9D\xA4\xEF\xB8\x8F"}) {
        EXPECT_EQ(refuse_account_name(good), std::nullopt) << good;
    }
    for (const std::string_view wrong : {"\xE2\x80\x8B", "ann\xE2\x80\xAE",
                                         "\xE2\x81\xA6"
                                         "ann",
                                         "ann\xEE\x80\x80", "ann\xF4\x8F\xBF\xBF", "ann\xCD\xB8"}) {
        EXPECT_TRUE(refuse_account_name(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace parley::auth
