#include "core/ids.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <set>

namespace parley::core {
namespace {

TEST(Ids, HaveTheLengthAskedForAndOnlyLettersAndDigits) {
    std::mt19937_64 random(1);
    for (std::size_t length = 0; length < 64; ++length) {
        const auto id = random_id(random, length);
        EXPECT_EQ(id.size(), length);
        for (const char c : id) EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)));
    }
}

TEST(Ids, FollowFromTheLuckThatIsHandedIn) {
    std::mt19937_64 one(7);
    std::mt19937_64 same(7);
    std::mt19937_64 other(8);
    const auto id = random_id(one, 24);
    EXPECT_EQ(random_id(same, 24), id);
    EXPECT_NE(random_id(other, 24), id);
}

TEST(Ids, UseEveryCharacterOfTheAlphabetInEveryPlace) {
    std::mt19937_64 random(3);
    std::array<std::set<char>, 12> seen;
    for (int i = 0; i < 3000; ++i) {
        const auto id = random_id(random, seen.size());
        for (std::size_t place = 0; place < id.size(); ++place) seen[place].insert(id[place]);
    }
    for (const auto& characters : seen) EXPECT_EQ(characters.size(), 62u);
}

TEST(Ids, MakeEpochsThatAreEpochs) {
    std::mt19937_64 random(5);
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto epoch = random_epoch(random);
        EXPECT_EQ(epoch.view().size(), 5u);
        EXPECT_EQ(protocol::Epoch::parse(epoch.view()), epoch);
        seen.insert(std::string(epoch.view()));
    }
    EXPECT_EQ(seen.size(), 1000u);
}

TEST(Ids, KnowANameFromTheSameAddressAgain) {
    const auto id = anonymous_user_id(42, "10.0.0.1", "ann");
    EXPECT_EQ(id.size(), 8u);
    EXPECT_EQ(anonymous_user_id(42, "10.0.0.1", "ann"), id);
    EXPECT_NE(anonymous_user_id(42, "10.0.0.2", "ann"), id);
    EXPECT_NE(anonymous_user_id(42, "10.0.0.1", "bob"), id);
    EXPECT_NE(anonymous_user_id(43, "10.0.0.1", "ann"), id);
    // Where one half ends and the other begins is part of it.
    EXPECT_NE(anonymous_user_id(42, "10.0.0.1a", "nn"), id);
}

TEST(Ids, TellTheUsersOfABusyServerApart) {
    std::set<std::string> ids;
    for (int i = 0; i < 20'000; ++i) {
        ids.insert(anonymous_user_id(1, "10.0.0." + std::to_string(i % 256), std::to_string(i)));
    }
    EXPECT_EQ(ids.size(), 20'000u);
}

}  // namespace
}  // namespace parley::core
