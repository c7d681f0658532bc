#include "protocol/text_writer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace parley::protocol {
namespace {

TEST(TextWriter, WritesWhatAStringWouldHold) {
    std::mt19937_64 random(7);
    for (const std::size_t expected : {0U, 1U, 16U, 500U}) {
        for (int round = 0; round < 200; ++round) {
            std::string text = "before ";
            std::string wanted = text;
            {
                TextWriter writer(text, expected);
                for (int step = 0; step < 20; ++step) {
                    // Now and then more than is cleared at once.
                    const std::size_t size = step == 10 ? random() % 2'000 : random() % 40;
                    const std::string piece(size, static_cast<char>('a' + step));
                    const std::uint64_t number = random() >> (random() % 64);
                    writer.append(piece).push_back(',');
                    writer += "x";
                    writer.append({});
                    writer.append_decimal(number);
                    wanted += piece + ",x" + std::to_string(number);
                }
            }
            ASSERT_EQ(text, wanted) << expected;
        }
    }
}

TEST(TextWriter, LeavesTheTextAsItWasWhereNothingIsWritten) {
    std::string text = "before";
    { TextWriter writer(text, 100); }
    EXPECT_EQ(text, "before");
    { TextWriter(text, 0).append_decimal(std::numeric_limits<std::uint64_t>::max()); }
    EXPECT_EQ(text, "before18446744073709551615");
}

}  // namespace
}  // namespace parley::protocol
