#include "core/room_window.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "support/publications.hpp"

namespace parley::core {
namespace {

using test::message;
using test::transient;

TEST(RoomWindow, BeginsWhereItIsTold) {
    RoomWindow window;
    window.start_at(17, 9);
    EXPECT_EQ(window.base(), 17u);
    EXPECT_EQ(window.end(), 17u);
    EXPECT_EQ(window.offset_before(17), 9u);
    window.push(transient());
    window.push(message(10));
    EXPECT_EQ(window.end(), 19u);
    EXPECT_EQ(window.offset_before(18), 9u);
    EXPECT_EQ(window.offset_before(19), 10u);
}

TEST(RoomWindow, PassesOverWhatNobodyWaitsFor) {
    RoomWindow window;
    window.skip(*message(1));
    window.skip(*transient());
    EXPECT_EQ(window.base(), 2u);
    EXPECT_EQ(window.size(), 0u);
    EXPECT_EQ(window.offset_before(2), 1u);
}

TEST(RoomWindow, HoldsItsBoundsInMessagesButAlwaysTheNewest) {
    RoomWindow window;
    const WindowConfig config{5, 1 << 20};
    for (std::uint64_t offset = 1; offset <= 20; ++offset) {
        window.push(message(offset));
        EXPECT_EQ(window.enforce(config), offset > 5);
        EXPECT_EQ(window.size(), std::min<std::uint64_t>(offset, 5));
        EXPECT_EQ(window.at(window.end() - 1).offset(), offset);
    }
    EXPECT_TRUE(window.enforce({0, 0}));
    EXPECT_EQ(window.size(), 1u);
    EXPECT_EQ(window.at(19).offset(), 20u);
    EXPECT_FALSE(window.enforce({0, 0}));
}

TEST(RoomWindow, KnowsItsNewestMessage) {
    RoomWindow window;
    window.start_at(5, 3);
    window.push(transient());
    window.push(transient());
    EXPECT_EQ(window.newest_message(), 6u);
    window.push(message(4));
    EXPECT_EQ(window.newest_message(), 7u);
    window.push(transient());
    EXPECT_EQ(window.newest_message(), 7u);
    window.trim_to(8);
    EXPECT_EQ(window.newest_message(), 8u);
}

TEST(RoomWindow, HoldsItsBoundsInBytes) {
    RoomWindow window;
    const auto cost = message(1, std::string(500, 'x'))->cost();
    for (std::uint64_t offset = 1; offset <= 20; ++offset) {
        window.push(message(offset, std::string(500, 'x')));
        static_cast<void>(window.enforce({1000, 3 * cost}));
        EXPECT_LE(window.bytes(), 3 * cost);
    }
    EXPECT_EQ(window.size(), 3u);
}

TEST(RoomWindow, AgreesWithAPlainQueueWhateverHappens) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        std::mt19937_64 random(seed);
        RoomWindow window;
        std::deque<PublicationPtr> expected;
        std::vector<std::uint64_t> offset_before{0};
        std::uint64_t offset = 0;
        for (int step = 0; step < 300; ++step) {
            if (random() % 3 > 0) {
                auto next = random() % 2 ? message(++offset) : transient();
                expected.push_back(next);
                window.push(std::move(next));
                offset_before.push_back(offset);
            } else if (random() % 2) {
                const auto to = window.base() + random() % (window.size() + 2);
                while (!expected.empty() && window.end() - expected.size() < to) {
                    expected.pop_front();
                }
                window.trim_to(to);
            } else {
                const WindowConfig config{random() % 20, 1 << 20};
                while (expected.size() > 1 && expected.size() > config.messages) {
                    expected.pop_front();
                }
                static_cast<void>(window.enforce(config));
            }
            ASSERT_EQ(window.size(), expected.size());
            std::size_t bytes = 0;
            for (std::size_t i = 0; i < expected.size(); ++i) {
                ASSERT_EQ(&window.at(window.base() + i), expected[i].get()) << "seed " << seed;
                bytes += expected[i]->cost();
            }
            ASSERT_EQ(window.bytes(), bytes);
            for (auto s = window.base(); s <= window.end(); ++s) {
                ASSERT_EQ(window.offset_before(s), offset_before[static_cast<std::size_t>(s)]);
            }
        }
    }
}

}  // namespace
}  // namespace parley::core
