#include "protocol/gzip.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "support/gunzip.hpp"

namespace parley::protocol {
namespace {

using parley::test::gunzip;

TEST(GzipEncoder, GivesBackWhatItWasGivenTimeAndAgain) {
    GzipEncoder encoder;
    std::mt19937 random(42);
    std::string noise;
    for (int i = 0; i < 100'000; ++i) noise.push_back(static_cast<char>(random()));
    for (const std::string& text : {std::string(), std::string("a"), std::string(100'000, 'a'),
                                    noise, std::string("a\0b", 3)}) {
        for (int time = 0; time < 2; ++time) EXPECT_EQ(gunzip(encoder.encode(text)), text);
    }
    EXPECT_LT(encoder.encode(std::string(100'000, 'a')).size(), 500U);
}

}  // namespace
}  // namespace parley::protocol
