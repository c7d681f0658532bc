#include "core/stepwise_set.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <unordered_map>

namespace parley::core {
namespace {

struct Named {
    std::string name;
    int value = 0;
};
std::string_view name_of(const Named& named) {
    return named.name;
}
using Set = StepwiseSet<Named, &name_of>;

std::set<std::string> names(const Set& set) {
    std::set<std::string> all;
    set.each(set.size(), [&all](const Named& named) {
        EXPECT_TRUE(all.insert(named.name).second) << named.name << " is there twice";
    });
    return all;
}

TEST(StepwiseSet, FindsWhatWasAddedAndNothingElse) {
    Set set;
    EXPECT_EQ(set.find("a"), nullptr);
    EXPECT_FALSE(set.erase("a"));
    for (int i = 0; i < 3000; ++i) {
        set.add({std::to_string(i), i});
        ASSERT_EQ(set.size(), static_cast<std::size_t>(i) + 1);
    }
    for (int i = 0; i < 3000; ++i) {
        const Named* named = set.find(std::to_string(i));
        ASSERT_NE(named, nullptr) << i;
        EXPECT_EQ(named->value, i);
    }
    EXPECT_EQ(set.find("3000"), nullptr);
    EXPECT_EQ(set.find(""), nullptr);
    EXPECT_EQ(names(set).size(), 3000u);
}

TEST(StepwiseSet, LeavesElementsWhereTheyAreWhileItGrows) {
    Set set;
    const Named* first = &set.add({"first", 1});
    for (int i = 0; i < 5000; ++i) set.add({std::to_string(i), i});
    EXPECT_EQ(set.find("first"), first);
}

TEST(StepwiseSet, ErasesByANameThatTheElementItselfHolds) {
    Set set;
    for (int i = 0; i < 100; ++i) set.add({std::string(40, 'x') + std::to_string(i), i});
    for (int i = 0; i < 100; ++i) {
        const std::string name = std::string(40, 'x') + std::to_string(i);
        EXPECT_TRUE(set.erase(set.find(name)->name));
        EXPECT_EQ(set.find(name), nullptr);
    }
    EXPECT_TRUE(set.empty());
}

TEST(StepwiseSet, IsWhatAMapIsWhateverIsDone) {
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed);
        Set set;
        std::unordered_map<std::string, int> expected;
        for (int step = 0; step < 4000; ++step) {
            const std::string name = std::to_string(random() % 700);
            const bool comes = random() % 100 < (step < 2000 ? 65u : 25u);
            if (!comes) {
                ASSERT_EQ(set.erase(name), expected.erase(name) == 1);
            } else if (expected.emplace(name, step).second) {
                ASSERT_EQ(set.find(name), nullptr);
                set.add({name, step});
            }
            ASSERT_EQ(set.size(), expected.size());
        }
        for (const auto& [name, value] : expected) {
            const Named* named = set.find(name);
            ASSERT_NE(named, nullptr);
            EXPECT_EQ(named->value, value);
        }
        EXPECT_EQ(names(set).size(), expected.size());
    }
}

TEST(StepwiseSet, StopsAfterAsManyAsWereAskedFor) {
    Set set;
    for (int i = 0; i < 50; ++i) set.add({std::to_string(i), i});
    for (const std::size_t most : {0u, 1u, 7u, 50u, 99u}) {
        std::size_t seen = 0;
        set.each(most, [&seen](const Named&) { ++seen; });
        EXPECT_EQ(seen, std::min<std::size_t>(most, 50));
    }
}

TEST(StepwiseSet, SweepsEverythingOnceItWentRound) {
    Set set;
    for (int i = 0; i < 1000; ++i) set.add({std::to_string(i), i});
    // A bucket an element at the most, and fewer while it empties.
    for (int i = 0; i < 1000; ++i) {
        set.sweep(1, [](const Named& named) { return named.value % 3 == 0; });
    }
    EXPECT_EQ(set.size(), 666u);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(set.find(std::to_string(i)) != nullptr, i % 3 != 0) << i;
    }
    set.sweep(100'000, [](const Named&) { return true; });
    EXPECT_TRUE(set.empty());
    set.sweep(1, [](const Named&) { return true; });
    set.add({"again", 1});
    EXPECT_NE(set.find("again"), nullptr);
}

}  // namespace
}  // namespace parley::core
