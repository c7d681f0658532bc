#include "protocol/direct_room.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace parley::protocol {
namespace {

const std::vector<std::string> ids{"ann",
                                   "bob",
                                   "Zq8_-1",
                                   "auth0|123",
                                   "a:b",
                                   "b:c",
                                   "a",
                                   "b",
                                   "c",
                                   "",
                                   "gr\u00fc\u00dfe",
                                   ".ann",
                                   std::string(43, 'x'),
                                   std::string(44, 'x'),
                                   std::string(128, 'x')};

TEST(DirectRoom, IsTheSameForBothAndAnothersForNoOtherTwo) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const auto room = direct_room(ids[i], ids[j]);
            EXPECT_EQ(room, direct_room(ids[j], ids[i]));
            EXPECT_TRUE(seen.insert(room).second) << room;
            EXPECT_TRUE(is_direct_room(room));
            EXPECT_LE(room.size(), 92U);
            EXPECT_EQ(room.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789._:@-"),
                      std::string::npos)
                << room;
            for (std::size_t k = 0; k < ids.size(); ++k) {
                EXPECT_EQ(is_party_of(room, ids[k]), k == i || k == j) << room << ' ' << ids[k];
            }
        }
    }
}

TEST(DirectRoom, NamesIdsThatARoomsNameMayHold) {
    EXPECT_EQ(direct_room("bob", "ann"), "dm:ann:bob");
    // echo -n 'auth0|123' | openssl dgst -sha256 -binary | basenc --base64url
    EXPECT_EQ(direct_room("auth0|123", "ann").substr(0, 4), "dm:.");
    EXPECT_EQ(direct_room("auth0|123", "ann").size(), 3 + 44 + 1 + 3U);
}

TEST(DirectRoom, IsNobodysWhereItIsOnlyCalledLikeOne) {
    for (const char* room : {"dm:", "dm:ann", "dm::", "dm:x:y:z"}) {
        EXPECT_TRUE(is_direct_room(room));
        EXPECT_FALSE(is_party_of(room, "ann")) << room;
    }
    EXPECT_FALSE(is_direct_room("dmitri"));
    EXPECT_FALSE(is_party_of("lobby", "ann"));
}

}  // namespace
}  // namespace parley::protocol
