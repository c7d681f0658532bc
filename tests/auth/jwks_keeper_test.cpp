#include "auth/jwks_keeper.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace parley::auth {
namespace {

// Counts what happens, and waits for it.
struct Heard {
    void note(int& count) {
        const std::scoped_lock lock(mutex);
        ++count;
        news.notify_all();
    }
    void wait(const int& count, int wanted) {
        std::unique_lock lock(mutex);
        news.wait(lock, [&] { return count >= wanted; });
    }
    int so_far(const int& count) {
        const std::scoped_lock lock(mutex);
        return count;
    }
    std::mutex mutex;
    std::condition_variable news;
    int taken = 0;
    int complaints = 0;
};

TEST(JwksKeeper, ReadsAtOnceAndAgainAndKeepsWhatItHadWhereThatFails) {
    Heard heard;
    std::atomic<bool> broken{false};
    JwksKeeper keeper(
        std::chrono::milliseconds(1),
        [&](const std::atomic<bool>&) {
            if (broken) throw std::runtime_error("gone");
            return JwtKeys{{JwtAlgorithm::rs256, "a", "pem"}};
        },
        [&](JwtKeys&& keys) {
            EXPECT_EQ(keys.size(), 1u);
            heard.note(heard.taken);
        },
        [&](const std::string& why) {
            EXPECT_EQ(why, "gone");
            heard.note(heard.complaints);
        });
    heard.wait(heard.taken, 2);
    broken = true;
    heard.wait(heard.complaints, 2);
    broken = false;
    heard.wait(heard.taken, heard.so_far(heard.taken) + 1);
    keeper.stop();
    EXPECT_GE(keeper.loads(), 3u);
    EXPECT_GE(keeper.failures(), 2u);
}

TEST(JwksKeeper, ReadsAgainSoonWhereThatFailed) {
    Heard heard;
    std::atomic<int> reads{0};
    JwksKeeper keeper(
        std::chrono::hours(1),
        [&](const std::atomic<bool>&) {
            if (++reads < 3) throw std::runtime_error("gone");
            return JwtKeys{{JwtAlgorithm::rs256, "a", "pem"}};
        },
        [&](JwtKeys&&) { heard.note(heard.taken); },
        [&](const std::string&) { heard.note(heard.complaints); }, std::chrono::milliseconds(1));
    heard.wait(heard.taken, 1);
    EXPECT_EQ(reads, 3);
    EXPECT_EQ(heard.complaints, 2);
}

TEST(JwksKeeper, IsNotMadeToReadMoreOftenByWhoeverShowsTokens) {
    Heard heard;
    JwksKeeper keeper(
        std::chrono::hours(1), [](const std::atomic<bool>&) { return JwtKeys{}; },
        [&](JwtKeys&&) { heard.note(heard.taken); }, [](const std::string&) {});
    heard.wait(heard.taken, 1);
    while (keeper.loads() < 1) std::this_thread::yield();
    // It has read just now; before that a wish is granted by the read that is under way.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (keeper.want() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_FALSE(keeper.want());
}

}  // namespace
}  // namespace parley::auth
