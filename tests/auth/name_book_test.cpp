#include "auth/name_book.hpp"

#include <gtest/gtest.h>

#include <string>

namespace parley::auth {
namespace {

TEST(NameBook, KnowsNamesInWhateverCaseOfAToZ) {
    NameBook book;
    book.add("Ann Smith");
    for (const std::string_view same :
         {"Ann Smith", "ann smith", "ANN SMITH", "Ann  Smith", " Ann\tSmith "}) {
        EXPECT_TRUE(book.has(same)) << same;
    }
    for (const std::string_view other : {"", "Ann", "AnnSmith", "Ann-Smith"}) {
        EXPECT_FALSE(book.has(other)) << other;
    }
}

TEST(NameBook, TakesForTheSameWhatReadsTheSame) {
    struct Row {
        const char* what;
        std::string_view registered, other;
        bool taken;
    };
    for (const Row& row : {
             Row{"another case", "J\xC3\xB6rg", "J\xC3\x96RG", true},
             Row{"a letter and its mark apart", "J\xC3\xB6rg", "Jo\xCC\x88rg", true},
             Row{"full width", "Ann", "\xEF\xBC\xA1nn", true},
             Row{"a blank without width", "Ann", "An\xE2\x80\x8Bn", true},
             Row{"a soft hyphen", "Ann", "An\xC2\xADn", true},
             Row{"a direction that is turned", "Ann", "Ann\xE2\x80\xAE", true},
             Row{"a blank that does not break", "Ann Smith", "Ann\xC2\xA0Smith", true},
             Row{"a blank of Braille", "Ann", "Ann\xE2\xA0\x80", true},
             Row{"a Cyrillic A", "Ann", "\xD0\x90nn", true},
             Row{"a Greek o", "bob",
                 "b\xCE\xBF"
                 "b",
                 true},
             Row{"ASCII where the look-alike was first", "\xD0\xB0nn", "Ann", true},
             Row{"both of other scripts", "\xD1\x81\xD0\xBE\xD1\x80\xD0\xB5",
                 "\xD1\x81o\xD1\x80\xD0\xB5", true},
             Row{"look-alikes of ASCII alone", "bam", "barn", false},
             Row{"digits and letters", "bob1", "bobl", false},
             Row{"another letter", "J\xC3\xB6rg", "Jorg", false},
             Row{"a name in Chinese", "\xE5\xBC\xA0\xE4\xBC\x9F", "\xE5\xBC\xA0", false},
         }) {
        NameBook book;
        book.add(row.registered);
        EXPECT_EQ(book.has(row.other), row.taken) << row.what;
        EXPECT_TRUE(book.has(row.registered)) << row.what;
    }
}

TEST(NameBook, IsAnotherEditionWithEachName) {
    NameBook book;
    const auto before = book.edition();
    book.add("ann");
    EXPECT_NE(book.edition(), before);
}

TEST(NameBook, KnowsAllOfMany) {
    NameBook book;
    for (int i = 0; i < 20'000; ++i) book.add("name-" + std::to_string(i));
    for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(book.has("NAME-" + std::to_string(i)));
    for (int i = 20'000; i < 40'000; ++i) EXPECT_FALSE(book.has("name-" + std::to_string(i)));
}

}  // namespace
}  // namespace parley::auth
