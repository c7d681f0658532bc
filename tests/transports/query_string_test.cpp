#include "transports/query_string.hpp"

#include <gtest/gtest.h>

namespace parley::transports {
namespace {

TEST(QueryString, IsDecodedAsFormsWriteIt) {
    struct Row {
        std::string_view text, decoded;
    };
    for (const Row& row : {Row{"", ""}, Row{"plain", "plain"}, Row{"a+b%20c", "a b c"},
                           Row{"%2B%26%3d", "+&="}, Row{"J%C3%B6rg", "J\xC3\xB6rg"}}) {
        EXPECT_EQ(decode_query_text(row.text), row.decoded) << row.text;
    }
}

TEST(QueryString, RefusesWhatIsNoText) {
    for (const std::string_view bad :
         {"%", "%4", "%GG", "a%", "a%4", "%-1", "%+1", "% 1", "%FF", "%C3", "%ED%A0%80"}) {
        EXPECT_FALSE(decode_query_text(bad)) << bad;
    }
}

TEST(QueryString, GivesItsParametersInOrder) {
    std::string_view query = "&a=1&&b&c=&=d&e=f=g&";
    std::string all;
    QueryParameter parameter;
    while (next_parameter(query, parameter)) {
        all.append("[").append(parameter.name).append("|").append(parameter.value).append("]");
    }
    EXPECT_EQ(all, "[a|1][b|][c|][|d][e|f=g]");
}

}  // namespace
}  // namespace parley::transports
