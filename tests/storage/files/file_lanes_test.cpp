#include "storage/files/file_lanes.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

namespace parley::storage {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(FileLanes, RunTasksOfALaneInOrder) {
    FileLanes lanes(3, hours(1), [] {});
    std::vector<int> seen;
    for (int i = 0; i < 1'000; ++i) lanes.post(1, [&seen, i] { seen.push_back(i); });
    lanes.stop();
    ASSERT_EQ(seen.size(), 1'000u);
    for (int i = 0; i < 1'000; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(FileLanes, RunBesideEachOther) {
    FileLanes lanes(2, hours(1), [] {});
    std::promise<void> first, second;
    // Each waits for the other: one thread would never end.
    lanes.post(0, [&] {
        first.set_value();
        second.get_future().wait();
    });
    lanes.post(1, [&] {
        first.get_future().wait();
        second.set_value();
    });
    lanes.stop();
}

TEST(FileLanes, TakeTasksFromManyThreads) {
    FileLanes lanes(2, hours(1), [] {});
    std::vector<int> seen;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i) lanes.post(0, [&seen, i] { seen.push_back(i); });
        });
    }
    for (std::thread& thread : threads) thread.join();
    lanes.stop();
    EXPECT_EQ(seen.size(), 2'000u);
}

TEST(FileLanes, GoTheirRoundsBesideTasks) {
    std::promise<void> thrice;
    int rounds = 0;
    FileLanes lanes(1, milliseconds(1), [&] {
        if (++rounds == 3) thrice.set_value();
    });
    thrice.get_future().wait();
    lanes.stop();
}

TEST(FileLanes, RunWhatTheirLastTasksGiveThemAndThenWhatIsGivenAtOnce) {
    FileLanes lanes(2, hours(1), [] {});
    bool later = false;
    lanes.post(0, [&] { lanes.post(1, [&] { later = true; }); });
    lanes.stop();
    EXPECT_TRUE(later);
    bool at_once = false;
    lanes.post(1, [&] { at_once = true; });
    EXPECT_TRUE(at_once);
}

TEST(FileLanes, AreChosenInTurn) {
    FileLanes lanes(3, hours(1), [] {});
    const std::size_t first = lanes.choose();
    EXPECT_EQ(lanes.choose(), (first + 1) % 3);
    EXPECT_EQ(lanes.choose(), (first + 2) % 3);
    EXPECT_EQ(lanes.choose(), first);
}

}  // namespace
}  // namespace parley::storage
