#include "storage/write_queue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::storage {
namespace {

AppendRequest append(std::size_t bytes) {
    return {nullptr, "r", {core::Retained::make(1, std::string(bytes, 'x')), {}, {}, {}}, 0};
}

core::HistoryConfig bounds(std::size_t messages, std::size_t bytes) {
    core::HistoryConfig config;
    config.queue_messages = messages;
    config.queue_bytes = bytes;
    return config;
}

TEST(WriteQueue, RingsOnceForManyAppendsAndForEveryQuestion) {
    std::vector<bool> rings;
    WriteQueue queue(bounds(100, 1 << 20), [&rings](bool urgent) { rings.push_back(urgent); });
    queue.push(append(1));
    queue.push(append(1));
    queue.push(RememberRequest{"r", {}});
    EXPECT_EQ(rings, std::vector<bool>{false});
    queue.push(OpenRequest{});
    EXPECT_EQ(rings, (std::vector<bool>{false, true}));
    std::vector<StoreRequest> taken;
    queue.take_all(taken);
    EXPECT_EQ(taken.size(), 4U);
    EXPECT_TRUE(std::holds_alternative<OpenRequest>(taken.back()));
    queue.push(append(1));
    EXPECT_EQ(rings.size(), 3U);
}

TEST(WriteQueue, RingsUrgentlyOnceForASixteenthOfEitherBound) {
    const std::size_t cost = append(100).unsaved.message->cost();
    for (const auto& config : {bounds(16 * 5, 1 << 20), bounds(10'000, 16 * 5 * cost)}) {
        std::vector<bool> rings;
        WriteQueue queue(config, [&rings](bool urgent) { rings.push_back(urgent); });
        for (int i = 0; i < 4; ++i) queue.push(append(100));
        EXPECT_EQ(rings, std::vector<bool>{false});
        for (int i = 0; i < 20; ++i) queue.push(append(100));
        EXPECT_EQ(rings, (std::vector<bool>{false, true}));
    }
}

TEST(WriteQueue, HasManyForAsLongAsASixteenthIsNotSettled) {
    WriteQueue queue(bounds(16 * 5, 1 << 20), [](bool) {});
    for (int i = 0; i < 4; ++i) queue.push(append(1));
    EXPECT_FALSE(queue.many());
    for (int i = 0; i < 4; ++i) queue.push(append(1));
    EXPECT_TRUE(queue.many());
    for (int i = 0; i < 3; ++i) queue.settle(append(1));
    EXPECT_TRUE(queue.many()) << "whatever came in the meantime";
    queue.settle(append(1));
    EXPECT_FALSE(queue.many());
    WriteQueue least(bounds(1, 1 << 20), [](bool) {});
    least.push(append(1));
    EXPECT_TRUE(least.many());
}

TEST(WriteQueue, AcceptsUntilEitherBoundAndAgainBelowThreeQuarters) {
    const std::size_t cost = append(100).unsaved.message->cost();
    for (const auto& config : {bounds(8, 1 << 20), bounds(1'000, 8 * cost)}) {
        WriteQueue queue(config, [](bool) {});
        for (int i = 0; i < 7; ++i) queue.push(append(100));
        EXPECT_TRUE(queue.accepting());
        queue.push(append(100));
        EXPECT_FALSE(queue.accepting());
        queue.push(append(100));  // what was taken in already is not lost
        std::vector<StoreRequest> taken;
        queue.take_all(taken);
        EXPECT_FALSE(queue.accepting()) << "taken is not written";
        EXPECT_EQ(queue.messages(), 9U);
        EXPECT_EQ(queue.bytes(), 9 * cost);
        for (int i = 0; i < 2; ++i) queue.settle(std::get<AppendRequest>(taken[0]));
        EXPECT_FALSE(queue.accepting());
        queue.settle(std::get<AppendRequest>(taken[0]));
        EXPECT_TRUE(queue.accepting());
    }
}

TEST(WriteQueue, AcceptsNothingWhileTheStoreFails) {
    WriteQueue queue(bounds(8, 1 << 20), [](bool) {});
    queue.set_failing(true);
    EXPECT_FALSE(queue.accepting());
    queue.push(append(1));
    std::vector<StoreRequest> taken;
    queue.take_all(taken);
    queue.settle(std::get<AppendRequest>(taken[0]));
    EXPECT_FALSE(queue.accepting());
    queue.set_failing(false);
    EXPECT_TRUE(queue.accepting());
}

}  // namespace
}  // namespace parley::storage
