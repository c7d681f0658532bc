#include "protocol/byte_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace parley::protocol {
namespace {

TEST(ByteRun, EndsAtTheFirstThatEndsItWhateverTheLength) {
    const auto ends = [](auto c) { return (c < 0x20) | (c == '"'); };
    for (std::size_t size = 0; size <= 50; ++size) {
        // The bytes lie at the end of their memory: what reads past them is seen to.
        for (std::size_t first = 0; first <= size; ++first) {
            for (std::size_t second = first; second <= size; ++second) {
                std::string text(size, 'a');
                if (first < size) text[first] = '"';
                if (second < size) text[second] = '\n';
                text.shrink_to_fit();
                ASSERT_EQ(byte_run(text, ends), std::min(first, second))
                    << size << " " << first << " " << second;
            }
        }
    }
}

}  // namespace
}  // namespace parley::protocol
