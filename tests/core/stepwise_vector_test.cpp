#include "core/stepwise_vector.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace parley::core {
namespace {

using Small = StepwiseVector<int, 4>;

std::vector<int> items(const Small& vector) {
    std::vector<int> all;
    vector.each([&all](int item) { all.push_back(item); });
    return all;
}

TEST(StepwiseVector, HoldsWhatWasPushedOverManyPieces) {
    Small vector;
    std::vector<int> expected;
    for (int i = 0; i < 100; ++i) {
        vector.push_back(i);
        expected.push_back(i);
        ASSERT_EQ(items(vector), expected);
        ASSERT_EQ(vector.back(), i);
    }
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(vector[i], expected[i]);
}

TEST(StepwiseVector, ShrinksToNothingAndGrowsAgain) {
    Small vector;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 33; ++i) vector.push_back(i);
        for (int i = 33; i > 0; --i) {
            ASSERT_EQ(vector.size(), static_cast<std::size_t>(i));
            ASSERT_EQ(vector.back(), i - 1);
            vector.pop_back();
        }
        EXPECT_TRUE(vector.empty());
    }
}

TEST(StepwiseVector, KeepsElementsWhereTheyAreBehindTheFirstPiece) {
    Small vector;
    for (int i = 0; i < 6; ++i) vector.push_back(i);
    const int* fifth = &vector[5];
    for (int i = 6; i < 1000; ++i) vector.push_back(i);
    EXPECT_EQ(&vector[5], fifth);
}

TEST(StepwiseVector, TakesAnElementOfItsOwn) {
    Small vector;
    vector.push_back(7);
    for (int i = 0; i < 40; ++i) vector.push_back(vector[0]);
    EXPECT_EQ(items(vector), std::vector<int>(41, 7));
}

TEST(StepwiseVector, IsWhatAVectorIsWhateverIsDone) {
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed);
        Small vector;
        std::vector<int> expected;
        for (int step = 0; step < 500; ++step) {
            if (expected.empty() || random() % 100 < (step < 250 ? 70u : 30u)) {
                vector.push_back(step);
                expected.push_back(step);
            } else {
                // As an audience lets somebody go: the last takes the place.
                const std::size_t at = random() % expected.size();
                vector[at] = vector.back();
                vector.pop_back();
                expected[at] = expected.back();
                expected.pop_back();
            }
            ASSERT_EQ(items(vector), expected) << seed;
        }
    }
}

}  // namespace
}  // namespace parley::core
