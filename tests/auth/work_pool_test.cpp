#include "auth/work_pool.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

namespace parley::auth {
namespace {

TEST(WorkPool, StandsBehindTheShardsAndLeavesTheProcessAsItIs) {
    const int own = ::getpriority(PRIO_PROCESS, 0);
    struct Row {
        WorkPriority priority;
        int nicer;
        int policy;
    };
    for (const Row& row :
         {Row{WorkPriority::beside, 0, SCHED_OTHER}, Row{WorkPriority::behind, 5, SCHED_BATCH},
          Row{WorkPriority::leftover, 0, SCHED_IDLE}}) {
        WorkPool pool("test", 1, 8, row.priority);
        std::promise<std::pair<int, int>> said;
        ASSERT_TRUE(pool.submit([&] {
            said.set_value({::getpriority(PRIO_PROCESS, 0), ::sched_getscheduler(0)});
        }));
        const auto [nice, policy] = said.get_future().get();
        EXPECT_EQ(nice, std::min(own + row.nicer, 19));
        EXPECT_EQ(policy, row.policy);
        EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), own);
    }
}

TEST(WorkPool, GoesOnAfterWorkThatThrew) {
    WorkPool pool("test", 1, 8, WorkPriority::beside);
    ASSERT_TRUE(pool.submit([] { throw std::runtime_error("no"); }));
    std::promise<void> done;
    ASSERT_TRUE(pool.submit([&] { done.set_value(); }));
    done.get_future().get();
}

TEST(WorkPool, DropsWhatWaitsWhenItIsStopped) {
    std::promise<void> begun;
    std::promise<void> go_on;
    bool ran = false;
    {
        WorkPool pool("test", 1, 1U << 30U, WorkPriority::beside);
        ASSERT_TRUE(pool.submit([&] {
            begun.set_value();
            go_on.get_future().get();
        }));
        begun.get_future().get();
        ASSERT_TRUE(pool.submit([&] { ran = true; }));
        auto stopped = std::async(std::launch::async, [&] { pool.stop(); });
        while (pool.submit([] {})) std::this_thread::yield();
        go_on.set_value();
        stopped.get();
        EXPECT_EQ(pool.waiting(), 0u);
    }
    EXPECT_FALSE(ran);
}

TEST(WorkPool, DoesAllThatItTakesFromManyAtOnceAndNoMoreThanItsQueueWaits) {
    constexpr int each = 2'000;
    std::atomic<int> done{0};
    std::atomic<int> taken{0};
    std::atomic<std::size_t> most{0};
    {
        WorkPool pool("test", 3, 64, WorkPriority::beside);
        std::vector<std::future<void>> askers;
        for (int asker = 0; asker < 4; ++asker) {
            askers.push_back(std::async(std::launch::async, [&] {
                for (int i = 0; i < each; ++i) {
                    if (pool.submit([&] { ++done; })) ++taken;
                    if (pool.waiting() > most) most = pool.waiting();
                }
            }));
        }
        for (auto& asker : askers) asker.get();
        // Past its end, as what follows from what was taken.
        for (int i = 0; i < 100; ++i) {
            ASSERT_TRUE(pool.hand_in([&] { ++done; }));
            ++taken;
        }
        while (done < taken) std::this_thread::yield();
        EXPECT_EQ(pool.refused() + static_cast<std::uint64_t>(taken), 4U * each + 100U);
        EXPECT_EQ(pool.begun(), static_cast<std::uint64_t>(taken));
        // Those who ask at the same time count themselves before they are refused.
        EXPECT_LE(most, 64U + 4U);
        pool.stop();
        EXPECT_FALSE(pool.submit([] {}));
        EXPECT_FALSE(pool.hand_in([] {}));
    }
    EXPECT_EQ(done, taken);
}

}  // namespace
}  // namespace parley::auth
