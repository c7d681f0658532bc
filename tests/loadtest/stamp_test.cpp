#include "loadtest/stamp.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace parley::load {
namespace {

std::string stamped(const Stamp& stamp) {
    std::string text;
    append_stamp(text, stamp);
    return text;
}

TEST(Stamp, ComesBackFromAnywhereInAText) {
    std::mt19937_64 luck(7);
    for (int i = 0; i < 500; ++i) {
        const Stamp stamp{static_cast<std::int64_t>(luck() >> 1),
                          static_cast<std::uint32_t>(luck()), static_cast<std::uint32_t>(luck())};
        const std::string before(luck() % 50, '~');
        const auto found = find_stamp(before + stamped(stamp) + "tail");
        ASSERT_TRUE(found);
        EXPECT_EQ(found->stamp, stamp);
        EXPECT_EQ(found->end, before.size() + stamp_bytes);
    }
}

TEST(Stamp, HoldsTheExtremes) {
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    for (const Stamp& stamp :
         {Stamp{0, 0, 0}, Stamp{std::numeric_limits<std::int64_t>::max(), most, most}}) {
        const std::string text = stamped(stamp);
        EXPECT_EQ(text.size(), stamp_bytes);
        const auto found = find_stamp(text);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->stamp, stamp);
    }
}

TEST(Stamp, IsNotFoundWhenCutOffAtAnyPlace) {
    const std::string text = stamped({123456789, 5, 6});
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(find_stamp(text.substr(0, size)));
    }
}

TEST(Stamp, IsNotFoundWhereAnyDigitIsNone) {
    const std::string text = stamped({123456789, 5, 6});
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string broken = text;
        broken[at] = 'G';
        EXPECT_FALSE(find_stamp(broken)) << at;
    }
}

TEST(Stamp, SeveralInOneTextAreFoundOneByOne) {
    std::string text = "[";
    for (std::uint32_t i = 1; i <= 5; ++i) text += stamped({i, i, i}) + "~P,~";
    std::uint32_t seen = 0;
    for (auto found = find_stamp(text); found; found = find_stamp(text, found->end)) {
        EXPECT_EQ(found->stamp.sequence, ++seen);
    }
    EXPECT_EQ(seen, 5u);
}

}  // namespace
}  // namespace parley::load
