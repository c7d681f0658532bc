#include "core/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace parley::core {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

const TimePoint start = TimePoint{} + hours(7);

// A timer that notes when it fired and does what else the test wants.
struct Alarm : Timer {
    Alarm() noexcept : Timer(&on_fire) {}
    static void on_fire(Timer& timer) noexcept {
        auto& alarm = static_cast<Alarm&>(timer);
        ++alarm.fired;
        if (alarm.then) alarm.then(alarm);
    }
    int fired = 0;
    void (*then)(Alarm&) = nullptr;
    TimerWheel* wheel = nullptr;
    Alarm* other = nullptr;
    std::optional<TimePoint> due;  // the oracle's
};

TEST(TimerWheel, AgreesWithAnOracleWhateverIsArmedAndCancelled) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        std::mt19937_64 random(seed);
        TimerWheel wheel(start);
        std::deque<Alarm> alarms(40);
        TimePoint now = start;
        for (int step = 0; step < 400; ++step) {
            Alarm& alarm = alarms[random() % alarms.size()];
            // From microseconds to days: every level of the wheel and beyond its reach.
            const auto scale = std::uint64_t{1} << (random() % 38);
            if (random() % 4 == 0) {
                alarm.cancel();
                alarm.due.reset();
            } else {
                alarm.due = now + microseconds(1 + random() % scale);
                wheel.arm(alarm, *alarm.due);
            }
            now += microseconds(random() % (random() % 8 == 0 ? scale : 5000));
            std::optional<TimePoint> earliest;
            const auto next = wheel.next_due();
            for (const auto& each : alarms) {
                if (each.due && (!earliest || *each.due < *earliest)) earliest = each.due;
            }
            ASSERT_EQ(next.has_value(), earliest.has_value()) << "seed " << seed;
            if (next) {
                ASSERT_LT(*next, *earliest + milliseconds(1)) << "seed " << seed;
            }
            wheel.advance(now);
            for (auto& each : alarms) {
                const bool over = each.due && *each.due <= now - milliseconds(1);
                const bool early = each.due && *each.due > now;
                if (over) {
                    ASSERT_EQ(each.fired, 1) << "seed " << seed << " step " << step;
                }
                if (early || !each.due) {
                    ASSERT_EQ(each.fired, 0) << "seed " << seed;
                }
                if (each.fired > 0) each.due.reset();
                ASSERT_EQ(each.armed(), each.due.has_value());
                each.fired = 0;
            }
        }
    }
}

TEST(TimerWheel, FiresInTheMillisecondThatIsAskedForAndNotBefore) {
    for (std::int64_t ms = 1; ms < 5000; ms += ms < 200 ? 1 : 61) {
        TimerWheel wheel(start);
        Alarm alarm;
        wheel.arm(alarm, start + milliseconds(ms));
        wheel.advance(start + milliseconds(ms) - microseconds(1));
        ASSERT_EQ(alarm.fired, 0) << ms;
        wheel.advance(start + milliseconds(ms));
        ASSERT_EQ(alarm.fired, 1) << ms;
    }
}

TEST(TimerWheel, LeadsToADeadlineByItsOwnNextDue) {
    // A loop that sleeps exactly until next_due() arrives on time, in a handful of wake-ups.
    for (const std::int64_t ms : {1, 63, 64, 65, 4095, 4096, 25'000, 300'000, 40'000'000}) {
        TimerWheel wheel(start);
        Alarm alarm;
        wheel.advance(start + milliseconds(37));
        wheel.arm(alarm, start + milliseconds(37 + ms));
        TimePoint now = start;
        int wakeups = 0;
        while (alarm.fired == 0 && wakeups < 10) {
            now = *wheel.next_due();
            wheel.advance(now);
            ++wakeups;
        }
        EXPECT_EQ(now, start + milliseconds(37 + ms));
        EXPECT_LE(wakeups, 6) << ms;
    }
}

TEST(TimerWheel, RoundsUpToAWholeMillisecond) {
    TimerWheel wheel(start);
    Alarm alarm;
    wheel.arm(alarm, start + microseconds(1001));
    wheel.advance(start + microseconds(1999));
    EXPECT_EQ(alarm.fired, 0);
    wheel.advance(start + milliseconds(2));
    EXPECT_EQ(alarm.fired, 1);
}

TEST(TimerWheel, FiresWhatIsOverdueAtTheNextMillisecond) {
    TimerWheel wheel(start);
    wheel.advance(start + milliseconds(500));
    Alarm alarm;
    wheel.arm(alarm, start);
    EXPECT_EQ(wheel.next_due(), start + milliseconds(501));
    wheel.advance(start + milliseconds(501));
    EXPECT_EQ(alarm.fired, 1);
}

TEST(TimerWheel, MayBeArmedAgainWhileFiring) {
    TimerWheel wheel(start);
    Alarm alarm;
    alarm.wheel = &wheel;
    alarm.then = [](Alarm& a) {
        if (a.fired < 5) a.wheel->arm(a, start + milliseconds(100 * (a.fired + 1)));
    };
    wheel.arm(alarm, start + milliseconds(100));
    wheel.advance(start + milliseconds(350));
    EXPECT_EQ(alarm.fired, 3);
    wheel.advance(start + hours(1));
    EXPECT_EQ(alarm.fired, 5);
    EXPECT_EQ(wheel.next_due(), std::nullopt);
}

TEST(TimerWheel, MayCancelAnotherOfTheSameMillisecondWhileFiring) {
    TimerWheel wheel(start);
    Alarm first;
    Alarm second;
    first.other = &second;
    first.then = [](Alarm& a) { a.other->cancel(); };
    wheel.arm(first, start + milliseconds(10));
    wheel.arm(second, start + milliseconds(10));
    wheel.advance(start + milliseconds(20));
    EXPECT_EQ(first.fired, 1);
    EXPECT_EQ(second.fired, 0);
    EXPECT_FALSE(second.armed());
}

TEST(TimerWheel, MayDestroyTheFiringTimer) {
    TimerWheel wheel(start);
    struct Doomed : Timer {
        explicit Doomed(int& count) noexcept
            : Timer([](Timer& timer) noexcept {
                  ++*static_cast<Doomed&>(timer).fired;
                  delete static_cast<Doomed*>(&timer);
              }),
              fired(&count) {}
        int* fired;
    };
    int fired = 0;
    for (int i = 0; i < 3; ++i) wheel.arm(*new Doomed(fired), start + milliseconds(5));
    wheel.advance(start + milliseconds(5));
    EXPECT_EQ(fired, 3);
}

TEST(TimerWheel, ForgetsATimerThatIsDestroyed) {
    TimerWheel wheel(start);
    {
        Alarm alarm;
        wheel.arm(alarm, start + milliseconds(5));
    }
    EXPECT_EQ(wheel.next_due(), std::nullopt);
    wheel.advance(start + milliseconds(10));
}

TEST(TimerWheel, LeavesItsTimersUnarmedWhenItGoes) {
    Alarm alarm;
    {
        TimerWheel wheel(start);
        wheel.arm(alarm, start + hours(500));
        EXPECT_TRUE(alarm.armed());
    }
    EXPECT_FALSE(alarm.armed());
}

TEST(TimerWheel, ReachesBeyondItsHighestWheel) {
    TimerWheel wheel(start);
    Alarm alarm;
    wheel.arm(alarm, start + hours(2000));
    wheel.advance(start + hours(2000) - milliseconds(1));
    EXPECT_EQ(alarm.fired, 0);
    wheel.advance(start + hours(2000));
    EXPECT_EQ(alarm.fired, 1);
}

}  // namespace
}  // namespace parley::core
