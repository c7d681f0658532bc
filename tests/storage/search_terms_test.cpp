#include "storage/search_terms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SearchTerms, AreWordsQuotedPartsAndBeginnings) {
    EXPECT_THAT(search_terms("a b"), ElementsAre(SearchTerm{"a"}, SearchTerm{"b"}));
    EXPECT_THAT(search_terms("  \"a b\"  c"), ElementsAre(SearchTerm{"a b"}, SearchTerm{"c"}));
    EXPECT_THAT(search_terms("pre* fix"), ElementsAre(SearchTerm{"pre", true}, SearchTerm{"fix"}));
    EXPECT_THAT(search_terms("\"a*\""), ElementsAre(SearchTerm{"a*"}));
    EXPECT_THAT(search_terms("a\"b"), ElementsAre(SearchTerm{"a\"b"}));
}

TEST(SearchTerms, AQuoteThatIsNotClosedGoesToTheEnd) {
    EXPECT_THAT(search_terms("\"open end"), ElementsAre(SearchTerm{"open end"}));
}

TEST(SearchTerms, ControlCharactersPartWords) {
    EXPECT_THAT(search_terms(std::string_view("a\0b\x01"
                                              "c",
                                              5)),
                ElementsAre(SearchTerm{"a"}, SearchTerm{"b"}, SearchTerm{"c"}));
}

TEST(SearchTerms, WhatHasNoWordGivesNone) {
    for (const char* query : {"", " ", "*", "\" \"", "\"", "\"\""}) {
        EXPECT_THAT(search_terms(query), IsEmpty()) << query;
    }
}

}  // namespace
}  // namespace parley::storage
